import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openScenario, type Scenario } from '../support/scenario.js';

jest.setTimeout(60_000);

let scenario: Scenario;
let readWhilePublishing: number;

const status = (...packages: readonly (readonly [name: string, version: string, source?: string])[]): string =>
  packages.map(([name, version, source]) => `Package: ${name}\nStatus: install ok installed\nArchitecture: amd64\n${source === undefined ? '' : `Source: ${source}\n`}Version: ${version}\nDescription: x\n`).join('\n');

const LINES = ['COPY status /var/lib/dpkg/status'];
const SSL = ['libssl3', '3.0.15-1', 'openssl'] as const;

/** Blobs that the registry gave so far. */
const blobsRead = (): number => scenario.registry.log().split('\n').filter((line) => /"GET \/v2\/[^ ]*\/blobs\/[^"]*" 200 /.test(line)).length;

const packagesCache = (): string => join(scenario.environment['XDG_CACHE_HOME']!, 'build-images', 'packages');

beforeAll(async () => {
  scenario = await openScenario();
  scenario.define('dist', { versions: ['1.0'], lines: LINES, files: { status: status(SSL, ['libc6', '2.36-9', 'glibc']) } });
  scenario.define('web', { versions: ['1.0'], from: 'dist', lines: LINES, files: { status: status(SSL, ['libc6', '2.36-10', 'glibc'], ['nginx', '1.22']) } });
  scenario.define('api', { versions: ['1.0'], from: 'web', lines: ['COPY file /file'], files: { file: 'x' } });
  scenario.define('bare', { versions: ['1.0'], lines: ['COPY file /file'], files: { file: 'x' } });
  const built = await scenario.run(['build', '--publish']);
  expect(built.stderr).toBe('');
  expect(built.code).toBe(0);
  readWhilePublishing = blobsRead();
  scenario.define('later', { versions: ['1.0'], lines: ['COPY file /file'], files: { file: 'x' } });
}, 120_000);
afterAll(() => scenario.close());

const rows = (stdout: string): readonly (readonly string[])[] => stdout.split('\n').filter((line) => line.startsWith('  ')).map((line) => line.trim().split(/ {2,}/));

