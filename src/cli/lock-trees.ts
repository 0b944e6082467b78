import { join } from 'node:path';
import type { Lock } from '../adapters/lock.js';
import type { RunConfig } from '../shared/config.js';
import { digestOf } from '../shared/digest.js';
import { EXIT, Fault } from '../shared/errors.js';
import { stateDirectory, type Environment } from './environment.js';
import { takeLocks } from './take-locks.js';

/** Takes the locks of a run that writes files of trees, or says who has one. Building needs others: it only reads them. */
export async function lockTrees({ trees }: RunConfig, environment: Environment): Promise<Lock> {
  const [{ machineLockDirectory, tryLock }, { sourceRootOf }] = await Promise.all([import('../adapters/lock.js'), import('../adapters/files.js')]);
  const directory = machineLockDirectory(join(stateDirectory(environment), 'locks'));
  return takeLocks(
    new Map(trees.map(({ directory: folder, config }) => sourceRootOf(config.path, folder)).map((root) => [`files-${digestOf(root).slice('sha256:'.length, 'sha256:'.length + 16)}`, root])),
    (name) => tryLock(directory, name),
    (root, heldBy) => new Fault(EXIT.locked, `another run writes files of ${root}${heldBy === '' ? '' : `: ${heldBy}`}`, ['run it again; it takes seconds']),
    `pid ${environment.pid}`,
  );
}
