import { createHash } from 'node:crypto';
import { digestOf, type Digest } from '../shared/digest.js';
import type { Definition } from './definition.js';
import { isWithin } from './paths.js';
import type { RootFs } from './rootfs.js';
import type { SourceEntry } from './source-files.js';

/** Raised when the same definition would come out as another image by a change of ours: then every digest changes. */
const RECIPE_REVISION = { production: 1, base: 1, stack: 1 } as const;

/** Files that describe an image without being in it, so that a changelog entry or a new test is no new definition. The template counts as what it renders. */
const LEFT_OUT: ReadonlySet<string> = new Set(['control', 'changelog', 'test.sh', 'Dockerfile.template', 'stack.yaml']);

/**
 * One digest over the definition alone: the neutrally rendered Dockerfile, each file of the context (path, mode, bytes), the
 * recipe. Definitions nested in its folder are not part of it.
 * @param neutral digest of the Dockerfile rendered with every tag of the tree as `0`, without the registry's host and without proxies
 * @param context the build context after .dockerignore
 */
export function definitionDigest(definition: Definition, neutral: Digest | undefined, context: readonly SourceEntry[]): Digest {
  const { recipe, nested } = definition;
  if (recipe.kind === 'base') return digestOf(JSON.stringify([`base ${RECIPE_REVISION.base}`, canonical(inImage(recipe.rootfs))]));
  const hash = createHash('sha256');
  const add = (text: string): void => void hash.update(`${Buffer.byteLength(text)}:${text}\n`);
  add(`${recipe.kind} ${RECIPE_REVISION[recipe.kind]}`);
  add(neutral ?? '');
  if (recipe.kind === 'stack') add(JSON.stringify(canonical(recipe.stack)));
  // Files of a context that is no definition's own folder describe nothing, wherever they lie.
  const parts = definition.context !== undefined ? context : context.filter(({ path }) => !LEFT_OUT.has(path) && !nested.some((folder) => isWithin(path, folder)));
  for (const entry of [...parts].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))) {
    if (entry.type === 'directory') continue;
    add(entry.path);
    add(entry.mode === 0o755 ? '755' : '644');
    add(entry.digest());
  }
  return `sha256:${hash.digest('hex')}`;
}

/** What of a rootfs.yaml makes the image. Keys that came later are left out while they say nothing, so that digests of definitions without them stay. */
function inImage({ tool, apt, httpProxy: _, ...rootfs }: RootFs): object {
  return {
    ...rootfs,
    ...(tool === 'mmdebstrap' ? {} : { tool }),
    ...Object.fromEntries(Object.entries(apt).filter(([, settings]) => settings.length > 0)),
  };
}

/** The same value with the keys of every mapping in order. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, canonical(inner)]),
  );
}
