import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** This machine's apt on folders of its own, where nothing is installed. */
export type AptClient = {
  /** Reads its sources anew; false: apt complains. */
  update(): Promise<boolean>;
  /** The version of a package that it would install; `none`: there is none. */
  candidate(name: string): Promise<string>;
  close(): void;
};

/** `source`: lines of sources.list, in which KEY stands for the path of the key. */
export function startAptClient(source: string, key: Uint8Array): AptClient {
  const folder = mkdtempSync(join(tmpdir(), 'apt-client-'));
  for (const part of ['etc/apt/sources.list.d', 'etc/apt/preferences.d', 'etc/apt/apt.conf.d', 'etc/apt/trusted.gpg.d', 'var/lib/apt/lists/partial', 'var/cache/apt/archives/partial', 'var/lib/dpkg']) mkdirSync(join(folder, part), { recursive: true });
  writeFileSync(join(folder, 'var/lib/dpkg/status'), '');
  writeFileSync(join(folder, 'key.gpg'), key);
  writeFileSync(join(folder, 'etc/apt/sources.list'), source.replaceAll('KEY', join(folder, 'key.gpg')));
  const options = { Dir: folder, 'Dir::State::status': join(folder, 'var/lib/dpkg/status'), 'APT::Sandbox::User': 'root', 'Acquire::Retries': '0', 'Acquire::Check-Valid-Until': 'true', 'Acquire::Check-Date': 'true', 'Acquire::http::Timeout': '1' };
  const apt = async (program: string, ...args: readonly string[]): Promise<string> => (await run(program, [...Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]), ...args])).stdout;
  return {
    update: () =>
      apt('apt-get', '-qq', '--error-on=any', 'update').then(
        () => true,
        () => false,
      ),
    candidate: async (name) => /Candidate: (\S+)/.exec(await apt('apt-cache', 'policy', name))?.[1]?.replace('(none)', 'none') ?? 'none',
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}
