import { describe, expect, it } from '@jest/globals';
import type { LayerRecord } from '../../../src/packages/layer-record.js';
import { OddLayer } from '../../../src/packages/odd-layer.js';
import { PACKAGE_ROOTS } from '../../../src/packages/package-paths.js';
import { digestOf, type Digest } from '../../../src/shared/digest.js';
import { EngineError, RegistryError } from '../../../src/shared/errors.js';
import type { ImageFilesOnEngine, ImageLayers, PackageCache } from '../../../src/state/image-layers.js';
import { UnreadableImage } from '../../../src/state/package-reader.js';
import { createPackageReader } from '../../../src/state/read-package-files.js';

/** What a layer of this name has: path → text; `→ x` is a link. */
const LAYERS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  base: { 'etc/apt/sources.list': 'deb base' },
  top: { 'var/lib/dpkg/status': 'Package: top' },
  linked: { 'etc/apt/sources.list.d': '→ /opt/a', 'opt/a': '→ /srv/b', 'srv/b/c.list': 'deb c' },
  circle: { 'etc/apt/sources.list.d': '→ /1/x', '1': '→ /2/x', '2': '→ /3/x', '3': '→ /4/x', '4': '→ /5/x', '5': '→ /6/x', '6': '→ /7/x' },
};

const MEGABYTE = 1024 * 1024;
const ref = { registry: 'r.example.org', repository: 'a/b' };
const signal = new AbortController().signal;
const idOf = (image: string): Digest => digestOf(`image ${image}`);

/** How the outside is, where it is not as it should be. */
type Oddities = {
  /** Megabytes of a layer; unset: one. */
  readonly size?: Readonly<Record<string, number>>;
  readonly onEngine?: readonly string[];
  readonly engine?: () => void;
  readonly readLayer?: (layer: string) => void;
  readonly layersOf?: (image: string) => void | Promise<void>;
  /** Layers that unpack to something else than the image says. */
  readonly lying?: readonly string[];
};

/** Images of layers, `base+top`, in a registry; what was read, in order; and a cache that lives as long as the test. */
function world(oddities: Oddities = {}, images: readonly string[] = ['base', 'base+top', 'base+top+top', 'linked', 'circle']) {
  const deeds: string[] = [];
  const kept = new Map<string, unknown>();
  const imageOf = new Map(images.map((image) => [idOf(image), image]));
  const source: ImageLayers = {
    async layersOf(_, digest) {
      const image = imageOf.get(digest)!;
      deeds.push(`manifest ${image}`);
      await oddities.layersOf?.(image);
      return image.split('+').map((layer) => ({ digest: digestOf(`packed ${layer}`), diffId: digestOf(layer), size: (oddities.size?.[layer] ?? 1) * MEGABYTE, urls: [] }));
    },
    async readLayer(_, { diffId }, begin) {
      const layer = Object.keys(LAYERS).find((name) => digestOf(name) === diffId)!;
      deeds.push(`layer ${layer}`);
      oddities.readLayer?.(layer);
      const recording = begin();
      for (const [path, text] of Object.entries(LAYERS[layer]!)) recording.enter({ path, type: text.startsWith('→ ') ? 'link' : 'file', size: text.length, linkpath: text.slice(2) })?.(Buffer.from(text));
      return { diffId: oddities.lying?.includes(layer) === true ? digestOf('other') : diffId, record: recording.record() };
    },
  };
  const cache: PackageCache = {
    image: (digest) => kept.get(digest) as ReturnType<PackageCache['image']>,
    keepImage: (digest, files) => void kept.set(digest, files),
    layer: (diffId, roots) => kept.get([diffId, ...roots].join()) as LayerRecord | undefined,
    keepLayer: (diffId, roots, record) => void kept.set([diffId, ...roots].join(), record),
  };
  const engine: ImageFilesOnEngine = {
    async withImage(name, use) {
      const image = imageOf.get(name.slice(name.indexOf('@') + 1) as Digest)!;
      deeds.push(`engine ${image}`);
      oddities.engine?.();
      if (oddities.onEngine?.includes(image) !== true) return undefined;
      return use(async (roots, recording) => {
        deeds.push(`look ${roots.length === PACKAGE_ROOTS.length ? 'first' : roots.join(' ')}`);
        for (const [path, text] of Object.entries(LAYERS[image]!)) recording.enter({ path, type: text.startsWith('→ ') ? 'link' : 'file', size: text.length, linkpath: text.slice(2) })?.(Buffer.from(text));
      });
    },
    removeLeftovers: () => Promise.resolve(),
  };
  const open = (): ReturnType<typeof createPackageReader> => createPackageReader(source, cache, engine);
  const reader = open();
  const read = async (image: string, by = reader): Promise<Record<string, string>> => Object.fromEntries([...(await by.filesOf(ref, idOf(image), signal))].map(([path, bytes]) => [path, Buffer.from(bytes).toString()]));
  return { deeds, open, read, reader };
}

