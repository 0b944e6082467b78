import { describe, expect, it } from '@jest/globals';
import { collectFiles } from '../../../src/packages/collect-files.js';
import { recordLayer, type LayerEntry } from '../../../src/packages/layer-record.js';
import { PACKAGE_ROOTS } from '../../../src/packages/package-paths.js';
import type { LayerTree } from '../../support/layer-tar.js';

/** What is recorded of a layer that has these entries. */
function record(tree: LayerTree, roots = PACKAGE_ROOTS): ReturnType<ReturnType<typeof recordLayer>['record']> {
  const recording = recordLayer(roots);
  for (const [path, what] of Object.entries(tree)) {
    const text = typeof what === 'string' ? what : '';
    const type: LayerEntry['type'] = what === undefined ? 'folder' : what === null ? 'other' : text.startsWith('→ ') ? 'link' : text.startsWith('= ') ? 'hard link' : 'file';
    recording.enter({ path, type, size: text.length, linkpath: text.slice(2) })?.(Buffer.from(text));
  }
  return recording.record();
}

/** What layers on each other show, as texts; and where it cannot be told. */
function collected(layers: readonly LayerTree[], extra: readonly string[] = []): Record<string, unknown> {
  const roots = [...PACKAGE_ROOTS, ...extra];
  const { files, beyond } = collectFiles(layers.map((layer) => record(layer, roots)), roots);
  return { ...Object.fromEntries([...files].map(([path, bytes]) => [path, Buffer.from(bytes).toString()])), ...(beyond.length === 0 ? {} : { beyond }) };
}

const LIST = 'etc/apt/sources.list';
const PART = 'etc/apt/sources.list.d/a.sources';
const STATUS = 'var/lib/dpkg/status';

