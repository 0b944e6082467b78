import type { Dependency } from '../definition/control.js';
import type { Definition } from '../definition/definition.js';
import { joinPath } from '../definition/paths.js';
import { parentImageOf } from '../graph/build-graph.js';
import type { Tags } from '../graph/tags.js';
import { parseImageRef, repositoryOf } from '../shared/image-ref.js';
import { nearHint, nearNames } from '../shared/near-names.js';
import type { Check, Subject } from './finding.js';
import { switchedOff } from './switched-off.js';

/** Where control and Dockerfile disagree on what an image stands on. */
export type Disagreement = {
  /** Images of its own tree, used and not named: the name, what it is used for, and the line of the Dockerfile that shows it, if one does. */
  readonly undeclared: readonly { readonly name: string; readonly field: Dependency['field']; readonly rendered: number | undefined }[];
  /** Named and not used. */
  readonly stale: readonly Dependency[];
  /** Named, and known to nobody. */
  readonly unknown: readonly Dependency[];
};

/** Compares the images that a definition uses with those that its control names. */
export function disagreementOf({ definition, image }: Subject, tags: Tags): Disagreement {
  const dependencies = definition.control?.dependencies ?? [];
  const unknown = dependencies.filter(({ name }) => tags.refOf(name) === undefined);
  // Without a Dockerfile, control alone says what must be there first.
  if (image === undefined) return { undeclared: [], stale: [], unknown };
  const used = usesOf(definition, image, tags);
  const declared = new Set(dependencies.map(({ name }) => name));
  const undeclared = [...used].filter(([name]) => !declared.has(name)).map(([name, use]) => ({ name, ...use }));
  // Under an old tag it is an outside image, and used all the same; of another tree it need not be named, and may be.
  const mentioned = new Set([...image.names.flatMap((name) => tags.byName(name)?.image ?? []), ...image.dockerfile.sources.flatMap(({ ref }) => inTree(ref, tags)?.image ?? [])]);
  const stale = dependencies.filter(({ name }) => {
    const named = tags.byName(name);
    return name === definition.name || (named !== undefined && !mentioned.has(named.image));
  });
  return { undeclared, stale, unknown };
}

/** Slips for a name that is missing, and what is meant; any other unknown name may be an image of another tree. */
export function slipsOf({ undeclared, unknown }: Pick<Disagreement, 'undeclared' | 'unknown'>): ReadonlyMap<string, string> {
  const slips = new Map<string, string>();
  for (const { name } of unknown) {
    const [meant, ...others] = nearNames(name, undeclared.map((one) => one.name));
    if (meant !== undefined && others.length === 0 && ![...slips.values()].includes(meant)) slips.set(name, meant);
  }
  return slips;
}

/** The image of the tree whose repository a reference names, whatever its tag. */
export function inTree(text: string, tags: Tags): Definition | undefined {
  const ref = parseImageRef(text);
  return ref === undefined ? undefined : tags.byRepository(repositoryOf(ref));
}

type Use = { readonly field: Dependency['field']; readonly rendered: number | undefined };

/** Each image of its own tree that is used (the tree may be built alone, where another's names mean nothing), by its name: what is left in the final stage is a dependency, the rest one of building. */
function usesOf(definition: Definition, image: NonNullable<Subject['image']>, tags: Tags): ReadonlyMap<string, Use> {
  const uses = new Map<string, Use>();
  for (const { kind, ref, line } of image.dockerfile.sources) {
    const parent = kind === 'syntax' ? undefined : parentImageOf(definition, ref, tags);
    if (parent === undefined || parent.tree !== definition.tree) continue;
    const { name } = parent;
    const field = ref === image.dockerfile.base ? 'Depends' : (uses.get(name)?.field ?? 'Build-Depends');
    uses.set(name, { field, rendered: uses.get(name)?.rendered ?? line });
  }
  for (const name of image.names) {
    if (tags.byName(name)?.tree === definition.tree && name !== definition.name && !uses.has(name)) uses.set(name, { field: 'Build-Depends', rendered: undefined });
  }
  return uses;
}

/** undeclared-parent, stale-parent, unknown-parent. In layout toolforge there is no control. */
export const checkParents: Check = (subject, { config, tags }) => {
  const { definition } = subject;
  if (config.layout.name === 'toolforge') return [];
  const { undeclared, stale, unknown } = disagreementOf(subject, tags);
  const control = definition.control?.path;
  // Without a control there is nothing to mend; and a slip is mended where what it is for is missed.
  const mends = control === undefined ? {} : { mends: true as const };
  const slips = switchedOff(definition, config).has('undeclared-parent') ? new Map<string, string>() : slipsOf({ undeclared, unknown });
  const template = subject.image?.dockerfile.path ?? definition.directory;
  return [
    ...undeclared.map(({ name, field, rendered }) => ({
      rule: 'undeclared-parent' as const,
      path: template,
      ...(rendered === undefined ? {} : { rendered }),
      message: `uses ${name}, which ${control ?? joinPath(definition.directory, 'control')} does not name (${field})`,
      ...mends,
    })),
    ...stale.map(({ name, field, line }) => ({
      rule: 'stale-parent' as const,
      path: control!,
      line,
      message: name === definition.name ? `${field} names the image itself` : `${field} names ${name}, which the Dockerfile does not use`,
      ...mends,
    })),
    ...unknown.map(({ name, field, line }) => ({ rule: 'unknown-parent' as const, path: control!, line, message: `${field} names "${name}", which no tree defines${nearHint(name, tags.names)}`, ...(slips.has(name) && mends) })),
  ];
};
