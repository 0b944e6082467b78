import { stackOf, type Definition } from '../definition/definition.js';
import type { Digest } from '../shared/digest.js';
import { formatParents, LABEL, type ParentDigests } from '../state/labels.js';
import type { FolderRevision } from './ports.js';
import { stackLabels } from './stack-labels.js';

/** What an image's labels are made from. */
export type LabelFacts = {
  readonly definition: Definition;
  readonly digest: Digest;
  readonly parents: ParentDigests;
  readonly folder: FolderRevision;
  /** RFC 3339. */
  readonly created: string;
  /** The image that the final stage is FROM. */
  readonly base: { readonly ref: string; readonly digest: string; readonly labels: Readonly<Record<string, string>> } | undefined;
  /** The version, of a versioned image. */
  readonly version: string | undefined;
  readonly packages: Digest | undefined;
  /** What the config asks for. */
  readonly platform: string | undefined;
  /** Marks of the upgrades that it is built for. */
  readonly tried?: readonly string[];
};

/**
 * The labels of one image. Those of ours that its base has and it has not are emptied: an engine hands a base's labels down,
 * and a child must not carry its parent's version.
 */
export function imageLabels(facts: LabelFacts): Readonly<Record<string, string>> {
  const { definition, base } = facts;
  const maintainer = definition.control?.maintainer;
  const stack = stackOf(definition);
  const own: Record<string, string | undefined> = {
    [LABEL.definition]: facts.digest,
    [LABEL.parents]: formatParents(facts.parents),
    [LABEL.packages]: facts.packages,
    [LABEL.platform]: facts.platform,
    [LABEL.tried]: facts.tried?.join(' '),
    [LABEL.title]: definition.name,
    [LABEL.version]: facts.version,
    [LABEL.created]: facts.created,
    [LABEL.revision]: facts.folder.revision,
    [LABEL.source]: facts.folder.source,
    [LABEL.description]: definition.control?.description,
    [LABEL.vendor]: maintainer?.replace(/\s*<[^>]*>\s*$/, ''),
    [LABEL.baseName]: base?.ref,
    // A base that was never pushed has no digest that anyone else could look up.
    [LABEL.baseDigest]: base?.digest.startsWith('id:') === false ? base.digest : undefined,
    ...(stack === undefined ? {} : stackLabels(stack, definition.control, facts.created)),
  };
  const labels: Record<string, string> = {};
  for (const [key, value] of Object.entries(own)) {
    if (value !== undefined && value !== '') labels[key] = value;
    else if (base?.labels[key]) labels[key] = '';
  }
  return labels;
}
