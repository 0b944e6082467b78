import { accessSync, chmodSync, constants, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** Why a file of metrics could not be written: one clause; undefined: its folder can be written to. */
export function metricsFault(path: string): string | undefined {
  try {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return 'it is a directory';
    accessSync(dirname(path), constants.W_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? `there is no directory ${dirname(path)}` : code === 'EACCES' || code === 'EPERM' ? `${dirname(path)} may not be written to` : (code ?? String(error));
  }
}

/** Replaces the file whole, readable for all: whoever reads it finds the old one or the new one (node_exporter, "Textfile Collector"). */
export function writeMetrics(path: string, text: string): void {
  // Its name does not end with .prom, so that no collector takes it.
  const beside = join(dirname(path), `.${basename(path)}.build-images-new`);
  try {
    writeFileSync(beside, text);
    // Whatever the umask is: collectors are users of their own.
    chmodSync(beside, 0o644);
    renameSync(beside, path);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
}
