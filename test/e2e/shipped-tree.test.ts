import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { removeImages } from '../support/engine-fixture.js';
import { startRegistry, type RegistryFixture } from '../support/registry-fixture.js';
import { PROGRAM } from '../support/scenario.js';
import { PROJECT } from '../support/source-tree.js';

type Listed = { readonly image: string; readonly ref: string; readonly kind: string };

/** The tree in images/ with the project's own config, but for the registry: built from Debian's archive, every image tested by its test.sh. */
describe('the tree that the project ships', () => {
  let registry: RegistryFixture;
  let folder: string;
  // Never waiting in a synchronous call: the registry's log is read by this process, and it stops when nobody does.
  const command = (program: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env) =>
    new Promise<{ status: number | string | null | undefined; stdout: string; stderr: string }>((resolve) => {
      execFile(program, args, { cwd: folder, env, maxBuffer: 1 << 26 }, (error, stdout, stderr) => resolve({ status: error === null ? 0 : error.code, stdout, stderr }));
    });
  const run = (...args: string[]) => command(process.execPath, [PROGRAM, ...args], { PATH: process.env['PATH'], HOME: folder, XDG_STATE_HOME: join(folder, 'state'), XDG_CACHE_HOME: join(folder, 'cache') });
  const skopeo = async (ref: string) => JSON.parse((await command('skopeo', ['inspect', '--tls-verify=false', `docker://${ref}`])).stdout) as { Digest: string; Labels: Record<string, string>; RepoTags: string[] };

  beforeAll(async () => {
    registry = await startRegistry();
    folder = mkdtempSync(join(tmpdir(), 'shipped-tree-'));
    cpSync(join(PROJECT, 'images'), join(folder, 'images'), { recursive: true });
    const config = readFileSync(join(PROJECT, 'config.yaml'), 'utf8');
    const registryLine = /^registry: \S+$/m;
    expect(config).toMatch(registryLine);
    writeFileSync(join(folder, 'config.yaml'), config.replace(registryLine, `registry: ${registry.host}`));
    mkdirSync(join(folder, 'state'));
  });
  afterAll(async () => {
    await removeImages(`${registry.host}/`);
    await registry.stop();
    rmSync(folder, { recursive: true, force: true });
  }, 120_000);

  it('is built, tested and published whole, and a second run does nothing', async () => {
    const images = JSON.parse((await run('list', '--json')).stdout) as Listed[];
    expect(images.filter(({ kind }) => kind === 'base').map(({ image }) => image).sort()).toEqual(['images/bookworm', 'images/trixie']);
    expect(images.filter(({ kind }) => kind === 'production').length).toBeGreaterThanOrEqual(6);

    const first = await run();
    expect({ status: first.status, stderr: first.stderr }).toEqual({ status: 0, stderr: '' });
    for (const { image } of images) expect(first.stdout).toMatch(new RegExp(`${image.slice('images/'.length)} +tested`));
    expect(first.stdout).toContain(`${images.length} published in`);
    for (const { ref } of images) {
      const [repository, tag] = [ref.slice(0, ref.lastIndexOf(':')), ref.slice(ref.lastIndexOf(':') + 1)];
      const { Digest: latest, RepoTags } = await skopeo(`${repository}:latest`);
      // A rolling image's other tag is its day.
      const other = tag === 'latest' ? RepoTags.find((name) => /^\d{8}/.test(name)) : tag;
      expect((await skopeo(`${repository}:${other}`)).Digest).toBe(latest);
    }

    const second = await run();
    expect(second.status).toBe(0);
    expect(second.stdout).toContain(`Nothing to do: ${images.length} up to date.`);
  }, 1_200_000);

  it('has a Python that runs, and labels that say where it comes from', async () => {
    const ref = `${registry.host}/images/python3-trixie:latest`;
    expect((await command('docker', ['run', '--rm', '--network', 'none', ref, 'python3', '--version'])).stdout.trim()).toMatch(/^Python 3\.13\.\d+$/);
    const { Labels } = await skopeo(ref);
    expect(Labels['org.opencontainers.image.title']).toBe('python3-trixie');
    expect(Labels['org.opencontainers.image.version']).toMatch(/^3\.13\.\d+-\d+$/);
    expect(Labels['org.opencontainers.image.base.name']).toBe(`${registry.host}/images/trixie:latest`);
    expect(Labels['org.opencontainers.image.base.digest']).toBe((await skopeo(`${registry.host}/images/trixie:latest`)).Digest);
  }, 120_000);

  it('gives the same base image again while archive, epoch and recipe are the same', async () => {
    const { Digest: before } = await skopeo(`${registry.host}/images/trixie:latest`);
    const rebuilt = await run('--rebuild', '--select', '*/trixie:*');
    expect({ status: rebuilt.status, stderr: rebuilt.stderr }).toEqual({ status: 0, stderr: '' });
    expect(rebuilt.stdout).toMatch(/trixie +published \d{8}-2 /);
    expect((await skopeo(`${registry.host}/images/trixie:latest`)).Digest).toBe(before);
  }, 600_000);
});
