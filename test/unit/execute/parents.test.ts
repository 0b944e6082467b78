import { describe, expect, it } from '@jest/globals';
import { createParents, type ParentOptions, type TreeImage } from '../../../src/execute/parents.js';
import { EngineError, RegistryError } from '../../../src/shared/errors.js';
import { digestOf } from '../../../src/shared/digest.js';
import { parseImageRef } from '../../../src/shared/image-ref.js';
import { outsideInMemory, type Hooks, type OutsideInMemory } from '../../support/outside-in-memory.js';
import { manifest, REGISTRY } from '../../support/plan-tree.js';

const TOKEN = '20260101-0000.abcdef';
const DEBIAN = 'docker.io/library/debian:12';
const inTree = (part: Partial<TreeImage>): TreeImage => ({ ref: parseImageRef(`${REGISTRY}/base:2.0`)!, id: undefined, digest: undefined, ...part });

function parentsOn(prepare: (outside: OutsideInMemory) => void, options: Partial<ParentOptions> = {}, hooks: Hooks = {}) {
  const outside = outsideInMemory(hooks);
  prepare(outside);
  const { bring, runTags } = createParents(outside.ports, { token: TOKEN, noPull: false, pullSeconds: 60, platform: undefined, warn: (message) => void outside.deeds.push(`warn: ${message}`), treeImage: () => undefined, ...options }, new AbortController().signal);
  return { outside, runTags, outsideImage: (ref: string) => bring({ ref, image: undefined }), treeImage: (ref = `${REGISTRY}/base:2.0`) => bring({ ref, image: 'base' }) };
}