describe('which', () => {
  it('names the images that have a package, and which of those they stand on brought it', async () => {
    const { code, stdout } = await scenario.run(['which', 'libssl3']);
    expect(rows(stdout)).toEqual([
      ['image', 'package', 'arch', 'version', 'brought by'],
      ['dist', 'libssl3', 'amd64', '3.0.15-1', 'itself'],
      ['web', 'libssl3', 'amd64', '3.0.15-1', 'dist'],
      ['api', 'libssl3', 'amd64', '3.0.15-1', 'dist'],
    ]);
    expect(stdout).toMatch(/^3 of 4 published images have libssl3; 1 not published\.$/m);
    expect(code).toBe(0);
  });
  it('an image that has it in another version brought it itself', async () => {
    expect(rows((await scenario.run(['which', 'libc6'])).stdout).slice(1)).toEqual([
      ['dist', 'libc6', 'amd64', '2.36-9', 'itself'],
      ['web', 'libc6', 'amd64', '2.36-10', 'itself'],
      ['api', 'libc6', 'amd64', '2.36-10', 'web'],
    ]);
  });
  it.each<[string, readonly string[], readonly string[]]>([
    ['a version', ['libc6=2.36-10'], ['web libc6', 'api libc6']],
    ['a glob', ['lib*'], ['dist libc6', 'dist libssl3', 'web libc6', 'web libssl3', 'api libc6', 'api libssl3']],
    ['a glob of versions', ['libc6=2.36-?'], ['dist libc6']],
    ['a source package', ['src:glibc=2.36-9'], ['dist libc6']],
    ['a package that is its own source', ['src:nginx'], ['web nginx', 'api nginx']],
    ['of some images', ['libssl3', '--select', '*/web:*'], ['web libssl3']],
  ])('%s', async (_, args, expected) => {
    const { code, stdout } = await scenario.run(['which', ...args]);
    expect(rows(stdout).slice(1).map(([image, name]) => `${image} ${name}`)).toEqual(expected);
    expect(code).toBe(0);
  });
  it.each<[string, readonly string[], RegExp, number]>([
    ['what no image has', ['nothing'], /^None of 4 published images has nothing; 1 not published\.$/m, 1],
    ['a name that stands for itself', ['libssl'], /^None of 4/m, 1],
    ['a source is none of the binary packages', ['openssl'], /^None of 4/m, 1],
  ])('%s: exit 1, as grep has it', async (_, args, says, exit) => {
    const { code, stdout } = await scenario.run(['which', ...args]);
    expect(stdout).toMatch(says);
    expect(code).toBe(exit);
  });
  it('what is no name of a package is a mistake', async () => {
    const { code, stderr } = await scenario.run(['which', 'lib ssl']);
    expect(stderr).toMatch(/which takes PACKAGE or PACKAGE=VERSION .* not "lib ssl"/);
    expect(code).toBe(2);
  });
  it('tells programs the same', async () => {
    const { stdout } = await scenario.run(['which', 'libssl3', '--select', '*/api:*', '--json']);
    expect(JSON.parse(stdout)).toEqual([
      {
        image: 'test/api',
        ref: `${scenario.host}/test/api:1.0`,
        digest: await scenario.digest('api', '1.0'),
        unknown: null,
        packages: [{ package: 'libssl3', arch: 'amd64', version: '3.0.15-1', source: 'openssl', sourceVersion: '3.0.15-1', from: 'test/dist' }],
      },
    ]);
  });

  it('what a run published was recorded as it went: no layer is read, until it is forgotten', async () => {
    expect(readWhilePublishing).toBeGreaterThan(0);
    const before = blobsRead();
    await scenario.run(['which', 'libssl3']);
    expect(blobsRead()).toBe(before);
    rmSync(packagesCache(), { recursive: true });
    expect((await scenario.run(['which', 'libssl3'])).code).toBe(0);
    const again = blobsRead();
    expect(again).toBeGreaterThan(before);
    await scenario.run(['which', 'nginx']);
    expect(blobsRead()).toBe(again);
  });
  it('an image whose layer is not what it should be is unknown, and named; the others are told', async () => {
    rmSync(packagesCache(), { recursive: true });
    const digest = (await scenario.digest('web', '1.0'))!;
    const manifest = JSON.parse((await scenario.registry.send('GET', `/v2/test/web/manifests/${digest}`, undefined, { accept: 'application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json' })).body.toString()) as { readonly layers: readonly { readonly digest: string }[] };
    const blob = join(scenario.registry.storage, 'docker/registry/v2/blobs/sha256', manifest.layers.at(-1)!.digest.slice(7, 9), manifest.layers.at(-1)!.digest.slice(7), 'data');
    const good = readFileSync(blob);
    try {
      writeFileSync(blob, Buffer.from(good).fill(0, good.length >> 1));
      const { code, stdout } = await scenario.run(['which', 'libssl3']);
      expect(rows(stdout).slice(1).map(([image]) => image)).toEqual(['dist']);
      expect(stdout).toMatch(/^web is unknown: /m);
      expect(stdout).toMatch(/^1 of 2 published images has libssl3; 2 unknown, 1 not published\.$/m);
      expect(code).toBe(0);
      expect((await scenario.run(['which', 'nginx'])).code).toBe(5);
    } finally {
      writeFileSync(blob, good);
    }
    expect((await scenario.run(['which', 'nginx'])).code).toBe(0);
  });
});

describe('a build that publishes nothing', () => {
  it('records nothing', async () => {
    rmSync(packagesCache(), { recursive: true, force: true });
    expect((await scenario.run(['build', '--no-publish', '--select', '*/later:*'])).code).toBe(0);
    expect(existsSync(packagesCache()) ? readdirSync(packagesCache()) : []).toEqual([]);
  });
});