describe('collectFiles', () => {
  it.each<[string, readonly LayerTree[], Record<string, unknown>]>([
    ['a file of the only layer', [{ [LIST]: 'deb a' }], { '/etc/apt/sources.list': 'deb a' }],
    ['a higher layer hides a lower one', [{ [LIST]: 'deb a' }, { [LIST]: 'deb b' }], { '/etc/apt/sources.list': 'deb b' }],
    ['a whiteout takes a file away', [{ [LIST]: 'deb a', [PART]: 'x' }, { 'etc/apt/.wh.sources.list': '' }], { '/etc/apt/sources.list.d/a.sources': 'x' }],
    ['a whiteout takes a folder away, with all that is in it', [{ [LIST]: 'deb a', [PART]: 'x' }, { 'etc/apt/.wh.sources.list.d': '' }], { '/etc/apt/sources.list': 'deb a' }],
    ['a whiteout of a folder far above', [{ [LIST]: 'deb a', [STATUS]: 's' }, { '.wh.etc': '' }], { '/var/lib/dpkg/status': 's' }],
    ['a whiteout takes nothing away whose name only begins alike', [{ [LIST]: 'deb a', [PART]: 'x' }, { 'etc/apt/.wh.sources': '' }], { '/etc/apt/sources.list': 'deb a', '/etc/apt/sources.list.d/a.sources': 'x' }],
    ['a whiteout counts for lower layers alone, wherever it stands', [{ [LIST]: 'deb a' }, { [LIST]: 'deb b', 'etc/apt/.wh.sources.list': '' }], { '/etc/apt/sources.list': 'deb b' }],
    ['an opaque folder hides what is below, and not what comes with it', [{ [PART]: 'x', 'etc/apt/sources.list.d/b.sources': 'y' }, { [PART]: 'z', 'etc/apt/sources.list.d/.wh..wh..opq': '' }], { '/etc/apt/sources.list.d/a.sources': 'z' }],
    ['an opaque folder far above', [{ [LIST]: 'deb a', [STATUS]: 's' }, { 'var/.wh..wh..opq': '' }], { '/etc/apt/sources.list': 'deb a' }],
    ['an opaque root', [{ [LIST]: 'deb a', [STATUS]: 's' }, { '.wh..wh..opq': '', [STATUS]: 't' }], { '/var/lib/dpkg/status': 't' }],
    ['other marks of AUFS mean nothing', [{ [LIST]: 'deb a' }, { 'etc/apt/.wh..wh.plnk': '' }], { '/etc/apt/sources.list': 'deb a' }],
    ['what comes back above a whiteout is there', [{ [LIST]: 'deb a' }, { 'etc/.wh.apt': '' }, { [LIST]: 'deb c' }], { '/etc/apt/sources.list': 'deb c' }],
    ['a folder replaced by a link', [{ 'etc/apt/sources.list.d': undefined, [PART]: 'x', 'etc/apt/other/a.sources': 'y' }, { 'etc/apt/sources.list.d': '→ other' }], { '/etc/apt/sources.list.d/a.sources': 'y' }],
    ['a folder replaced by a file', [{ 'etc/apt/sources.list.d': undefined, [PART]: 'x' }, { 'etc/apt/sources.list.d': 'no folder' }], { '/etc/apt/sources.list.d': 'no folder' }],
    ['a folder replaced by a link, and that by a folder', [{ 'etc/apt/sources.list.d': undefined, [PART]: 'x' }, { 'etc/apt/sources.list.d': '→ other' }, { 'etc/apt/sources.list.d': undefined }], {}],
    ['a link replaced by a folder', [{ 'etc/apt/sources.list.d': '→ other', 'etc/apt/other/a.sources': 'y' }, { 'etc/apt/sources.list.d': undefined }], {}],
    ['a link replaced by what lies in a folder of its name', [{ 'etc/apt/sources.list.d': '→ other', 'etc/apt/other/a.sources': 'y' }, { [PART]: 'x' }], { '/etc/apt/sources.list.d/a.sources': 'x' }],
    ['a folder that comes again keeps what is in it', [{ 'etc/apt/sources.list.d': undefined, [PART]: 'x' }, { 'etc/apt/sources.list.d': undefined }], { '/etc/apt/sources.list.d/a.sources': 'x' }],
    ['a relative link to a file', [{ 'etc/os-release': '→ ../usr/lib/os-release', 'usr/lib/os-release': 'ID=debian' }], { '/etc/os-release': 'ID=debian' }],
    ['an absolute link to a file', [{ 'etc/os-release': '→ /usr/lib/os-release', 'usr/lib/os-release': 'ID=debian' }], { '/etc/os-release': 'ID=debian' }],
    ['a link that a lower layer has, to a file that a higher one changes', [{ 'etc/os-release': '→ ../usr/lib/os-release', 'usr/lib/os-release': 'ID=a' }, { 'usr/lib/os-release': 'ID=b' }], { '/etc/os-release': 'ID=b' }],
    ['a path above that is a link', [{ var: '→ usr/share/keyrings', 'usr/share/keyrings/lib': undefined, 'usr/share/keyrings/k.gpg': 'k' }], { '/usr/share/keyrings/k.gpg': 'k', beyond: ['usr/share/keyrings/lib/dpkg/arch', 'usr/share/keyrings/lib/dpkg/status', 'usr/share/keyrings/lib/dpkg/status.d'] }],
    ['a link that leads out above the root stays in it', [{ 'etc/os-release': '→ ../../../../usr/lib/os-release', 'usr/lib/os-release': 'ID=debian' }], { '/etc/os-release': 'ID=debian' }],
    ['links in a circle', [{ 'etc/os-release': '→ /usr/lib/os-release', 'usr/lib/os-release': '→ /etc/os-release', [LIST]: 'deb a' }], { '/etc/apt/sources.list': 'deb a' }],
    ['a link to itself', [{ 'etc/apt/sources.list.d': '→ sources.list.d' }], {}],
    ['a dangling link', [{ [LIST]: '→ sources.list.d/none' }], {}],
    ['a hard link', [{ 'usr/share/keyrings/a.gpg': 'k', 'etc/apt/trusted.gpg.d/a.gpg': '= usr/share/keyrings/a.gpg' }], { '/usr/share/keyrings/a.gpg': 'k', '/etc/apt/trusted.gpg.d/a.gpg': 'k' }],
    ['a hard link keeps what the other path was', [{ 'usr/share/keyrings/a.gpg': 'k', 'etc/apt/trusted.gpg.d/a.gpg': '= ./usr/share/keyrings/a.gpg' }, { 'usr/share/keyrings/a.gpg': 'new' }], { '/usr/share/keyrings/a.gpg': 'new', '/etc/apt/trusted.gpg.d/a.gpg': 'k' }],
    ['a hard link to what is not recorded', [{ 'etc/apt/trusted.gpg.d/a.gpg': '= opt/a.gpg' }], { beyond: ['opt/a.gpg'] }],
    ['a link to what is not recorded', [{ 'etc/apt/sources.list.d': '→ /opt/apt' }], { beyond: ['opt/apt'] }],
    ['a link to what is not recorded, by way of something else', [{ 'etc/apt/sources.list.d': '→ /opt/../srv/apt' }], { beyond: ['opt'] }],
    ['a file below a device', [{ 'etc/apt/trusted.gpg.d': null }], {}],
    ['names written with dots and slashes', [{ './etc//apt/./sources.list': 'deb a' }], { '/etc/apt/sources.list': 'deb a' }],
    ['a key that a one-line source names', [{ [LIST]: 'deb [arch=amd64 signed-by=/opt/k.asc] http://a b c' }], { '/etc/apt/sources.list': 'deb [arch=amd64 signed-by=/opt/k.asc] http://a b c', beyond: ['opt/k.asc'] }],
    ['keys that a deb822 source names', [{ [PART]: 'Types: deb\nSigned-By: /opt/k.asc, /etc/apt/l.asc' }], { '/etc/apt/sources.list.d/a.sources': 'Types: deb\nSigned-By: /opt/k.asc, /etc/apt/l.asc', beyond: ['opt/k.asc'] }],
    ['packages of an image without dpkg, and no checksums', [{ 'var/lib/dpkg/status.d/base': 'Package: base', 'var/lib/dpkg/status.d/base.md5sums': '1 x' }], { '/var/lib/dpkg/status.d/base': 'Package: base' }],
    ['logins of sources and proxies are not kept', [{ [LIST]: 'deb [arch=amd64] https://me:pass@word@a.example.org/debian trixie main\ndeb http://b.example.org/x@y trixie main\n# ä', 'etc/apt/apt.conf.d/p': 'Acquire::http::Proxy "http://me:hush@proxy:3128";' }], { '/etc/apt/sources.list': 'deb [arch=amd64] https://a.example.org/debian trixie main\ndeb http://b.example.org/x@y trixie main\n# ä', '/etc/apt/apt.conf.d/p': 'Acquire::http::Proxy "http://proxy:3128";' }],
    ['passwords are not kept', [{ 'etc/apt/auth.conf': 'machine a', 'etc/apt/auth.conf.d/b.conf': 'machine b', [LIST]: 'deb a' }], { '/etc/apt/sources.list': 'deb a' }],
    ['nothing that is of no interest', [{ 'etc/passwd': 'root', 'usr/lib/libc.so': 'x' }], {}],
  ])('%s', (_, layers, expected) => expect(collected(layers)).toEqual(expected));

  it.each<[string, readonly LayerTree[], readonly string[], Record<string, unknown>]>([
    ['a link that leads elsewhere, looked at again', [{ 'etc/apt/sources.list.d': '→ /opt/apt', 'opt/apt/a.sources': 'x' }], ['opt/apt'], { '/etc/apt/sources.list.d/a.sources': 'x' }],
    ['a key elsewhere, looked at again', [{ [LIST]: 'deb [signed-by=/opt/k.asc] a', 'opt/k.asc': 'k' }], ['opt/k.asc'], { '/etc/apt/sources.list': 'deb [signed-by=/opt/k.asc] a', '/opt/k.asc': 'k' }],
    ['a key elsewhere that is not there', [{ [LIST]: 'deb [signed-by=/opt/k.asc] a' }], ['opt/k.asc'], { '/etc/apt/sources.list': 'deb [signed-by=/opt/k.asc] a' }],
    ['a hard link elsewhere, looked at again', [{ 'opt/a.gpg': 'k', 'etc/apt/trusted.gpg.d/a.gpg': '= opt/a.gpg' }], ['opt/a.gpg'], { '/etc/apt/trusted.gpg.d/a.gpg': 'k' }],
    ['a way around a folder elsewhere', [{ 'etc/apt/sources.list.d': '→ /opt/../srv/apt' }], ['opt'], { beyond: ['srv/apt'] }],
    ['a folder elsewhere that is a link again', [{ 'etc/apt/sources.list.d': '→ /opt/apt', opt: '→ srv' }], ['opt/apt'], { beyond: ['srv/apt'] }],
  ])('%s', (_, layers, extra, expected) => expect(collected(layers, extra)).toEqual(expected));

  it('of a dpkg status nothing is kept that nobody reads', () => {
    const status = 'Package: a\nStatus: install ok installed\nMaintainer: x\nVersion: 1\nDepends: b,\n c\nDescription: short\n long\n\ttabbed\n .\nConffiles:\n /etc/a 1\nMulti-Arch: same\n\nPackage: b\nVersion: 2\n';
    expect(collected([{ [STATUS]: status }])).toEqual({ '/var/lib/dpkg/status': 'Package: a\nStatus: install ok installed\nVersion: 1\nDepends: b,\n c\nMulti-Arch: same\n\nPackage: b\nVersion: 2\n' });
  });
});

