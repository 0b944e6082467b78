import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT, Fault, NoSpaceError } from '../shared/errors.js';

const ANOTHER_PLACE = 'TMPDIR=/path   names another place';

/** What names of scratch folders begin with; the run's token follows. */
const PREFIX = 'build-images-';

/** A new empty folder for temporary files of the run that a token names. */
export function scratchFolder(parent: string, token: string): { readonly path: string; release(): Promise<void> } {
  const path = made(parent, token);
  return { path, release: async () => rmSync(path, { recursive: true, force: true }) };
}

function made(parent: string, token: string): string {
  try {
    return mkdtempSync(join(parent, `${PREFIX}${token}-`));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw code === 'ENOSPC' ? scratchFull(parent) : new Fault(EXIT.failed, `no temporary folder can be made in ${parent} (${code ?? 'unknown'})`, [ANOTHER_PLACE]);
  }
}

/** There is no room for temporary files. */
export function scratchFull(path: string): NoSpaceError {
  return new NoSpaceError(`no space left for temporary files in ${path}`, [ANOTHER_PLACE]);
}

/**
 * Removes the scratch folders of runs that are no more. One with something mounted in it is left alone: a killed run may have
 * left this machine's own /dev or /proc there.
 * @param isLeftover told of the name behind the prefix
 */
export function removeScratchFolders(parent: string, isLeftover: (name: string) => boolean): void {
  for (const name of namesIn(parent)) {
    if (!name.startsWith(PREFIX) || !isLeftover(name.slice(PREFIX.length))) continue;
    const path = join(parent, name);
    if (!hasMounts(path)) rmSync(path, { recursive: true, force: true });
  }
}

function namesIn(parent: string): readonly string[] {
  try {
    return readdirSync(parent);
  } catch {
    return [];
  }
}

function hasMounts(path: string): boolean {
  try {
    // proc(5), /proc/pid/mounts: the second field is the mount point, blanks in it written as \040.
    return readFileSync('/proc/self/mounts', 'utf8').split('\n').some((line) => `${line.split(' ')[1] ?? ''}/`.startsWith(`${path}/`));
  } catch {
    return true;
  }
}
