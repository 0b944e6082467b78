/** A file that a template names; the caller confines it to the tree. */
export type ImportedFile = { readonly path: string; readonly text: string } | 'outside';

/** What a template sees of the config and of the tree. */
export type TemplateSettings = {
  /** Every config key but credentials. */
  readonly variables: Readonly<Record<string, unknown>>;
  /** Whether a tag of its own line leaves no blanks and no line behind: Jinja2's `trim_blocks` and `lstrip_blocks`. */
  readonly trimBlocks: boolean;
  readonly aptOptions: string;
  readonly aptProxy: string | undefined;
  readonly knownUidMappings: Readonly<Record<string, number>> | undefined;
  /** The full reference of a name of the tree or of base_images; undefined when neither knows it. */
  imageTag(name: string): string | undefined;
  /** The names that `imageTag` knows, for "did you mean". */
  knownNames(): Iterable<string>;
  /** A file by the name a template gives it; undefined when there is none. The same name is asked for once per render. */
  readImport(name: string): ImportedFile | undefined;
};
