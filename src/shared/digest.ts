import { createHash } from 'node:crypto';

/** `sha256:` and 64 lower-case hexadecimal digits (OCI image spec, descriptor, "Digests"). */
export type Digest = `sha256:${string}`;

/** Whether a text is a SHA-256 digest as registries write it. */
export function isDigest(text: string): text is Digest {
  return /^sha256:[0-9a-f]{64}$/.test(text);
}

/** The digest of some bytes. */
export function digestOf(bytes: string | Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** `sha256:9f2a41c0…`: enough for a person to compare. */
export function shortDigest(digest: string): string {
  return `${digest.slice(0, 'sha256:'.length + 12)}…`;
}