describe('an outside image', () => {
  it('is pulled by the digest that its registry has, and gets a tag of this run', async () => {
    const { outsideImage, outside, runTags } = parentsOn(({ published }) => published.set(DEBIAN, manifest('debian')));
    expect(await outsideImage(DEBIAN)).toMatchObject({ ref: DEBIAN, digest: manifest('debian'), runTag: `docker.io/library/debian:run-${TOKEN}`, unpublishable: undefined });
    expect(outside.deeds).toEqual([`pull docker.io/library/debian@${manifest('debian')}`]);
    expect([...runTags]).toEqual([`docker.io/library/debian:run-${TOKEN}`]);
    expect(outside.names.get([...runTags][0]!)).toBe(digestOf(`pulled docker.io/library/debian@${manifest('debian')}`));
  });
  it('is not pulled when the engine has that digest', async () => {
    const { outsideImage, outside } = parentsOn(({ published, have }) => {
      published.set(DEBIAN, manifest('debian'));
      have('sha256:there', [], { repoDigests: [`docker.io/library/debian@${manifest('debian')}`] });
    });
    await outsideImage(DEBIAN);
    expect([outside.deeds, outside.names.get(`docker.io/library/debian:run-${TOKEN}`)]).toEqual([[], 'sha256:there']);
  });
  it('is pulled from a mirror that has it, and recorded as its own registry\'s', async () => {
    const { outsideImage, outside } = parentsOn(({ published }) => published.set(DEBIAN, manifest('debian')), {}, { mirrorNames: () => ['mirror.example.org/hub/library/debian'] });
    expect(await outsideImage(DEBIAN)).toMatchObject({ ref: DEBIAN, digest: manifest('debian'), runTag: `docker.io/library/debian:run-${TOKEN}`, unpublishable: undefined });
    expect(outside.deeds).toEqual([`pull mirror.example.org/hub/library/debian@${manifest('debian')}`]);
  });
  it('that the engine has under a mirror\'s name is not pulled', async () => {
    const { outsideImage, outside } = parentsOn(
      ({ published, have }) => {
        published.set(DEBIAN, manifest('debian'));
        have('sha256:there', [], { repoDigests: [`mirror.example.org/hub/library/debian@${manifest('debian')}`] });
      },
      {},
      { mirrorNames: () => ['mirror.example.org/hub/library/debian'] },
    );
    await outsideImage(DEBIAN);
    expect([outside.deeds, outside.names.get(`docker.io/library/debian:run-${TOKEN}`)]).toEqual([[], 'sha256:there']);
  });
  it('that the engine cannot get from a mirror comes from its registry, and that is said', async () => {
    const hooks: Hooks = {
      mirrorNames: () => ['mirror.example.org/hub/library/debian'],
      pull: (ref) => {
        if (ref.startsWith('mirror.')) throw new RegistryError('x509', 'mirror.example.org', undefined);
      },
    };
    const { outsideImage, outside } = parentsOn(({ published }) => published.set(DEBIAN, manifest('debian')), {}, hooks);
    await outsideImage(DEBIAN);
    expect(outside.deeds).toEqual([`pull mirror.example.org/hub/library/debian@${manifest('debian')}`, 'warn: the engine does not get it from the mirror: x509', `pull docker.io/library/debian@${manifest('debian')}`]);
  });
  it('that the engine cannot get from its registry is a fault; so is an engine that is gone', async () => {
    const failing = (error: Error) => parentsOn(({ published }) => published.set(DEBIAN, manifest('debian')), {}, { mirrorNames: () => ['mirror.example.org/debian'], pull: () => { throw error; } });
    const refused = failing(new RegistryError('no', 'docker.io', 403));
    await expect(refused.outsideImage(DEBIAN)).rejects.toThrow('no');
    expect(refused.outside.deeds).toHaveLength(3);
    const gone = failing(new EngineError('gone'));
    await expect(gone.outsideImage(DEBIAN)).rejects.toThrow('gone');
    expect(gone.outside.deeds).toHaveLength(1);
  });
  it('is pulled for the platform that is built for, also when the engine has that digest for another', async () => {
    const pulls: (string | undefined)[] = [];
    const prepare = ({ published, have }: OutsideInMemory): void => {
      published.set(DEBIAN, manifest('debian'));
      have('sha256:there', [], { repoDigests: [`docker.io/library/debian@${manifest('debian')}`], platform: 'linux/amd64' });
    };
    await parentsOn(prepare, { platform: 'linux/arm64' }, { platformOf: () => 'linux/arm64', pull: (_, __, platform) => void pulls.push(platform) }).outsideImage(DEBIAN);
    await parentsOn(prepare, { platform: 'linux/amd64' }, { pull: (_, __, platform) => void pulls.push(platform) }).outsideImage(DEBIAN);
    expect(pulls).toEqual(['linux/arm64']);
  });
  it('that is for another platform alone is said, and not pulled', async () => {
    const { outsideImage, outside } = parentsOn(({ published }) => published.set(DEBIAN, manifest('debian')), { platform: 'linux/arm64' }, { platformOf: () => 'linux/amd64' });
    await expect(outsideImage(DEBIAN)).rejects.toMatchObject({ phase: 'build', message: `it stands on ${DEBIAN}, which its registry does not have for linux/arm64, the config's platform` });
    expect(outside.deeds).toEqual([]);
  });
  it("is pulled in spite of --no-pull when the engine's is for another platform", async () => {
    const prepare = ({ published, have }: OutsideInMemory): void => {
      published.set(DEBIAN, manifest('debian'));
      have('sha256:there', [DEBIAN], { platform: 'linux/amd64' });
    };
    const { outsideImage, outside } = parentsOn(prepare, { platform: 'linux/arm64', noPull: true }, { platformOf: () => 'linux/arm64' });
    await outsideImage(DEBIAN);
    expect(outside.deeds).toEqual([`pull docker.io/library/debian@${manifest('debian')}`]);
  });
  it('is pulled again when another run took its last name away just now', async () => {
    let taken = false;
    const { outsideImage, outside } = parentsOn(
      ({ published, have }) => {
        published.set(DEBIAN, manifest('debian'));
        have('sha256:there', [], { repoDigests: [`docker.io/library/debian@${manifest('debian')}`] });
      },
      {},
      {
        tag: async (_, __, { lose }) => {
          if (taken) return;
          taken = true;
          lose('sha256:there');
          throw new Error('No such image');
        },
      },
    );
    expect(await outsideImage(DEBIAN)).toMatchObject({ digest: manifest('debian') });
    expect(outside.deeds).toEqual([`pull docker.io/library/debian@${manifest('debian')}`]);
  });
  it('is never taken from a tag that happens to be on the engine', async () => {
    const { outsideImage, outside } = parentsOn(({ published, have }) => {
      published.set(DEBIAN, manifest('debian'));
      have('sha256:stale', [DEBIAN]);
    });
    expect((await outsideImage(DEBIAN)).digest).toBe(manifest('debian'));
    expect(outside.deeds).toHaveLength(1);
  });
  it('that does not come in time is a fault of its registry', async () => {
    const hanging: Hooks = { pull: (_, signal) => new Promise((__, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))) };
    const { outsideImage } = parentsOn(({ published }) => published.set(DEBIAN, manifest('debian')), { pullSeconds: 0.01 }, hanging);
    await expect(outsideImage(DEBIAN)).rejects.toMatchObject({ name: 'RegistryError', registry: 'docker.io', message: `the pull of docker.io/library/debian@${manifest('debian')} did not end within 0.01 s` });
  });
  it('without a tag is :latest', async () => {
    const { outsideImage } = parentsOn(({ published }) => published.set('docker.io/library/debian:latest', manifest('debian')));
    expect((await outsideImage('docker.io/library/debian')).digest).toBe(manifest('debian'));
  });
  it('with a digest is asked of nobody', async () => {
    const { outsideImage } = parentsOn(() => undefined, {}, { digestOf: () => { throw new Error('asked'); } });
    expect((await outsideImage(`debian@${manifest('pinned')}`)).digest).toBe(manifest('pinned'));
  });
  it('is brought once, however many build on it at the same time', async () => {
    const { outsideImage, outside } = parentsOn(({ published }) => published.set(DEBIAN, manifest('debian')));
    const [a, b] = await Promise.all([outsideImage(DEBIAN), outsideImage(DEBIAN)]);
    expect([a === b, outside.deeds.length]).toEqual([true, 1]);
  });
  it('in two tags gets two tags of this run', async () => {
    const { outsideImage } = parentsOn(({ published }) => {
      published.set(DEBIAN, manifest('12'));
      published.set('docker.io/library/debian:11', manifest('11'));
    });
    const tags = [(await outsideImage(DEBIAN)).runTag, (await outsideImage('docker.io/library/debian:11')).runTag];
    expect(tags).toEqual([`docker.io/library/debian:run-${TOKEN}`, `docker.io/library/debian:run-${TOKEN}.2`]);
  });
  it.each([
    ['that its registry does not have', DEBIAN, `it stands on ${DEBIAN}, which its registry does not have`],
    ['that is no reference', 'Not A Reference', '"Not A Reference" is no image reference'],
  ])('%s is a failure', async (_, ref, message) => {
    await expect(parentsOn(() => undefined).outsideImage(ref)).rejects.toMatchObject({ name: 'StepFailure', phase: 'build', message });
  });
});

