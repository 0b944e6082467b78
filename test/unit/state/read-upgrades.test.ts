import { describe, expect, it } from '@jest/globals';
import type { PackageArchive, SuiteRead } from '../../../src/packages/package-archive.js';
import type { PackageFiles } from '../../../src/packages/package-files.js';
import { RegistryError } from '../../../src/shared/errors.js';
import { formatImageRef } from '../../../src/shared/image-ref.js';
import type { UpgradesRead } from '../../../src/state/image-upgrades.js';
import { UnreadableImage } from '../../../src/state/package-reader.js';
import { inArchives, readUpgrades } from '../../../src/state/read-upgrades.js';
import { createUpgradeMemory, type UpgradeMemory } from '../../../src/state/upgrade-memory.js';
import type { ImageState } from '../../../src/state/state.js';
import { indexWith, packageFiles, statusOf } from '../../support/packages-in-memory.js';
import { image, manifest, published, REGISTRY, rolled, stateFor, tree } from '../../support/plan-tree.js';
import { EXPIRED } from '../../support/upgrades-in-memory.js';

const SOURCES = 'deb [trusted=yes] http://deb.example.org/debian trixie main\n';
const SECURITY = 'deb [trusted=yes] http://deb.example.org/security trixie-security main\n';

/** An image with these packages, and its sources. */
function filesWith(packages: readonly string[], sources = SOURCES): PackageFiles {
  return packageFiles({ '/var/lib/dpkg/status': statusOf('dpkg 1', ...packages), '/etc/apt/sources.list': sources });
}

type World = {
  /** What is published; by default all that has files. */
  readonly images?: Readonly<Record<string, Partial<ImageState>>>;
  readonly rolling?: readonly string[];
  /** By the word of a manifest, as `plan-tree` has them: what is in it, or why that is unknown. */
  readonly files: Readonly<Record<string, PackageFiles | Error>>;
  readonly suites?: Readonly<Record<string, SuiteRead>>;
  /** By reference: the word of an outside image's manifest, or why there is no answer. */
  readonly outside?: Readonly<Record<string, string | Error>>;
  readonly select?: readonly string[];
  readonly memory?: UpgradeMemory;
};

const known = (...indexes: readonly ReturnType<typeof indexWith>[]): SuiteRead => ({ known: true, indexes });

async function reading(text: string, world: World): Promise<UpgradesRead & { readonly asked: readonly string[] }> {
  const graph = tree(text, world.rolling);
  const asked: string[] = [];
  const byDigest = new Map(Object.entries(world.files).map(([word, files]) => [manifest(word), [word, files] as const]));
  const answer = <T>(what: T | Error): T => {
    if (what instanceof Error) throw what;
    return what;
  };
  const archive: PackageArchive = {
    async readSuite({ suite }) {
      asked.push(`suite ${suite}`);
      return (world.suites ?? { trixie: known(indexWith('trixie', ['ssl 2', 'php 9'])) })[suite]!;
    },
  };
  const read = await readUpgrades(
    graph,
    stateFor(graph, { images: world.images ?? Object.fromEntries(Object.keys(world.files).map((word) => [word.split(' ')[0]!, word.endsWith(' 2.0') ? published(word.split(' ')[0]!) : rolled(word.split(' ')[0]!)])) }),
    world.select === undefined ? undefined : new Set(world.select),
    {
      packages: {
        async filesOf(ref, digest) {
          const [word, files] = byDigest.get(digest)!;
          asked.push(`files ${formatImageRef(ref)} ${word}`);
          return answer(files);
        },
      },
      published: {
        async digestOf(ref) {
          asked.push(`digest ${formatImageRef(ref)}`);
          const word = answer(world.outside?.[formatImageRef(ref)]);
          return word === undefined ? undefined : manifest(word);
        },
      },
    },
    inArchives(archive, new AbortController().signal, world.memory),
    new AbortController().signal,
  );
  return { ...read, asked };
}

/** `image package from to` of all upgrades, and `image ?` of each that is unknown. */
function told({ images }: UpgradesRead): readonly string[] {
  return [...images].flatMap(([name, { upgrades, unknown }]) => [...upgrades.map((one) => `${name} ${one.package} ${one.from} ${one.to}`), ...unknown.map(() => `${name} ?`)]);
}

