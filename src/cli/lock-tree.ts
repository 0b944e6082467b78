import { join } from 'node:path';
import type { Lock } from '../adapters/lock.js';
import { digestOf } from '../shared/digest.js';
import { EXIT, Fault } from '../shared/errors.js';
import { stateDirectory, type Environment } from './environment.js';
import type { Options } from './verb.js';

/** Takes the lock of a run that writes files of a tree, or says who has it. Building needs another: it only reads them. */
export async function lockTree(options: Options, environment: Environment): Promise<Lock> {
  const [{ machineLockDirectory, tryLock }, { sourceRootOf }] = await Promise.all([import('../adapters/lock.js'), import('../adapters/files.js')]);
  const root = sourceRootOf(options.config, options.directory);
  const lock = tryLock(machineLockDirectory(join(stateDirectory(environment), 'locks')), `files-${digestOf(root).slice('sha256:'.length, 'sha256:'.length + 16)}`);
  if ('heldBy' in lock) throw new Fault(EXIT.locked, `another run writes files of ${root}${lock.heldBy === '' ? '' : `: ${lock.heldBy}`}`, ['run it again; it takes seconds']);
  lock.say(`pid ${environment.pid}`);
  return lock;
}
