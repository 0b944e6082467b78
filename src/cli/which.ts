import { formatWhich, whichToJson } from '../report/format-which.js';
import { EXIT, UsageError } from '../shared/errors.js';
import { findPackages, parsePackagePattern } from '../state/find-packages.js';
import { connect } from './outside.js';
import { readTreeAndState, selection } from './planning.js';
import { readConfig } from './tree.js';
import type { Verb } from './verb.js';

/** Says which published images contain a package, and which of the images they stand on brought it. */
export const which: Verb = async (options, environment) => {
  const [asked] = options.images;
  const pattern = parsePackagePattern(asked!);
  if (pattern === undefined) throw new UsageError(`which takes PACKAGE or PACKAGE=VERSION (libssl3, 'lib*', src:openssl=3.0.17-1), not "${asked!}"`);
  const config = await readConfig(options, environment);
  const connections = await connect(config, environment);
  try {
    const { tree, reading } = await readTreeAndState(config, connections, options, environment);
    const select = selection(tree, options);
    const state = await reading;
    const found = await findPackages(tree.graph, state, select, pattern, { packages: await connections.packageReader(), published: connections.registry }, environment.signal);
    if (options.json) environment.out(JSON.stringify(whichToJson(found), null, 2));
    else for (const line of formatWhich(asked!, found, (select ?? tree.graph.nodes).size - found.length)) environment.out(line);
    if (found.some(({ packages }) => packages.length > 0)) return EXIT.ok;
    // As grep has it: nothing found is 1, and what could not be looked into is something else.
    return found.some(({ unknown }) => unknown !== undefined) ? EXIT.registry : EXIT.failed;
  } finally {
    await connections.close();
  }
};
