import type { Digest } from '../shared/digest.js';
import type { Provenance } from './labels.js';

/**
 * What registries said and cannot change: the digest of an immutable tag (a version, a date), and what the config behind a
 * digest says. A cache: losing it costs requests, never correctness.
 */
export interface DigestMemory {
  tag(ref: string): Digest | undefined;
  rememberTag(ref: string, digest: Digest): void;
  /** undefined: not remembered; null: remembered as of unknown origin. */
  provenance(name: string, digest: Digest): Provenance | null | undefined;
  rememberProvenance(name: string, digest: Digest, provenance: Provenance | null): void;
}

/** The memory as data; `touched` are the keys that were used, so that what is long gone can be forgotten. */
export type MemoryData = { readonly tags: Record<string, Digest>; readonly provenance: Record<string, Provenance | null> };

/** A memory over data that a cache file held (or nothing); `data()` is what should be kept, at most `limit` entries of each, the used ones first. */
export function createDigestMemory(stored: MemoryData | undefined, limit = 50_000): DigestMemory & { data(): MemoryData; readonly changed: boolean } {
  const tags = new Map(Object.entries(stored?.tags ?? {}));
  const provenance = new Map(Object.entries(stored?.provenance ?? {}));
  const usedTags = new Set<string>();
  const usedProvenance = new Set<string>();
  let changed = false;
  const newest = <T>(all: Map<string, T>, used: ReadonlySet<string>): Record<string, T> =>
    Object.fromEntries(all.size <= limit ? all : [...[...all].filter(([key]) => !used.has(key)), ...[...all].filter(([key]) => used.has(key))].slice(-limit));
  return {
    tag(ref) {
      usedTags.add(ref);
      return tags.get(ref);
    },
    rememberTag(ref, digest) {
      usedTags.add(ref);
      if (tags.get(ref) === digest) return;
      tags.set(ref, digest);
      changed = true;
    },
    provenance(name, digest) {
      const key = `${name}@${digest}`;
      usedProvenance.add(key);
      return provenance.get(key);
    },
    rememberProvenance(name, digest, value) {
      const key = `${name}@${digest}`;
      usedProvenance.add(key);
      provenance.set(key, value);
      changed = true;
    },
    data: () => ({ tags: newest(tags, usedTags), provenance: newest(provenance, usedProvenance) }),
    get changed() {
      return changed;
    },
  };
}
