import { describe, expect, it } from '@jest/globals';
import { Readable } from 'node:stream';
import { packTar, type TarEntry } from 'modern-tar';
import { imageDigest } from '../../../../src/adapters/engine/image-digest.js';

type Header = TarEntry['header'];
const file = (name: string, body: string | Uint8Array, part: Partial<Header> = {}): TarEntry => ({ header: { name, size: Buffer.byteLength(body), type: 'file', mode: 0o644, uid: 0, gid: 0, ...part }, body });
const folder = (name: string, part: Partial<Header> = {}): TarEntry => ({ header: { name, size: 0, type: 'directory', mode: 0o755, ...part } });
const link = (name: string, linkname: string, type: 'symlink' | 'link' = 'symlink'): TarEntry => ({ header: { name, size: 0, type, linkname } });
const CONFIG = { os: 'linux', architecture: 'amd64', created: '2026-01-01T00:00:00Z', config: { Env: ['A=1'], Cmd: ['sh'], Labels: { kept: 'x' } as Record<string, string> } as Record<string, unknown>, history: [] as unknown[] };

async function digest(layers: readonly (readonly TarEntry[])[], config: unknown = CONFIG): Promise<string> {
  const tars = await Promise.all(layers.map((entries) => packTar([...entries])));
  const archive = await packTar([
    ...tars.map((data, at): TarEntry => ({ header: { name: `l${at}/layer.tar`, size: data.length, type: 'file' }, body: data })),
    file('config.json', JSON.stringify(config)),
    file('manifest.json', JSON.stringify([{ Config: 'config.json', Layers: tars.map((_, at) => `l${at}/layer.tar`) }])),
  ]);
  return imageDigest(Readable.from([Buffer.from(archive)]));
}

const pyc = (flags: number, time: string, rest = 'code'): Uint8Array => Buffer.concat([Buffer.from('mgcv'), Buffer.from([flags, 0, 0, 0]), Buffer.from(time), Buffer.from('size'), Buffer.from(rest)]);
const PLAIN = [folder('etc'), file('etc/a', 'one'), link('etc/b', 'a')];

describe('two images are the same', () => {
  it.each<[string, readonly (readonly TarEntry[])[], readonly (readonly TarEntry[])[]]>([
    ['but for times', [[file('a', 'x', { mtime: new Date(0) })]], [[file('a', 'x', { mtime: new Date(1e12) })]]],
    ['but for the order of their files', [[file('a', 'x'), file('b', 'y')]], [[file('b', 'y'), file('a', 'x')]]],
    ['however many layers they are made of', [[file('a', 'x'), file('b', 'y')]], [[file('a', 'old'), file('c', 'z')], [file('a', 'x'), file('.wh.c', '')], [file('b', 'y')]]],
    ['but for logs', [[file('var/log/apt/history.log', 'x'), file('var/log/dpkg.log', '1')]], [[file('var/log/apt/history.log', 'y')]]],
    ['but for caches', [[file('var/cache/ldconfig/aux-cache', 'x'), file('var/cache/apt/pkgcache.bin', 'x'), file('var/lib/apt/lists/deb_InRelease', 'x'), file('var/lib/dpkg/status-old', 'x'), file('var/cache/debconf/config.dat-old', 'x'), file('tmp/x', '')]], [[]]],
    ['but for the day on which an account was made', [[file('etc/shadow', 'root:*:20100:0:99999:7:::\nweb:!:20500::::::\n')]], [[file('etc/shadow', 'root:*:20100:0:99999:7:::\nweb:!:20501::::::\n')]]],
    ['but for the times that compiled Python files have of their sources', [[file('x.pyc', pyc(0, '1111'))]], [[file('x.pyc', pyc(0, '2222'))]]],
    ['whatever engines mount while they build', [[file('etc/hosts', 'x'), file('etc/resolv.conf', 'x')]], [[]]],
  ])('%s', async (_, one, other) => {
    expect(await digest(one)).toBe(await digest(other));
  });
  it.each<[string, unknown]>([
    ['when they were made', { ...CONFIG, created: '2026-02-02T00:00:00Z', history: [{}] }],
    ['our labels', { ...CONFIG, config: { ...CONFIG.config, Labels: { 'build-images.tried': 'x', 'org.opencontainers.image.created': 'y', 'io.buildpacks.base.released': 'z', kept: 'x' } } }],
    ['the container that the classic builder made it in', { ...CONFIG, container: 'x', config: { ...CONFIG.config, Image: 'sha256:1', Hostname: 'x' } }],
  ])('whatever their configs say of %s', async (_, config) => {
    expect(await digest([PLAIN], config)).toBe(await digest([PLAIN]));
  });
});

