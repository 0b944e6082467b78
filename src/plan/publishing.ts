import type { Nightly } from '../definition/nightly.js';
import { fileOf, type Config } from '../shared/config.js';
import type { Publishing, RunPublishing } from './step.js';

/** What an unset `publish:` without a login in the config is explained with. */
export const NO_LOGIN = 'neither "publish: true" nor username and password in ';

/**
 * Publishing is a decision: `--no-publish` wins, then `--publish`, then `publish:` in the config, then docker-pkg's rule that
 * who has username and password in the config publishes.
 * @param wanted what the command line says
 * @param login the user name that the registry will see; undefined: no credentials were found
 */
export function decidePublishing(config: Config, wanted: boolean | undefined, login: string | undefined): Publishing {
  const to = config.namespace === undefined ? config.registry : `${config.registry}/${config.namespace}`;
  const yes: Publishing = { publish: true, to, as: login };
  if (wanted === true) return yes;
  if (wanted === false) return { publish: false, to, why: '--no-publish' };
  if (config.publish === true) return yes;
  if (config.publish === false) return { publish: false, to, why: `publish: false in ${fileOf(config, 'publish')}` };
  if (config.credentials !== undefined) return yes;
  return { publish: false, to, why: `${NO_LOGIN}${config.path}; --publish publishes` };
}

/** The second line of a nightly or snapshot build's plan and run; nothing of any other's. */
export function formatNightly(nightly: Nightly | undefined): readonly string[] {
  return nightly === undefined ? [] : [`${nightly.build} build: tags end in -${nightly.suffix}; versions, dated tags and :latest stay as they are`];
}

/** Whether the images of a tree go to its registry. */
export function isPublished(publishing: RunPublishing, tree: string): boolean {
  return publishingsOf(publishing).some((one) => one.publish && (one.tree ?? tree) === tree);
}

/** Each tree's; a tree alone is not named. */
export function publishingsOf(publishing: RunPublishing): readonly (Publishing & { readonly tree?: string })[] {
  return 'publish' in publishing ? [publishing] : publishing;
}

/** The first lines of every plan and run: one for each registry and namespace. */
export function formatPublishing(publishing: RunPublishing): readonly string[] {
  const trees = publishingsOf(publishing);
  const lines = trees.map((one) => {
    if (one.publish) return `publishing to ${one.to}${one.as === undefined ? '' : ` as ${one.as}`}`;
    return `not publishing${trees.length === 1 ? '' : ` to ${one.to}`}: ${one.why}`;
  });
  return [...new Set(lines)];
}
