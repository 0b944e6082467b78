import { readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { ConfigDisk } from '../shared/parse-run-config.js';
import type { ConfigFile } from '../shared/parse-config.js';
import { UsageError } from '../shared/errors.js';
import type { Environment } from './environment.js';

/** The disk that configs are read from, their paths as a person would type them. */
export function configDisk({ cwd }: Environment): ConfigDisk {
  return {
    read(path) {
      try {
        return { text: readFileSync(resolve(cwd, path), 'utf8') };
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
        return { fault: code === 'ENOENT' || code === 'ENOTDIR' ? 'there is no such file' : `cannot be read (${code})` };
      }
    },
    isDirectory: (path) => statSync(resolve(cwd, path), { throwIfNoEntry: false })?.isDirectory() === true,
  };
}

/** The config that was named, and docker-pkg's file of this user, which lies below it where there is one. */
export function readConfigFiles(named: string, environment: Environment): { readonly file: ConfigFile; readonly under: readonly ConfigFile[] } {
  const disk = configDisk(environment);
  const found = disk.read(named);
  if ('fault' in found) throw new UsageError(`${named}: ${found.fault}`, ['name the config with -c FILE']);
  const file = { path: named, text: found.text };
  const path = join(environment.env['XDG_CONFIG_HOME'] || join(environment.home, '.config'), 'docker-pkg.yaml');
  // Below another user's home, as under sudo, there is none for us: docker-pkg's rule, too.
  if (resolve(environment.cwd, named) === resolve(environment.cwd, path) || !isFile(resolve(environment.cwd, path))) return { file, under: [] };
  const users = disk.read(path);
  if ('fault' in users) throw new UsageError(`${path}: ${users.fault}`, ['it lies below every config of this user']);
  return { file, under: [{ path, text: users.text }] };
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
