import { bad, errorAt, good, type Checked } from '../shared/problem.js';

/** Packet tags (RFC 9580, 5). */
const SECRET_KEY = 5;
const PUBLIC_KEY = 6;

/** The public keys in a file, armored (RFC 9580, 6) or binary, as one binary keyring: the form that every version of apt takes. */
export function parsePublicKeys(path: string, bytes: Uint8Array): Checked<Buffer> {
  const file = Buffer.from(bytes);
  const text = file.toString('latin1');
  const wrong = (message: string): Checked<Buffer> => bad([errorAt(path, undefined, message)]);
  if (text.includes('-----BEGIN PGP PRIVATE KEY BLOCK-----')) return wrong('holds a secret key: only the public one belongs here (gpg --armor --export)');
  // A public key block: headers, a blank line, base64, perhaps `=` and a check sum. Node reads base64 up to a `=`.
  const blocks = [...text.matchAll(/^-----BEGIN PGP PUBLIC KEY BLOCK-----[^\n]*\n(?:[^\n]+\n)*?\s*\n(.*?)^-----END PGP PUBLIC KEY BLOCK-----/gms)];
  const keyring = blocks.length === 0 ? file : Buffer.concat(blocks.map(([, body]) => Buffer.from(body!, 'base64')));
  switch (firstTag(keyring)) {
    case PUBLIC_KEY:
      return good(keyring);
    case SECRET_KEY:
      return wrong('holds a secret key: only the public one belongs here (gpg --export)');
    default:
      return wrong('is no OpenPGP public key, armored or binary (gpg --armor --export writes one)');
  }
}

/** The kind of the first packet; undefined: this is no packet. */
function firstTag(bytes: Buffer): number | undefined {
  const first = bytes[0];
  if (first === undefined || first < 0x80) return undefined;
  return first >= 0xc0 ? first & 0x3f : (first >> 2) & 0x0f;
}
