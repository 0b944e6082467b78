import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createEngineConnection } from '../../src/adapters/engine/engine-connection.js';
import { createEnginePackageFiles } from '../../src/adapters/engine/engine-package-files.js';
import { createLayerSource } from '../../src/adapters/package-files/layer-source.js';
import { createPackageCache } from '../../src/adapters/package-files/package-cache.js';
import { createRegistry } from '../../src/adapters/registry/registry.js';
import type { PackageFiles } from '../../src/packages/package-files.js';
import type { Digest } from '../../src/shared/digest.js';
import type { ImageFilesOnEngine, ImageLayers } from '../../src/state/image-layers.js';
import { createPackageReader } from '../../src/state/read-package-files.js';
import { importBase, removeImages, SHARED_SOCKET, uniqueName } from '../support/engine-fixture.js';
import { never, testOptions } from '../support/registry-contract.js';
import { startRegistry, type RegistryFixture } from '../support/registry-fixture.js';

jest.setTimeout(60_000);

const run = promisify(execFile);
const docker = async (...args: readonly string[]): Promise<string> => (await run('docker', ['--host', `unix://${SHARED_SOCKET}`, ...args], { maxBuffer: 64 * 1024 * 1024, env: { ...process.env, DOCKER_BUILDKIT: '0' } })).stdout;

const name = uniqueName('package-files');
let registry: RegistryFixture;
let folder: string;
let digest: Digest;

/** A Debian's own records, with what layers and links can do to them. */
const DOCKERFILE = `FROM ${name}:base
COPY debian /
COPY later /
RUN ["/bin/sh", "-c", "rm -r /etc/apt/sources.list.d /etc/apt/preferences.d/old && ln -s /opt/lists /etc/apt/sources.list.d && ln /opt/key.asc /etc/apt/trusted.gpg.d/same.asc"]
`;