describe('two images differ', () => {
  it.each<[string, readonly TarEntry[]]>([
    ['by a file more', [...PLAIN, file('etc/c', '')]],
    ['by a file less', PLAIN.slice(1)],
    ['by what a file holds', [folder('etc'), file('etc/a', 'two'), link('etc/b', 'a')]],
    ['by the mode of a file', [folder('etc'), file('etc/a', 'one', { mode: 0o4755 }), link('etc/b', 'a')]],
    ['by the mode of a folder', [folder('etc', { mode: 0o700 }), ...PLAIN.slice(1)]],
    ['by who owns a file', [folder('etc'), file('etc/a', 'one', { uid: 1 }), link('etc/b', 'a')]],
    ['by the group of a file', [folder('etc'), file('etc/a', 'one', { gid: 1 }), link('etc/b', 'a')]],
    ['by where a link leads', [folder('etc'), file('etc/a', 'one'), link('etc/b', 'c')]],
    ['by the kind of a link', [folder('etc'), file('etc/a', 'one'), link('etc/b', 'a', 'link')]],
    ['by a capability', [folder('etc'), file('etc/a', 'one', { pax: { 'SCHILY.xattr.security.capability': 'x' } }), link('etc/b', 'a')]],
  ])('%s', async (_, entries) => {
    expect(await digest([entries])).not.toBe(await digest([PLAIN]));
  });
  it.each<[string, readonly TarEntry[], readonly TarEntry[]]>([
    ['the password of an account', [file('etc/shadow', 'web:!:20500::::::\n')], [file('etc/shadow', 'web:x:20500::::::\n')]],
    ['the code of a compiled Python file', [file('x.pyc', pyc(0, '1111'))], [file('x.pyc', pyc(0, '1111', 'edoc'))]],
    ['one that goes by the hash of its source', [file('x.pyc', pyc(1, '1111'))], [file('x.pyc', pyc(1, '2222'))]],
    ['a log of something else', [file('var/log/own.log', '1')], [file('var/log/own.log', '2')]],
  ])('by %s', async (_, one, other) => {
    expect(await digest([one])).not.toBe(await digest([other]));
  });
  it.each<[string, readonly (readonly TarEntry[])[]]>([
    ['it alone', [[folder('d'), file('d/a', '1')], [file('d/.wh.a', '')]]],
    ['its folder, which is there again', [[folder('d'), folder('d/e'), file('d/e/a', '1')], [file('.wh.d', ''), folder('d')]]],
    ['all that was in its folder', [[folder('d'), file('d/a', '1')], [folder('d'), file('d/.wh..wh..opq', '')]]],
  ])('not by what a higher layer took away: %s', async (_, layers) => {
    expect(await digest(layers)).toBe(await digest([[folder('d')]]));
  });
  it('not by what was in a folder that a file took the place of', async () => {
    expect(await digest([[folder('d'), file('d/a', '1')], [file('d', 'x')]])).toBe(await digest([[file('d', 'x')]]));
  });
  it.each([['Env', ['A=2']], ['Cmd', ['bash']], ['Entrypoint', ['x']], ['User', 'web'], ['WorkingDir', '/x'], ['Labels', { kept: 'y' }], ['Healthcheck', { Test: ['x'] }]])('by %s', async (key, value) => {
    expect(await digest([PLAIN], { ...CONFIG, config: { ...CONFIG.config, [key]: value } })).not.toBe(await digest([PLAIN]));
  });
});