describe('recordLayer', () => {
  it('wants no content where a folder should be', () => {
    expect(recordLayer(PACKAGE_ROOTS).enter({ path: 'etc', type: 'file', size: 1, linkpath: '' })).toBeUndefined();
    expect(record({ etc: 'text' })).toEqual([['etc', { change: 'other' }]]);
  });
  it.each<[string, LayerTree, RegExp]>([
    ['a name that leads out', { '../etc/apt/sources.list': 'x' }, /leads out of the image/],
    ['a name that leads out and in again', { 'etc/../../etc/apt/sources.list': 'x' }, /leads out of the image/],
    ['a whiteout of the folder itself', { 'etc/apt/.wh..': '' }, /takes away "\."/],
    ['a whiteout of the folder above', { 'etc/apt/.wh...': '' }, /takes away "\.\."/],
    ['a hard link that leads out', { 'etc/apt/sources.list': '= ../../shadow' }, /leads out of the image/],
    ['a zero byte in a name', { 'etc/apt/a\0b': 'x' }, /zero byte/],
    ['more records than any image', Object.fromEntries(Array.from({ length: 50_001 }, (_, at) => [`etc/apt/sources.list.d/${at}`, undefined])), /more package records/],
  ])('%s is no layer', (_, tree, message) => expect(() => record(tree)).toThrow(message));

  it.each([
    ['one file is larger than a package record can be', 65],
    ['all that is kept comes to more', 49],
  ])('%s', (_, megabytes) => {
    const recording = recordLayer(PACKAGE_ROOTS);
    const enter = (path: string): void => recording.enter({ path, type: 'file', size: megabytes << 20, linkpath: '' })?.(Buffer.alloc(megabytes << 20));
    expect(() => {
      enter('etc/apt/a');
      enter('etc/apt/b');
    }).toThrow(/larger than any|more package records/);
  });
});
