import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startAptRepository, type AptRepository, type SuiteOptions } from '../support/apt-repository.js';

/** The archive that tests release packages in is one that apt itself takes, in every form. */
const run = promisify(execFile);
let repository: AptRepository;
const folders: string[] = [];

beforeAll(async () => {
  repository = await startAptRepository();
}, 60_000);

afterAll(async () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  await repository.close();
});

/** apt with folders of its own; resolves to the version of `hello` that it would install. */
async function aptIn(source: string): Promise<() => Promise<string>> {
  const folder = mkdtempSync(join(tmpdir(), 'apt-repository-test-'));
  folders.push(folder);
  for (const part of ['etc/apt/sources.list.d', 'etc/apt/preferences.d', 'etc/apt/apt.conf.d', 'etc/apt/trusted.gpg.d', 'var/lib/apt/lists/partial', 'var/cache/apt/archives/partial', 'var/lib/dpkg']) mkdirSync(join(folder, part), { recursive: true });
  writeFileSync(join(folder, 'var/lib/dpkg/status'), '');
  writeFileSync(join(folder, 'key.gpg'), Buffer.from(repository.keyring, 'base64'));
  writeFileSync(join(folder, 'etc/apt/sources.list'), source.replace('KEY', join(folder, 'key.gpg')));
  const apt = async (program: string, ...args: readonly string[]): Promise<string> =>
    (await run(program, ['-o', `Dir=${folder}`, '-o', `Dir::State::status=${join(folder, 'var/lib/dpkg/status')}`, '-o', 'APT::Sandbox::User=root', ...args])).stdout;
  return async () => {
    await apt('apt-get', '-qq', '--error-on=any', 'update');
    return /Candidate: (\S+)/.exec(await apt('apt-cache', 'policy', 'hello'))?.[1] ?? 'none';
  };
}

describe('the archive that tests release packages in', () => {
  it.each<[string, string, SuiteOptions]>([
    ['an ordinary suite', 'plain', {}],
    ['by hash', 'by-hash', { byHash: true, packing: ['xz'] }],
    ['with a detached signature', 'detached', { signed: 'detached', packing: ['plain'] }],
    ['with an index for all architectures', 'all-apart', { allApart: true, packing: ['bz2'] }],
    ['a flat one', 'flat/', {}],
  ])('apt takes a release and a later one: %s', async (_, suite, how) => {
    const candidate = await aptIn(`deb [signed-by=KEY] ${repository.uri} ${suite}${suite.endsWith('/') ? '' : ' main'}\n`);
    await repository.addSuite(suite, [{ name: 'hello', version: '1.0' }, { name: 'other', version: '2:1', fields: { Depends: 'hello' } }], how);
    expect(await candidate()).toBe('1.0');
    await repository.release(suite, [{ name: 'hello', version: '1.1' }]);
    expect(await candidate()).toBe('1.1');
  });
});
