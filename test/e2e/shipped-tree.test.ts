import { execFile } from 'node:child_process';
import { accessSync, constants, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { removeImages, SHARED_SOCKET } from '../support/engine-fixture.js';
import { startRegistry, type RegistryFixture } from '../support/registry-fixture.js';
import { PROGRAM } from '../support/scenario.js';
import { PROJECT } from '../support/source-tree.js';

type Listed = { readonly image: string; readonly ref: string; readonly kind: string; readonly path: string; readonly parents: readonly string[] };

/** The tree, name by name; what stands on what is a test's business further down. */
const BOOKWORM = ['gcc-bookworm', 'openjdk-17-jre', 'php8.2-cli', 'php8.2-web', 'python3-bookworm', 'python3-web-bookworm', 'redis'];
const TRIXIE = ['build-essential', 'golang1.24', 'httpd', 'mariadb-client', 'nginx', 'nodejs20', 'openjdk-21-jre', 'perl5.40', 'php8.4-cli', 'php8.4-web', 'python3-build', 'python3-tool', 'python3-trixie', 'python3-web', 'registry', 'ruby3.3', 'rust1.85', 'toolbox'];
const STACK = ['toolforge-trixie1-build', 'toolforge-trixie1-run'];

/** The tree in images/ with the project's own config, but for the registry: built from Debian's archive, every image tested by its test.sh. */
describe('the tree that the project ships', () => {
  let registry: RegistryFixture;
  let folder: string;
  // Never waiting in a synchronous call: the registry's log is read by this process, and it stops when nobody does.
  const command = (program: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env) =>
    new Promise<{ status: number | string | null | undefined; stdout: string; stderr: string }>((resolve) => {
      execFile(program, args, { cwd: folder, env, maxBuffer: 1 << 26 }, (error, stdout, stderr) => resolve({ status: error === null ? 0 : error.code, stdout, stderr }));
    });
  const run = (...args: string[]) => command(process.execPath, [PROGRAM, ...args], { PATH: process.env['PATH'], HOME: folder, DOCKER_HOST: `unix://${SHARED_SOCKET}`, XDG_STATE_HOME: join(folder, 'state'), XDG_CACHE_HOME: join(folder, 'cache') });
  const inspect = async (...args: string[]): Promise<unknown> => JSON.parse((await command('skopeo', ['inspect', '--tls-verify=false', ...args])).stdout);
  const skopeo = async (ref: string) => (await inspect(`docker://${ref}`)) as { Digest: string; Labels: Record<string, string>; RepoTags: string[] };
  const listed = async (...args: string[]) => JSON.parse((await run('list', '--json', ...args)).stdout) as Listed[];
  const nameOf = ({ image }: Listed) => image.slice('images/'.length);

  beforeAll(async () => {
    registry = await startRegistry();
    folder = mkdtempSync(join(tmpdir(), 'shipped-tree-'));
    cpSync(join(PROJECT, 'images'), join(folder, 'images'), { recursive: true, verbatimSymlinks: true });
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

  it('has every name in one list, each image with a test', async () => {
    const images = await listed();
    const named = (wanted: string) => images.filter(({ kind }) => kind === wanted).map(nameOf).sort();
    expect(named('base')).toEqual(['bookworm', 'trixie']);
    expect(named('production')).toEqual([...BOOKWORM, ...TRIXIE].sort());
    expect(named('stack')).toEqual(STACK);
    for (const { path } of images) expect(() => accessSync(join(folder, 'images', path, 'test.sh'), constants.X_OK)).not.toThrow();
  }, 60_000);

  it('stands on two Debians, production images up to three deep', async () => {
    const chains = new Map<string, string>();
    // Of several parents the one with the longest chain.
    const chainOf = (ref: string, images: readonly Listed[]): string => {
      const image = images.find((one) => one.ref === ref)!;
      const longest = image.parents.map((parent) => chainOf(parent, images)).sort((a, b) => b.split(' ← ').length - a.split(' ← ').length)[0];
      return longest === undefined ? nameOf(image) : `${longest} ← ${nameOf(image)}`;
    };
    const images = await listed();
    for (const image of images) chains.set(nameOf(image), chainOf(image.ref, images));
    for (const name of BOOKWORM) expect(chains.get(name)).toMatch(/^bookworm ← /);
    for (const name of [...TRIXIE, ...STACK]) expect(chains.get(name)).toMatch(/^trixie ← /);
    for (const chain of ['trixie ← httpd', 'bookworm ← php8.2-cli ← php8.2-web', 'trixie ← build-essential ← rust1.85', 'trixie ← python3-trixie ← python3-build ← python3-tool']) expect(chains.get(chain.split(' ← ').at(-1)!)).toBe(chain);
    expect(Math.max(...[...chains.values()].map((chain) => chain.split(' ← ').length))).toBe(4);
  }, 60_000);

  it('has a part that quickstart builds: a dozen images at most, of every kind, versioned, rolling, and of two stages', async () => {
    const script = '../../scripts/quickstart-selection.mjs';
    const { QUICKSTART_SELECTION } = (await import(script)) as { readonly QUICKSTART_SELECTION: readonly string[] };
    const selection = await listed(...QUICKSTART_SELECTION.flatMap((glob) => ['--select', glob]));
    expect(selection.length).toBeLessThanOrEqual(12);
    expect(new Set(selection.map(({ kind }) => kind))).toEqual(new Set((await listed()).map(({ kind }) => kind)));
    expect(selection.filter(({ kind, ref }) => kind === 'production' && ref.endsWith(':latest'))).not.toEqual([]);
    expect(selection.map(nameOf)).toEqual(expect.arrayContaining(['python3-tool', 'registry']));
  }, 60_000);

  it('is built, tested and published whole, and a second run does nothing', async () => {
    const images = await listed();
    const first = await run();
    expect({ status: first.status, stderr: first.stderr }).toEqual({ status: 0, stderr: '' });
    for (const { image } of images) expect(first.stdout).toMatch(new RegExp(`${image.slice('images/'.length)} +tested`));
    expect(first.stdout).toContain(`${images.length} published in`);
    for (const { ref, kind } of images) {
      const [repository, tag] = [ref.slice(0, ref.lastIndexOf(':')), ref.slice(ref.lastIndexOf(':') + 1)];
      const { Digest: latest, RepoTags } = await skopeo(`${repository}:latest`);
      // A rolling image's other tag is its day.
      const other = tag === 'latest' ? RepoTags.find((name) => /^\d{8}/.test(name)) : tag;
      expect((await skopeo(`${repository}:${other}`)).Digest).toBe(latest);
      const { config } = (await inspect('--config', `docker://${repository}:latest`)) as { config: { User?: string } };
      if (kind !== 'base') expect({ ref, user: config.User }).toEqual({ ref, user: expect.stringMatching(/^[1-9]\d*(:[1-9]\d*)?$/) });
    }

    const second = await run();
    expect(second.status).toBe(0);
    expect(second.stdout).toContain(`Nothing to do: ${images.length} up to date.`);
  }, 1_200_000);

  it('has a Python that runs, and labels that say where it comes from', async () => {
    const ref = `${registry.host}/images/python3-trixie:latest`;
    expect((await command('docker', ['run', '--rm', '--network', 'none', ref, 'python3', '--version'], { ...process.env, DOCKER_HOST: `unix://${SHARED_SOCKET}` })).stdout.trim()).toMatch(/^Python 3\.13\.\d+$/);
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
