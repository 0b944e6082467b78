import { TAG_PATTERN } from '../shared/image-ref.js';
import { errorAt, type Problem } from '../shared/problem.js';
import { otherMovingTag, type Definition, type TagSource } from './definition.js';
import { joinPath } from './paths.js';

/** A build beside what is published: only tags that end in `suffix` are made, `20261120` or `20261120-210444` (UTC). */
export type Nightly = { readonly build: 'nightly' | 'snapshot'; readonly suffix: string };

/** The nightly or snapshot build of an instant: milliseconds since 1970. */
export function nightlyAt(build: Nightly['build'], milliseconds: number): Nightly {
  const [day, second] = new Date(milliseconds).toISOString().slice(0, 19).replaceAll(/[-:]/g, '').split('T');
  return { build, suffix: build === 'nightly' ? day! : `${day!}-${second!}` };
}

/** The definition with the tag of such a build: `VERSION-20261120`, or `nightly-20261120` of a rolling image. */
export function asNightly(definition: Definition, { build, suffix }: Nightly): Definition {
  const { tagSource } = definition;
  const version = tagSource.source === 'changelog' ? tagSource.version : undefined;
  const nightly: TagSource = { source: build, tag: `${version ?? build}-${suffix}`, version, moving: otherMovingTag(definition) };
  return { ...definition, tagSource: nightly };
}

/** Versions that cannot be followed by a suffix: too long for a tag then, or a version that the changelog has. */
export function nightlyFaults(definitions: readonly Definition[], nightly: Nightly): readonly Problem[] {
  return definitions.flatMap((definition): readonly Problem[] => {
    const { tagSource, directory } = definition;
    if (tagSource.source !== 'changelog') return [];
    const { tag } = asNightly(definition, nightly).tagSource as Extract<TagSource, { tag: string }>;
    const path = joinPath(directory, 'changelog');
    if (!TAG_PATTERN.test(tag)) return [errorAt(path, 1, `version "${tagSource.version}" is too long for a ${nightly.build} build: a tag has at most 128 characters`)];
    return tagSource.older.includes(tag) ? [errorAt(path, 1, `a ${nightly.build} build of ${tagSource.version} would be ${tag}, which is a version in this changelog`)] : [];
  });
}