describe('readUpgrades', () => {
  it('an image that is published is compared with the archives of its own sources', async () => {
    const read = await reading('base', { files: { 'base 2.0': filesWith(['ssl 1', 'php 9']) } });
    expect(told(read)).toEqual(['base ssl 1 2']);
    expect([...read.images.get('base')!.installed]).toEqual([['dpkg:amd64', '1'], ['ssl:amd64', '1'], ['php:amd64', '9']]);
    expect(read.images.get('base')!.digest).toBe(manifest('base 2.0'));
  });
  it('an outside image whose sources cannot be read, and whom nobody asks them, makes nothing unknown', async () => {
    const files = { 'web 2.0': filesWith(['ssl 1', 'php 8']), debian: filesWith(['ssl 1'], 'deb cdrom:[x]/ trixie main\ndeb [signed-by=/no.gpg] http://a.org/d trixie main\n') };
    const read = await reading('outside/debian:12 ← web', { images: { web: published('web') }, files, outside: { 'outside/debian:12': 'debian' } });
    expect([told(read), [...read.outside.values()].map(({ unknown }) => unknown)]).toEqual([['web ssl 1 2', 'web php 8 9'], [[]]]);
  });
  it('one whose sources name a key that it lacks is unknown', async () => {
    expect(told(await reading('base', { files: { 'base 2.0': filesWith(['ssl 1'], 'deb [signed-by=/no.gpg] http://a.org/d trixie main\n') } }))).toEqual(['base ?']);
  });
  it('one that is not published is none of it', async () => {
    expect((await reading('base ← web', { files: { 'base 2.0': filesWith([]) } })).images.has('web')).toBe(false);
  });
  it('what is looked at is what :latest is, not a version that waits for its promotion', async () => {
    const read = await reading('base', { images: { base: { version: image('base 2.0'), latest: image('base 1.1') } }, files: { 'base 1.1': filesWith(['ssl 1']), 'base 2.0': filesWith(['ssl 2']) } });
    expect(told(read)).toEqual(['base ssl 1 2']);
  });
  it('where there is no :latest it is the version', async () => {
    const read = await reading('base', { images: { base: { version: image('base 2.0') } }, files: { 'base 2.0': filesWith(['ssl 1']) } });
    expect(told(read)).toEqual(['base ssl 1 2']);
  });
  it('images of one content are compared once, and each suite is asked once', async () => {
    const same = filesWith(['ssl 1']);
    const read = await reading('base ← web, base ← tool', { files: { 'base 2.0': same, 'web 2.0': same, 'tool 2.0': filesWith(['ssl 1', 'php 8']) } });
    expect(told(read)).toEqual(['base ssl 1 2', 'tool ssl 1 2', 'tool php 8 9', 'web ssl 1 2']);
    expect(read.asked.filter((one) => one === 'suite trixie')).toHaveLength(1);
    expect(read.images.get('web')!.installed).toBe(read.images.get('base')!.installed);
  });
  it.each<readonly [string, string, string, string]>([
    ['other keys', 'k1', 'k2', SOURCES.replace('trusted=yes', 'signed-by=/etc/apt/keyrings/k.gpg')],
    ['no need of a signature', 'k1', 'k1', SOURCES],
    ['other components', 'k1', 'k1', SOURCES.replace('main', 'main contrib').replace('trusted=yes', 'signed-by=/etc/apt/keyrings/k.gpg')],
  ])('a suite is asked again for an image with %s', async (_, one, other, sources) => {
    const withKey = (key: string, text: string): PackageFiles => new Map([...filesWith([], text), ...packageFiles({ '/etc/apt/keyrings/k.gpg': key })]);
    const signed = SOURCES.replace('trusted=yes', 'signed-by=/etc/apt/keyrings/k.gpg');
    const read = await reading('base, web', { files: { 'base 2.0': withKey(one, signed), 'web 2.0': withKey(other, sources) } });
    expect(read.asked.filter((asked) => asked === 'suite trixie')).toHaveLength(2);
  });
  it('what was found of an image is remembered until its archives have something else', async () => {
    const memory = createUpgradeMemory(undefined, 0);
    const recalled: boolean[] = [];
    const watched: UpgradeMemory = { ...memory, recall: (key) => (recalled.push(memory.recall(key) !== undefined), memory.recall(key)) };
    const of = async (...packages: readonly string[]): Promise<readonly string[]> => told(await reading('base', { memory: watched, files: { 'base 2.0': filesWith(['ssl 1']) }, suites: { trixie: known(indexWith('trixie', packages)) } }));
    expect([await of('ssl 2'), await of('ssl 2'), await of('ssl 3')]).toEqual([['base ssl 1 2'], ['base ssl 1 2'], ['base ssl 1 3']]);
    expect(recalled).toEqual([false, true, false]);
  });
  it('an archive that is unknown makes the images that ask it unknown, and no others; what the others have is still told', async () => {
    const suites = { trixie: known(indexWith('trixie', ['ssl 2'])), 'trixie-security': { known: false, unknown: EXPIRED } as const };
    const read = await reading('base, web', { suites, files: { 'base 2.0': filesWith(['ssl 1']), 'web 2.0': filesWith(['ssl 1'], SOURCES + SECURITY) } });
    expect(told(read)).toEqual(['base ssl 1 2', 'web ssl 1 2', 'web ?']);
    expect(read.images.get('web')!.unknown).toEqual([EXPIRED]);
  });
  it('an archived suite is no trouble: it is named', async () => {
    const suites: World['suites'] = { trixie: known(indexWith('trixie', ['ssl 2'])), 'trixie-security': { known: true, indexes: [], archived: true } };
    const read = await reading('base, web', { suites, files: { 'base 2.0': filesWith(['ssl 1']), 'web 2.0': filesWith(['ssl 1'], SECURITY + SOURCES + SECURITY) } });
    expect(told(read)).toEqual(['base ssl 1 2', 'web ssl 1 2']);
    expect([...read.images.values()].map(({ archived }) => archived)).toEqual([[], ['trixie-security']]);
  });
  it('an image that has packages and no source is told from one that has none of either', async () => {
    const read = await reading('base, web, tool', { files: { 'base 2.0': filesWith(['ssl 1'], ''), 'web 2.0': packageFiles({}), 'tool 2.0': filesWith(['ssl 2']) } });
    expect([...read.images].map(([name, { withoutSources, unknown }]) => [name, withoutSources, unknown])).toEqual([['base', true, []], ['tool', false, []], ['web', false, []]]);
  });
  it('an image whose files cannot be made out is unknown, and no other', async () => {
    const read = await reading('base, web', { files: { 'base 2.0': new UnreadableImage('a layer of base is no tar'), 'web 2.0': filesWith(['ssl 1']) } });
    expect(told(read)).toEqual(['base ?', 'web ssl 1 2']);
    expect(read.images.get('base')!.unknown).toEqual([{ why: 'unreadable', says: 'a layer of base is no tar' }]);
  });
  it('a registry that does not answer is no image that is unknown: it is told as it is', async () => {
    const down = new RegistryError('does not answer', REGISTRY, undefined);
    await expect(reading('base', { files: { 'base 2.0': down } })).rejects.toBe(down);
  });
  it('what was not selected is read if something that was may have packages from it, and nothing else', async () => {
    const files = { 'base 2.0': filesWith(['ssl 1']), 'python 2.0': filesWith(['ssl 1']), 'web 2.0': filesWith(['ssl 1']), 'tool 2.0': filesWith([]), 'other 2.0': filesWith([]) };
    const read = await reading('base ← python ← web, tool ← web, base ← other', { files, select: ['web'] });
    expect([...read.images.keys()]).toEqual(['base', 'python', 'web']);
  });
});