describe('createPackageReader', () => {
  it('reads each layer once, however many images have it, all at once or one after the other', async () => {
    const { deeds, read } = world();
    await Promise.all([read('base'), read('base+top'), read('base')]);
    await read('base+top+top');
    expect(deeds.filter((deed) => deed.startsWith('layer'))).toEqual(['layer base', 'layer top']);
  });
  it('merges them', async () => {
    expect(await world().read('base+top')).toEqual({ '/etc/apt/sources.list': 'deb base', '/var/lib/dpkg/status': 'Package: top' });
  });
  it('asks nothing for an image that another run has read, and for no layer that it has read', async () => {
    const { deeds, open, read } = world();
    await read('base+top');
    deeds.length = 0;
    expect(await read('base+top', open())).toEqual({ '/etc/apt/sources.list': 'deb base', '/var/lib/dpkg/status': 'Package: top' });
    expect(deeds).toEqual([]);
    await read('base', open());
    expect(deeds).toEqual(['manifest base']);
  });
  it('looks again where links lead, and remembers it', async () => {
    const { deeds, open, read } = world();
    expect(await read('linked')).toEqual({ '/etc/apt/sources.list.d/c.list': 'deb c' });
    expect(deeds).toEqual(['manifest linked', 'layer linked', 'layer linked', 'layer linked']);
    expect(await read('linked', open())).toEqual({ '/etc/apt/sources.list.d/c.list': 'deb c' });
    expect(deeds).toHaveLength(4);
  });
  it('links that lead on and on are left after five looks', async () => {
    const { deeds, read } = world();
    expect(await read('circle')).toEqual({});
    expect(deeds.filter((deed) => deed === 'layer circle')).toHaveLength(5);
  });

  it.each<[string, Oddities, RegExp]>([
    ['a layer that is none', { readLayer: (layer) => { if (layer === 'top') throw new OddLayer('it is packed twice'); } }, /^a layer of r\.example\.org\/a\/b@sha256:\w+… cannot be read \(sha256:\w+…\): it is packed twice$/],
    ['a layer that unpacks to something else than the image says', { lying: ['top'] }, /it unpacks to something else than the image says$/],
    ['a manifest that is gone', { layersOf: (image) => { if (image !== 'base') throw new RegistryError('it is gone', 'r.example.org', 404); } }, /^it is gone$/],
  ])('%s is that image\'s trouble alone', async (_, oddities, message) => {
    const { read } = world(oddities);
    const reading = read('base+top');
    await expect(reading).rejects.toThrow(UnreadableImage);
    await expect(reading).rejects.toThrow(message);
    expect(await read('base')).toEqual({ '/etc/apt/sources.list': 'deb base' });
  });
  it('what an image says of a layer that is not so is not kept for others', async () => {
    const { deeds, open, read } = world({ lying: ['base'] });
    await expect(read('base')).rejects.toThrow();
    await expect(read('base', open())).rejects.toThrow();
    expect(deeds.filter((deed) => deed === 'layer base')).toHaveLength(2);
  });
  it('a registry that is away is no trouble of an image\'s', async () => {
    const { read } = world({ readLayer: () => { throw new RegistryError('no answer', 'r.example.org', undefined); } });
    const reading = read('base');
    await expect(reading).rejects.toThrow(RegistryError);
    await expect(reading).rejects.not.toThrow(UnreadableImage);
  });

  it.each<[string, Oddities, readonly string[], readonly string[]]>([
    ['an image of large layers is looked at on the engine', { size: { base: 30 }, onEngine: ['base'] }, ['base'], ['manifest base', 'engine base', 'look first']],
    ['one of small layers is not', { size: { base: 20 }, onEngine: ['base'] }, ['base'], ['manifest base', 'layer base']],
    ['nor one whose large layer is wanted by others, too', { size: { base: 40 }, onEngine: ['base'], layersOf: (image) => (image === 'base' ? undefined : new Promise((done) => setImmediate(done))) }, ['base', 'base+top'], ['manifest base', 'manifest base+top', 'layer base', 'layer top']],
    ['one that the engine does not have is read from the registry', { size: { base: 30 } }, ['base'], ['manifest base', 'engine base', 'layer base']],
    ['an engine that is away is asked once, and nothing is amiss', { size: { base: 60, linked: 60 }, engine: () => { throw new EngineError('it is gone'); } }, ['base', 'linked'], ['manifest base', 'engine base', 'layer base', 'manifest linked', 'layer linked', 'layer linked', 'layer linked']],
    ['an engine that refuses one is asked for the next', { size: { base: 60, top: 60 }, engine: () => { throw new Error('no'); } }, ['base', 'base+top'], ['manifest base', 'engine base', 'layer base', 'manifest base+top', 'engine base+top', 'layer top']],
    ['on the engine only what is new is looked at again', { size: { linked: 60 }, onEngine: ['linked'] }, ['linked'], ['manifest linked', 'engine linked', 'look first', 'look opt/a', 'look srv/b']],
  ])('%s', async (_, oddities, images, expected) => {
    const { deeds, read } = world(oddities);
    if (_.startsWith('nor')) await Promise.all(images.map((image) => read(image)));
    else for (const image of images) await read(image);
    expect(deeds).toEqual(expected);
  });

  it('keeps a layer that is at hand, if it is what it is said to be', async () => {
    const { deeds, open, read, reader } = world();
    const record: LayerRecord = [['etc/apt/sources.list', { change: 'file', content: Buffer.from('deb kept') }]];
    await reader.keepLayer(digestOf('base'), async () => ({ diffId: digestOf('other'), record }));
    expect(await read('base')).toEqual({ '/etc/apt/sources.list': 'deb base' });
    await reader.keepLayer(digestOf('top'), async () => ({ diffId: digestOf('top'), record }));
    expect(await read('base+top', open())).toEqual({ '/etc/apt/sources.list': 'deb kept' });
    expect(deeds).not.toContain('layer top');
  });
});
