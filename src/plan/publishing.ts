import type { Nightly } from '../definition/nightly.js';
import type { Config } from '../shared/config.js';
import type { Publishing } from './step.js';

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
  if (config.publish === false) return { publish: false, to, why: `publish: false in ${config.path}` };
  if (config.credentials !== undefined) return yes;
  return { publish: false, to, why: `${NO_LOGIN}${config.path}; --publish publishes` };
}

/** The second line of a nightly or snapshot build's plan and run; nothing of any other's. */
export function formatNightly(nightly: Nightly | undefined): readonly string[] {
  return nightly === undefined ? [] : [`${nightly.build} build: tags end in -${nightly.suffix}; versions, dated tags and :latest stay as they are`];
}

/** The first line of every plan and run. */
export function formatPublishing(publishing: Publishing): string {
  if (!publishing.publish) return `not publishing: ${publishing.why}`;
  return `publishing to ${publishing.to}${publishing.as === undefined ? '' : ` as ${publishing.as}`}`;
}