describe('outside images', () => {
  const web = { 'web 2.0': filesWith(['ssl 1']) };
  it('below an image that is outdated are read as they are today, by their tag', async () => {
    const read = await reading('outside/debian:12 ← web', { files: { ...web, debian: filesWith(['ssl 1']) }, outside: { 'outside/debian:12': 'debian' } });
    expect(read.outside.get('outside/debian:12')).toEqual({ digest: manifest('debian'), unknown: [], installed: new Map([['dpkg:amd64', '1'], ['ssl:amd64', '1']]) });
    expect(read.asked.filter((one) => one.startsWith('suite'))).toEqual(['suite trixie']);
  });
  it('without a tag are what latest is', async () => {
    const read = await reading('outside/debian ← web', { files: { ...web, debian: filesWith([]) }, outside: { 'outside/debian:latest': 'debian' } });
    expect(read.outside.get('outside/debian')!.digest).toBe(manifest('debian'));
  });
  it('of which a digest is named are that, whatever a tag is', async () => {
    const ref = `outside/debian@${manifest('debian')}`;
    const read = await reading(`${ref} ← web`, { files: { ...web, debian: filesWith([]) } });
    expect(read.outside.get(ref)!.digest).toBe(manifest('debian'));
    expect(read.asked.filter((one) => one.startsWith('digest'))).toEqual([]);
  });
  it('below an image that is not outdated are not asked for', async () => {
    const read = await reading('outside/debian:12 ← web', { files: { 'web 2.0': filesWith(['ssl 2']) } });
    expect(read.outside.size).toBe(0);
  });
  it('are no excuse for what went wrong here', async () => {
    const interrupted = new Error('interrupted');
    await expect(reading('outside/debian:12 ← web', { files: web, outside: { 'outside/debian:12': interrupted } })).rejects.toBe(interrupted);
  });
  it('that no registry has bring nothing', async () => {
    const read = await reading('outside/debian:12 ← web', { files: web });
    expect(read.outside.get('outside/debian:12')).toEqual({ digest: undefined, unknown: [], installed: new Map() });
    expect(told(read)).toEqual(['web ssl 1 2']);
  });
  it.each<[string, World['outside'], World['files'], string]>([
    ['whose registry does not answer', { 'outside/debian:12': new RegistryError('hub is down', 'hub', undefined) }, web, 'outside/debian:12, which it stands on, could not be read: hub is down'],
    ['that are no image', { 'outside/debian:12': 'debian' }, { ...web, debian: new UnreadableImage('no tar') }, 'no tar'],
  ])('%s make images on them unknown: nobody can tell whose rebuild mends them', async (_, outside, files, says) => {
    const read = await reading('outside/debian:12 ← web', { files, outside: outside! });
    expect(told(read)).toEqual(['web ssl 1 2', 'web ?']);
    expect(read.images.get('web')!.unknown).toEqual([{ why: 'unreadable', says }]);
  });
});
