/** One file or folder of a build context, links already replaced by what they name. Paths use `/`, relative to the context's root, in no promised order. */
export type ContextEntry =
  | { readonly type: 'directory'; readonly path: string }
  | {
      readonly type: 'file';
      readonly path: string;
      /** Modes are git's. */
      readonly mode: 0o644 | 0o755;
      /** Bytes. */
      readonly size: number;
      /** The content, a piece at a time, each good until the next is asked for; may be called more than once. Throws when the file is no longer as long as `size`. */
      read(): AsyncIterable<Uint8Array>;
    };
