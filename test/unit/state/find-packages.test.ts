import { describe, expect, it } from '@jest/globals';
import { orderGraph } from '../../../src/graph/graph.js';
import type { PackageFiles } from '../../../src/packages/package-files.js';
import { RegistryError } from '../../../src/shared/errors.js';
import { findPackages, parsePackagePattern, type FoundImage } from '../../../src/state/find-packages.js';
import { UnreadableImage } from '../../../src/state/package-reader.js';
import { packageFiles, statusOf } from '../../support/packages-in-memory.js';
import { manifest, nodeOf, published, stateFor } from '../../support/plan-tree.js';

const DEBIAN = 'outside/debian';

/** `base` stands on Debian, `web` on base, `api` on web and Debian; each word of `holds` says what an image has, or why nobody knows. */
async function find(text: string, holds: Readonly<Record<string, readonly string[] | Error>>, select?: readonly string[]): Promise<readonly FoundImage[]> {
  const { graph } = orderGraph([nodeOf('base', [DEBIAN]), nodeOf('web', ['base']), nodeOf('api', ['web', DEBIAN])]);
  const names = [...graph.nodes.keys()].filter((name) => holds[name] !== undefined);
  const byDigest = new Map(Object.entries(holds).map(([name, what]) => [manifest(name === DEBIAN ? name : `${name} 2.0`), what]));
  const filesOf = async (digest: ReturnType<typeof manifest>): Promise<PackageFiles> => {
    const what = byDigest.get(digest)!;
    if (what instanceof Error) throw what;
    return packageFiles(what.length === 0 ? {} : { '/var/lib/dpkg/status': statusOf(...what) });
  };
  return findPackages(
    graph,
    stateFor(graph, { images: Object.fromEntries(names.map((name) => [name, published(name)])) }),
    select === undefined ? undefined : new Set(select),
    parsePackagePattern(text)!,
    { packages: { filesOf: (_, digest) => filesOf(digest) }, published: { digestOf: async () => (holds[DEBIAN] === undefined ? undefined : manifest(DEBIAN)) } },
    new AbortController().signal,
  );
}

/** `image package version from`, or `image ?`. */
const told = (found: readonly FoundImage[]): readonly string[] => found.flatMap(({ image, unknown, packages }) => (unknown === undefined ? packages.map(({ package: { name, version }, from }) => `${image} ${name} ${version} ${from ?? 'itself'}`) : [`${image} ?`]));

describe('findPackages', () => {
  it.each<[string, Parameters<typeof find>, readonly string[]]>([
    ['the outside image at the top brought what all have alike', ['ssl', { [DEBIAN]: ['ssl 1'], base: ['ssl 1'], web: ['ssl 1'] }], ['base ssl 1 outside/debian', 'web ssl 1 outside/debian']],
    ['the image in between that has it otherwise brought it', ['ssl', { [DEBIAN]: ['ssl 1'], base: ['ssl 2'], web: ['ssl 2'] }], ['base ssl 2 itself', 'web ssl 2 base']],
    ['what a parent lacks, the image brought', ['ssl', { [DEBIAN]: [], base: ['php 1'], web: ['ssl 1'] }], ['web ssl 1 itself']],
    ['what comes back further up is none of the parent\'s', ['ssl', { [DEBIAN]: ['ssl 1'], base: ['ssl 2'], web: ['ssl 1'] }], ['base ssl 2 itself', 'web ssl 1 itself']],
    ['a package of another architecture is another package', ['ssl', { [DEBIAN]: ['ssl 1\nArchitecture: i386'], base: ['ssl 1\nArchitecture: amd64'] }], ['base ssl 1 itself']],
    ['only the final stage counts where an image stands on several', ['ssl', { [DEBIAN]: ['ssl 1'], web: [], api: ['ssl 1'] }], ['api ssl 1 itself']],
    ['an outside image that is not there brought nothing', ['ssl', { base: ['ssl 1'] }], ['base ssl 1 itself']],
    ['nor did one that cannot be read', ['ssl', { [DEBIAN]: new UnreadableImage('no'), base: ['ssl 1'] }], ['base ssl 1 itself']],
    ['a parent that cannot be read is unknown, and brought nothing', ['ssl', { [DEBIAN]: [], base: new UnreadableImage('no'), web: ['ssl 1'] }], ['base ?', 'web ssl 1 itself']],
    ['a selected image alone, and still what brought it', ['ssl', { [DEBIAN]: [], base: ['ssl 1'], web: ['ssl 1'] }, ['web']], ['web ssl 1 base']],
    ['what was removed but for its configuration is not there', ['ssl', { [DEBIAN]: [], base: ['ssl 1\nStatus: deinstall ok config-files'] }], []],
  ])('%s', async (_, asked, expected) => expect(told(await find(...asked))).toEqual(expected));

  it('a registry that is away is no image\'s trouble', async () => {
    await expect(find('ssl', { [DEBIAN]: [], base: new RegistryError('no answer', 'r', undefined) })).rejects.toThrow('no answer');
  });
});

describe('parsePackagePattern', () => {
  it.each<[string, ReturnType<typeof parsePackagePattern>]>([
    ['libssl3', { bySource: false, name: 'libssl3', version: undefined }],
    ['libssl3=1:3.0.15-1~deb12u1', { bySource: false, name: 'libssl3', version: '1:3.0.15-1~deb12u1' }],
    ['src:lib*=3.*', { bySource: true, name: 'lib*', version: '3.*' }],
    ['g++-[!1]', { bySource: false, name: 'g++-[!1]', version: undefined }],
    ['', undefined],
    ['lib ssl', undefined],
    ['libssl3=', undefined],
    ['LibSSL', undefined],
    ['src:', undefined],
  ])('%s', (text, expected) => expect(parsePackagePattern(text)).toEqual(expected));
});
