import { isDigest, type Digest } from '../shared/digest.js';

/** What a rebuild was made for that gave the same image again: marks of upgrades, and when (milliseconds since 1970). */
export type Tried = { readonly marks: readonly string[]; readonly at: number };

/** What was learnt of published manifests while refreshing. A cache: losing it costs a rebuild or a pull, never correctness. */
export interface RefreshMemory {
  /** The digest over all that an image is (ImageReader.digestOf). */
  content(manifest: Digest): Digest | undefined;
  rememberContent(manifest: Digest, content: Digest): void;
  tried(manifest: Digest): Tried | undefined;
  rememberTried(manifest: Digest, tried: Tried): void;
}

/** The memory as data. */
export type RefreshData = { readonly contents: Readonly<Record<string, Digest>>; readonly tried: Readonly<Record<string, Tried>> };

/** A memory over data that a cache file held (or nothing); `data()` is what should be kept, at most `limit` of each, the newest ones. */
export function createRefreshMemory(stored: RefreshData | undefined, limit = 10_000): RefreshMemory & { data(): RefreshData; readonly changed: boolean } {
  const contents = new Map(Object.entries(stored?.contents ?? {}));
  const tried = new Map(Object.entries(stored?.tried ?? {}));
  let changed = false;
  const remember = <T>(map: Map<string, T>, key: string, value: T): void => {
    map.delete(key);
    map.set(key, value);
    changed = true;
  };
  return {
    content: (manifest) => contents.get(manifest),
    rememberContent: (manifest, content) => remember(contents, manifest, content),
    tried: (manifest) => tried.get(manifest),
    rememberTried: (manifest, value) => remember(tried, manifest, value),
    data: () => ({ contents: Object.fromEntries([...contents].slice(-limit)), tried: Object.fromEntries([...tried].slice(-limit)) }),
    get changed() {
      return changed;
    },
  };
}

/** Whether a cache file holds such data. */
export function isRefreshData(value: unknown): value is RefreshData {
  const { contents, tried } = (value ?? {}) as { readonly contents?: unknown; readonly tried?: unknown };
  const entriesOf = (part: unknown): readonly unknown[] | undefined => (typeof part === 'object' && part !== null ? Object.values(part) : undefined);
  const isTried = (part: unknown): boolean => Array.isArray((part as Partial<Tried> | null)?.marks) && typeof (part as Partial<Tried>).at === 'number';
  return entriesOf(contents)?.every((content) => typeof content === 'string' && isDigest(content)) === true && entriesOf(tried)?.every(isTried) === true;
}
