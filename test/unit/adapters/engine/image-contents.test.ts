import { describe, expect, it } from '@jest/globals';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { packTar, type TarEntry } from 'modern-tar';
import { readImageArchive } from '../../../../src/adapters/engine/image-contents.js';
import type { ImageContents } from '../../../../src/execute/image-contents.js';

const CONFIG = { os: 'linux', architecture: 'amd64', config: { User: '1:1', Env: ['A=b=c', 'EMPTY'], Labels: { a: 'b' } }, rootfs: { type: 'layers', diff_ids: ['sha256:1'] }, history: [{ created_by: 'x' }, { created_by: 'y', empty_layer: true }, {}] };
const file = (name: string, text: string): TarEntry => ({ header: { name, size: Buffer.byteLength(text), type: 'file' }, body: text });
const folder = (name: string, uid = 0): TarEntry => ({ header: { name, size: 0, type: 'directory', uid, gid: uid, mode: 0o755 } });
const link = (name: string, linkname: string): TarEntry => ({ header: { name, size: 0, type: 'symlink', linkname } });

/** An archive as the graph drivers save it: one folder a layer, the config's name its digest. */
async function archiveOf(layers: readonly (readonly TarEntry[])[], { gzip = false, extra = [] as readonly TarEntry[], manifest = true } = {}): Promise<ImageContents> {
  const tars = await Promise.all(layers.map((entries) => packTar(entries)));
  const bytes = tars.map((tar) => (gzip ? gzipSync(tar) : Buffer.from(tar)));
  const archive = await packTar([
    ...bytes.flatMap((data, index): TarEntry[] => [folder(`l${index}/`), file(`l${index}/VERSION`, '1.0'), { header: { name: `l${index}/layer.tar`, size: data.length, type: 'file' }, body: data }]),
    ...extra,
    file('config.json', JSON.stringify(CONFIG)),
    ...(manifest ? [file('manifest.json', JSON.stringify([{ Config: 'config.json', Layers: [...bytes.map((_, index) => `l${index}/layer.tar`), ...extra.map(({ header }) => header.name)] }]))] : []),
  ]);
  return readImageArchive(Readable.from([Buffer.from(archive)]), ['/etc/os-release', '/etc/passwd']);
}

const filesOf = async (...layers: readonly (readonly TarEntry[])[]): Promise<Readonly<Record<string, string>>> => Object.fromEntries((await archiveOf(layers)).files);

describe('an image that an engine saved', () => {
  it('tells its config', async () => {
    expect(await archiveOf([[]])).toMatchObject({ os: 'linux', architecture: 'amd64', user: '1:1', env: { A: 'b=c', EMPTY: '' }, labels: { a: 'b' }, diffIds: ['sha256:1'], history: [{ createdBy: 'x', emptyLayer: false }, { createdBy: 'y', emptyLayer: true }, { createdBy: '', emptyLayer: false }] });
  });
  it('tells who owns its folders, as the topmost layer says', async () => {
    const { folders } = await archiveOf([[folder('./home/app/'), folder('srv')], [folder('home/app', 1000)]]);
    expect([...folders]).toEqual([['/home/app', { uid: 1000, gid: 1000, mode: 0o755 }], ['/srv', { uid: 0, gid: 0, mode: 0o755 }]]);
  });
  it.each([['plain', false], ['gzip', true]])('holds only the files that were asked for, whatever their layers\' form (%s)', async (_, gzip) => {
    expect(Object.fromEntries((await archiveOf([[file('etc/passwd', 'root'), file('etc/shadow', 'secret')]], { gzip })).files)).toEqual({ '/etc/passwd': 'root' });
  });
  it('shows the file of the topmost layer that has it', async () => expect(await filesOf([file('etc/passwd', 'old')], [file('etc/passwd', 'new')], [file('x', '')])).toEqual({ '/etc/passwd': 'new' }));
  it.each([['relative', '../usr/lib/os-release'], ['absolute', '/usr/lib/os-release']])('follows links that lead to a file that was asked for (%s)', async (_, target) => {
    const contents = await readImageArchive(Readable.from([Buffer.from(await packTar([
      await layer([file('usr/lib/os-release', 'ID=x'), link('etc/os-release', target)]),
      file('config.json', JSON.stringify(CONFIG)),
      file('manifest.json', JSON.stringify([{ Config: 'config.json', Layers: ['l/layer.tar'] }])),
    ]))]), ['/etc/os-release', '/usr/lib/os-release']);
    expect(contents.files.get('/etc/os-release')).toBe('ID=x');
  });
  it('ends where links go round', async () => expect(await filesOf([link('etc/passwd', 'group'), link('etc/group', 'passwd')])).toEqual({}));
  it.each<[string, readonly TarEntry[], Readonly<Record<string, string>>]>([
    ['a file', [file('etc/.wh.passwd', '')], {}],
    ['its folder', [file('.wh.etc', '')], {}],
    ['all that its folder held', [file('etc/.wh..wh..opq', '')], {}],
    ['another file', [file('etc/.wh.passwd-', '')], { '/etc/passwd': 'old' }],
    ['a link in its place', [link('etc/passwd', '/nowhere')], {}],
    ['a folder in its place', [folder('etc/passwd')], {}],
    ['a device in its place', [{ header: { name: 'etc/passwd', size: 0, type: 'fifo' } }], {}],
    ['the folder, and makes it anew', [file('.wh.etc', ''), file('etc/passwd', 'new')], { '/etc/passwd': 'new' }],
  ])('does not show what a higher layer took away: %s', async (_, upper, files) => expect(await filesOf([file('etc/passwd', 'old')], upper)).toEqual(files));
  it('finds a layer that stands twice, the second time as a link', async () => {
    expect(Object.fromEntries((await archiveOf([[file('etc/passwd', 'root')]], { extra: [link('l9/layer.tar', '../l0/layer.tar')] })).files)).toEqual({ '/etc/passwd': 'root' });
  });
  it.each([['config', { manifest: false }, 'without its config'], ['layer', { extra: [link('l9/layer.tar', '../l7/layer.tar')] }, 'without one of its layers']])('is refused when a part of it is missing: %s', async (_, options, said) => {
    await expect(archiveOf([[file('etc/passwd', 'root')]], options)).rejects.toThrow(said);
  });
});

async function layer(entries: readonly TarEntry[]): Promise<TarEntry> {
  const data = await packTar(entries);
  return { header: { name: 'l/layer.tar', size: data.length, type: 'file' }, body: data };
}