describe('an outside image with --no-pull', () => {
  const noPull = { noPull: true };
  it('is the engine\'s, and what stands on it may not be published when the registry has another', async () => {
    const { outsideImage, outside } = parentsOn(({ published, have }) => {
      published.set(DEBIAN, manifest('newer'));
      have('sha256:old', [DEBIAN], { repoDigests: [`docker.io/library/debian@${manifest('older')}`] });
    }, noPull);
    expect(await outsideImage(DEBIAN)).toMatchObject({ digest: 'id:sha256:old', unpublishable: `it stands on the engine's ${DEBIAN}, which is not the registry's (--no-pull)` });
    expect(outside.deeds).toEqual([]);
  });
  it('may be published when it is the registry\'s', async () => {
    const { outsideImage } = parentsOn(({ published, have }) => {
      published.set(DEBIAN, manifest('same'));
      have('sha256:same', [DEBIAN], { repoDigests: [`docker.io/library/debian@${manifest('same')}`] });
    }, noPull);
    expect(await outsideImage(DEBIAN)).toMatchObject({ digest: manifest('same'), unpublishable: undefined });
  });
  it('may be published also where the engine calls its registry by no name, as it does with docker.io', async () => {
    const { outsideImage } = parentsOn(({ published, have }) => {
      published.set(DEBIAN, manifest('same'));
      have('sha256:same', [DEBIAN], { repoDigests: [`debian@${manifest('same')}`] });
    }, noPull);
    expect(await outsideImage(DEBIAN)).toMatchObject({ digest: manifest('same'), unpublishable: undefined });
  });
  it('is the engine\'s also where no registry answers', async () => {
    const { outsideImage } = parentsOn(({ have }) => have('sha256:old', [DEBIAN]), noPull, { digestOf: () => { throw new Error('no answer'); } });
    expect(await outsideImage(DEBIAN)).toMatchObject({ digest: 'id:sha256:old', unpublishable: expect.any(String) });
  });
  it('is pulled when the engine has none', async () => {
    const { outsideImage, outside } = parentsOn(({ published }) => published.set(DEBIAN, manifest('debian')), noPull);
    await outsideImage(DEBIAN);
    expect(outside.deeds).toHaveLength(1);
  });
});