beforeAll(async () => {
  registry = await startRegistry();
  folder = mkdtempSync(join(tmpdir(), 'build-images-files-'));
  const put = (path: string, text: string): void => {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  for (const path of ['debian/var/lib/dpkg', 'debian/bin']) mkdirSync(join(folder, path), { recursive: true });
  for (const program of ['rm', 'ln']) cpSync(`/bin/${program}`, join(folder, 'debian/bin', program));
  cpSync('/var/lib/dpkg/status', join(folder, 'debian/var/lib/dpkg/status'));
  put('debian/var/lib/dpkg/status.d/base-files', 'Package: base-files\nVersion: 1\n');
  put('debian/var/lib/dpkg/status.d/base-files.md5sums', 'no');
  put('debian/etc/apt/sources.list', 'deb [signed-by=/opt/key.asc] http://a b c\n');
  put('debian/etc/apt/sources.list.d/gone.list', 'deb http://gone b c\n');
  put('debian/etc/apt/preferences.d/old', 'Package: *\n');
  put('debian/etc/apt/auth.conf', 'machine a login b password c\n');
  put('debian/etc/apt/trusted.gpg.d/a.asc', 'a');
  put('debian/usr/share/keyrings/b.gpg', 'b');
  put('debian/usr/lib/os-release', 'ID=debian\n');
  put('debian/opt/key.asc', 'key');
  put('later/opt/lists/here.sources', 'Types: deb\nURIs: http://here\nSigned-By: /srv/other.key\n');
  put('later/srv/other.key', 'other');
  put('Dockerfile', DOCKERFILE.replace('rm -r', 'ln -s ../usr/lib/os-release /etc/os-release && rm -r'));
  await importBase(`${name}:base`);
  const tag = `${registry.host}/${name}:1`;
  await docker('build', '-q', '-t', tag, folder);
  await docker('push', '-q', tag);
  digest = /sha256:[0-9a-f]{64}/.exec(await docker('image', 'inspect', '--format', '{{json .RepoDigests}}', tag))![0] as Digest;
}, 60_000);
afterAll(async () => {
  await removeImages(name);
  await registry.stop();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

/** Containers of this test's image. */
const containers = async (): Promise<readonly string[]> => (await docker('ps', '-a', '-q', '--no-trunc', '--filter', `ancestor=${registry.host}/${name}:1`)).split('\n').filter((id) => id !== '');

/** Layers of which nobody can have one: what is read then was read from the engine. */
const noLayers: ImageLayers = {
  layersOf: () => Promise.resolve([{ digest, diffId: digest, size: 2 ** 30, urls: [] }]),
  readLayer: () => Promise.reject(new Error('no layer was to be read')),
};

const noEngine: ImageFilesOnEngine = { withImage: () => Promise.resolve(undefined), removeLeftovers: () => Promise.resolve() };

async function read(from: 'registry' | 'engine'): Promise<PackageFiles> {
  const client = createRegistry(testOptions());
  const connection = createEngineConnection({ via: 'unix', socketPath: SHARED_SOCKET });
  try {
    const engine = createEnginePackageFiles(connection, 'linux/amd64', Date.now);
    const cache = createPackageCache(mkdtempSync(join(folder, 'cache-')), Date.now);
    const reader = from === 'engine' ? createPackageReader(noLayers, cache, engine) : createPackageReader(createLayerSource(client), cache, noEngine);
    return await reader.filesOf({ registry: registry.host, repository: name }, digest, never());
  } finally {
    client.close();
    connection.close();
  }
}

describe.each(['registry', 'engine'] as const)('package files read from the %s', (from) => {
  let files: PackageFiles;
  beforeAll(async () => void (files = await read(from)));

  it('are those that the image shows, links followed and layers merged', () => {
    const texts = Object.fromEntries([...files].filter(([path]) => path !== '/var/lib/dpkg/status').map(([path, bytes]) => [path, Buffer.from(bytes).toString()]));
    expect(texts).toEqual({
      '/etc/os-release': 'ID=debian\n',
      '/etc/apt/sources.list': 'deb [signed-by=/opt/key.asc] http://a b c\n',
      '/etc/apt/sources.list.d/here.sources': 'Types: deb\nURIs: http://here\nSigned-By: /srv/other.key\n',
      '/etc/apt/trusted.gpg.d/a.asc': 'a',
      '/etc/apt/trusted.gpg.d/same.asc': 'key',
      '/usr/share/keyrings/b.gpg': 'b',
      '/opt/key.asc': 'key',
      '/srv/other.key': 'other',
      '/var/lib/dpkg/status.d/base-files': 'Package: base-files\nVersion: 1\n',
    });
  });
  it('dpkg\'s status names the packages and versions that a container sees', async () => {
    const packages = (text: string): readonly string[] => text.split('\n').filter((line) => /^(?:Package|Version|Status|Architecture|Depends): /.test(line));
    const seen = packages(await docker('run', '--rm', '--network', 'none', `${registry.host}/${name}:1`, 'cat', '/var/lib/dpkg/status'));
    const found = packages(Buffer.from(files.get('/var/lib/dpkg/status')!).toString());
    expect(found.length).toBeGreaterThan(400);
    expect(found).toEqual(seen);
  });
});

describe('the container in which an engine shows files', () => {
  const at = async (now: () => number): Promise<void> => {
    const connection = createEngineConnection({ via: 'unix', socketPath: SHARED_SOCKET });
    await createEnginePackageFiles(connection, 'linux/amd64', now).removeLeftovers(never());
    connection.close();
  };

  it('goes with the reading, and with one that fails', async () => {
    const connection = createEngineConnection({ via: 'unix', socketPath: SHARED_SOCKET });
    const engine = createEnginePackageFiles(connection, 'linux/amd64', Date.now);
    let during: readonly string[] = [];
    await expect(
      engine.withImage(`${registry.host}/${name}@${digest}`, async () => {
        during = await containers();
        throw new Error('no more');
      }, never()),
    ).rejects.toThrow('no more');
    expect(during).toHaveLength(1);
    expect(await containers()).toEqual([]);
    connection.close();
  });
  it('of a killed run goes later, that of another run stays, and so does what is not ours', async () => {
    const labelled = (await docker('create', '--label', 'build-images.reading=1', `${registry.host}/${name}:1`, 'x')).trim();
    const other = (await docker('create', `${registry.host}/${name}:1`, 'x')).trim();
    await at(Date.now);
    expect((await containers()).toSorted()).toEqual([labelled, other].sort());
    await at(() => Date.now() + 11 * 60 * 1000);
    expect(await containers()).toEqual([other]);
    await docker('rm', other);
  });
  it('is not made of an image for another platform, nor of one that the engine does not have', async () => {
    const connection = createEngineConnection({ via: 'unix', socketPath: SHARED_SOCKET });
    const use = (): Promise<string> => Promise.resolve('used');
    expect(await createEnginePackageFiles(connection, 'linux/s390x', Date.now).withImage(`${registry.host}/${name}@${digest}`, use, never())).toBeUndefined();
    expect(await createEnginePackageFiles(connection, 'linux/amd64', Date.now).withImage(`${registry.host}/${name}@sha256:${'0'.repeat(64)}`, use, never())).toBeUndefined();
    connection.close();
  });
});
