import type { Source } from '../definition/dockerfile.js';
import { checkSources as checkAllowed, sourceRules, sourcesOf } from '../graph/build-graph.js';
import { isCurrentTag, isFormerTag, tagOf, type Tags } from '../graph/tags.js';
import type { Config } from '../shared/config.js';
import { parseImageRef, repositoryOf } from '../shared/image-ref.js';
import { inTree } from './check-parents.js';
import type { Check, Draft, Subject } from './finding.js';

/** How a source stands in a Dockerfile: `FROM debian:12`. */
export function namedAs({ kind, ref }: Pick<Source, 'kind' | 'ref'>): string {
  switch (kind) {
    case 'from':
      return `FROM ${ref}`;
    case 'copy':
      return `COPY --from=${ref}`;
    case 'mount':
      return `RUN --mount from=${ref}`;
    case 'syntax':
      return `# syntax=${ref}`;
  }
}

/** literal-from, old-tag, unknown-tag, unpinned-source, source-not-allowed. */
export const checkSources: Check = (subject, { config, tags }) => {
  const { definition, image } = subject;
  if (image === undefined) return [];
  const { path } = image.dockerfile;
  const bases = new Set(config.baseImages.flatMap((written) => repositoryPart(written) ?? []));
  const drafts = image.dockerfile.sources.flatMap((source) => (isPinned(source, bases) || inTree(source.ref, tags) !== undefined ? [] : [{ rule: 'unpinned-source' as const, path, rendered: source.line, message: unpinned(source) }]));
  const ofTree = image.dockerfile.sources.flatMap((source) => inTreeFaults(subject, source, tags, config).map((fault): Draft => ({ path, rendered: source.line, ...fault })));
  const notAllowed = checkAllowed(definition, path, image.dockerfile, sourcesOf(definition, image.dockerfile, tags), sourceRules(config), (_, line) => line).flatMap(
    ({ rule, severity, line, message }): readonly Draft[] => (rule === undefined ? [] : [{ rule: 'source-not-allowed', level: severity, path, rendered: line!, message }]),
  );
  return [...drafts, ...ofTree, ...notAllowed];
};

function repositoryPart(text: string): string | undefined {
  const ref = parseImageRef(text);
  return ref === undefined ? undefined : repositoryOf(ref);
}

/** What is wrong with how an image of the tree is named; in layout toolforge no name is asked for, and one tag is always current. */
function inTreeFaults({ definition, image }: Subject, source: Source, tags: Tags, config: Config): readonly Pick<Draft, 'rule' | 'message'>[] {
  const ref = source.kind === 'syntax' ? undefined : parseImageRef(source.ref);
  const named = inTree(source.ref, tags);
  // What an image takes from itself is an earlier build of it.
  if (ref === undefined || named === undefined || named.image === definition.image) return [];
  const asked = image!.names.includes(named.name);
  const mend = `{{ "${named.name}" | image_tag }} keeps its tag current`;
  // Its own tree may be built alone, where names of others mean nothing.
  const isForeign = named.tree !== definition.tree;
  if (isCurrentTag(named, ref.tag ?? 'latest')) return asked || isForeign || config.layout.name === 'toolforge' ? [] : [{ rule: 'literal-from', message: `${namedAs(source)} names an image of this tree by hand: ${mend}` }];
  if (isFormerTag(named, ref.tag!)) return [{ rule: 'old-tag', message: `${namedAs(source)} is not what ${isForeign ? named.tree : 'this tree'} makes of ${named.name} (${tagOf(named)})${isForeign ? '' : `: ${mend}`}` }];
  return [{ rule: 'unknown-tag', message: `${namedAs(source)}: the changelog of ${named.name} has no version ${ref.tag} (its newest is ${tagOf(named)})` }];
}

/** Whether an outside image says which one it is; what base_images has without a tag is the config's decision. */
function isPinned({ kind, ref: text }: Source, bases: ReadonlySet<string>): boolean {
  const ref = parseImageRef(text);
  if (ref === undefined || ref.digest !== undefined) return true;
  if (kind === 'syntax') return false;
  return (ref.tag !== undefined && ref.tag !== 'latest') || bases.has(repositoryOf(ref));
}

function unpinned(source: Source): string {
  if (source.kind === 'syntax') return `${namedAs(source)} has no digest: what reads this Dockerfile may be another program any day`;
  return `${namedAs(source)} has no version and no digest: it may be another image any day`;
}
