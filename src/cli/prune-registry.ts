import type { PlannedRepository } from '../execute/delete-digest.js';
import { isSetOnce, planRegistryPrune } from '../plan/prune-registry.js';
import type { AgeRules, PruneStep } from '../plan/prune.js';
import type { RunConfig } from '../shared/config.js';
import { RegistryError, UsageError } from '../shared/errors.js';
import { parseImageRef, repositoryOf, type ImageName, type ImageRef } from '../shared/image-ref.js';
import { readState } from '../state/read-state.js';
import { readRepository, runImageOf } from '../state/repository-contents.js';
import { stateDirectory, type Environment } from './environment.js';
import type { Connections } from './outside.js';
import { outsideOf } from './planning.js';
import { namespaceOf } from './route.js';
import type { Tree } from './tree.js';
import type { Options } from './verb.js';

/** What is to be deleted, and what the plan saw of each repository. */
export type ReadForPruning = { readonly steps: readonly PruneStep[]; readonly repositories: ReadonlyMap<ImageName, PlannedRepository> };

/** Reads all that decides about pruning a registry, and plans it. */
export async function readForPruning(tree: Tree, select: ReadonlySet<ImageName> | undefined, rules: AgeRules, connections: Connections, environment: Environment): Promise<ReadForPruning> {
  const { graph, config } = tree;
  const { signal } = environment;
  const { lastPromotions } = await import('../adapters/journals.js');
  const { images } = await readState([...graph.nodes.values()], outsideOf(connections), signal);
  const mine = [...graph.nodes].filter(([image]) => select?.has(image) !== false);
  const repositories = new Map(await Promise.all(mine.map(async ([image, node]) => [image, await readRepository(node.ref, connections.registry, signal)] as const)));
  const apps = await readApps(config, new Set([...graph.nodes.values()].map(({ ref }) => repositoryOf(ref))), connections, signal);
  const rollback = lastPromotions(stateDirectory(environment));
  const steps = planRegistryPrune(graph, { repositories, images, apps, rollback }, rules);
  const planned = mine.map(([image, { ref, definition }]) => [image, { ref, tags: repositories.get(image)!.tags, moves: (tag: string) => !isSetOnce(definition, tag) }] as const);
  return { steps, repositories: new Map(planned) };
}

/** The run images of all apps below the trees' names, beside the trees' own images; undefined when a registry does not tell which there are. */
async function readApps({ trees }: RunConfig, own: ReadonlySet<string>, { registry }: Connections, signal: AbortSignal): Promise<ReadonlyMap<string, string> | undefined> {
  const apps = new Map<string, string>();
  for (const place of new Set(trees.map(({ config }) => namespaceOf(config)))) {
    const host = place.split('/')[0]!;
    const repositories = await registry.repositoriesOf(host, signal);
    if (repositories === undefined) return undefined;
    const refs = repositories.flatMap((repository): readonly ImageRef[] => {
      const ref = parseImageRef(`${host}/${repository}`);
      return ref !== undefined && repositoryOf(ref).startsWith(`${place}/`) && !own.has(repositoryOf(ref)) ? [ref] : [];
    });
    try {
      await Promise.all(
        refs.map(async (ref) => {
          const { contents } = await readRepository(ref, registry, signal);
          for (const config of [...contents.values()].flatMap(({ configs }) => configs)) {
            const digest = runImageOf(config);
            if (digest !== undefined) apps.set(digest, ref.repository);
          }
        }),
      );
    } catch (error) {
      // One that may not be read may be an app.
      if (error instanceof RegistryError && (error.status === 401 || error.status === 403)) return undefined;
      throw error;
    }
  }
  return apps;
}

/** Whether whoever sits at the terminal says yes; where nobody does, only `--yes` is one. */
export async function mayDelete({ json }: Options, { ask, out }: Environment): Promise<boolean> {
  if (ask === undefined || json) throw new UsageError('what is to be deleted is shown above; where nobody can be asked, --yes deletes it', ['build-images prune --registry … --yes']);
  const answer = await ask('Delete it? [y/N] ');
  const yes = /^y(es)?$/i.test(answer.trim());
  if (!yes) out('Nothing was deleted.');
  return yes;
}