describe('an image of the tree', () => {
  it('that this run built is taken as it is on the engine, by its id', async () => {
    const { treeImage, outside } = parentsOn(({ have }) => have('sha256:made', []), { treeImage: () => inTree({ id: 'sha256:made', digest: manifest('made') }) });
    expect(await treeImage()).toMatchObject({ digest: manifest('made'), runTag: `${REGISTRY}/base:run-${TOKEN}`, image: { id: 'sha256:made' } });
    expect(outside.deeds).toEqual([]);
  });
  it('that was never pushed is recorded by its image id', async () => {
    const { treeImage } = parentsOn(({ have }) => have('sha256:made', []), { treeImage: () => inTree({ id: 'sha256:made' }) });
    expect((await treeImage()).digest).toBe('id:sha256:made');
  });
  it('that is published is pulled by its digest', async () => {
    const { treeImage, outside } = parentsOn(() => undefined, { treeImage: () => inTree({ digest: manifest('published') }) });
    expect((await treeImage()).digest).toBe(manifest('published'));
    expect(outside.deeds).toEqual([`pull ${REGISTRY}/base@${manifest('published')}`]);
  });
  it('that the engine lost after its push is pulled', async () => {
    const { treeImage, outside } = parentsOn(() => undefined, { treeImage: () => inTree({ id: 'sha256:gone', digest: manifest('pushed') }) });
    await treeImage();
    expect(outside.deeds).toEqual([`pull ${REGISTRY}/base@${manifest('pushed')}`]);
  });
  it('is not taken for the earlier build of itself that it copies from', async () => {
    const { outsideImage, treeImage } = parentsOn(({ published, have }) => {
      published.set(`${REGISTRY}/base:2.0`, manifest('earlier'));
      have('sha256:made', []);
    }, { treeImage: () => inTree({ id: 'sha256:made', digest: manifest('made') }) });
    expect([(await outsideImage(`${REGISTRY}/base:2.0`)).digest, (await treeImage()).digest]).toEqual([manifest('earlier'), manifest('made')]);
  });
  it.each([
    ['that is nowhere', undefined, 'it stands on base, which is neither in the registry nor built in this run'],
    ['that is gone from the engine and was never pushed', inTree({ id: 'sha256:gone' }), 'it stands on base, which is gone from the engine'],
  ])('%s is a failure', async (_, known, message) => {
    await expect(parentsOn(() => undefined, { treeImage: () => known }).treeImage()).rejects.toMatchObject({ message });
  });
  it('that is gone right after it got its tag is a failure', async () => {
    const { treeImage } = parentsOn(({ have, ports }) => {
      have('sha256:made', []);
      const { inspect } = ports.engine;
      (ports.engine as { inspect: typeof inspect }).inspect = async (ref, signal) => (ref.includes(':run-') ? undefined : inspect(ref, signal));
    }, { treeImage: () => inTree({ id: 'sha256:made' }) });
    await expect(treeImage()).rejects.toMatchObject({ message: `${REGISTRY}/base:2.0 was here a moment ago and is gone from the engine` });
  });
});
