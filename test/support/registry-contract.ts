import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { systemClock } from '../../src/adapters/clock.js';
import { createRegistry, type RegistryOptions } from '../../src/adapters/registry/registry.js';
import type { ImageRef } from '../../src/shared/image-ref.js';
import type { Pushes } from './tiny-image.js';

/** A registry that the suite runs against. */
export type ContractSubject = Pushes & { readonly host: string; readonly ca?: string | undefined; readonly users?: Readonly<Record<string, string>>; stop(): Promise<void> };

/** Options of a test's registry client, quick to give up. */
export function testOptions(more: Partial<RegistryOptions> = {}): RegistryOptions {
  return {
    credentialsFor: () => Promise.resolve(undefined),
    insecureRegistries: [],
    timeouts: { connect: 2, idle: 5 },
    clock: systemClock,
    random: () => 0,
    userAgent: 'build-images-test',
    platform: 'linux/amd64',
    ...more,
  };
}

/** A signal that nobody aborts. */
export const never = (): AbortSignal => new AbortController().signal;

/** What holds for every registry, real or made up: a fake that passes may stand in for the real one. */
export function registryContract(name: string, start: () => Promise<ContractSubject>): void {
  describe(name, () => {
    let subject: ContractSubject;
    let registry: ReturnType<typeof createRegistry>;
    beforeAll(async () => {
      subject = await start();
      const [user] = Object.entries(subject.users ?? {});
      const login = user === undefined ? undefined : { username: user[0], password: user[1] };
      registry = createRegistry(testOptions({ ca: subject.ca, credentialsFor: () => Promise.resolve(login) }));
    });
    afterAll(async () => {
      registry.close();
      await subject.stop();
    });
    const ref = (repository: string, tag: string): ImageRef => ({ registry: subject.host, repository, tag });

    it.each(['oci', 'docker'] as const)('a tag of manifest type %s has the digest it was pushed with', async (format) => {
      const digest = await subject.pushImage(`contract/${format}`, '1.0', { format });
      expect(await registry.digestOf(ref(`contract/${format}`, '1.0'), never())).toBe(digest);
    });

    it('a tag, and a repository, that is not there is absent', async () => {
      await subject.pushImage('contract/there', '1.0');
      expect(await registry.digestOf(ref('contract/there', '2.0'), never())).toBeUndefined();
      expect(await registry.digestOf(ref('contract/nowhere', '1.0'), never())).toBeUndefined();
    });

    it('the config of an image tells its labels, date and platform', async () => {
      const digest = await subject.pushImage('contract/config', '1', { labels: { 'org.opencontainers.image.version': '1' }, created: '2026-11-20T10:00:00Z', platform: 'linux/arm/v7' });
      expect(await registry.configOf(ref('contract/config', '1'), digest, never())).toEqual({
        labels: { 'org.opencontainers.image.version': '1' },
        created: '2026-11-20T10:00:00Z',
        platform: 'linux/arm/v7',
      });
    });

    it('an image without labels has none', async () => {
      const digest = await subject.pushImage('contract/bare', '1');
      expect(await registry.configOf(ref('contract/bare', '1'), digest, never())).toEqual({ labels: {}, created: undefined, platform: 'linux/amd64' });
    });

    it.each(['oci', 'docker'] as const)('the config of an index of type %s is that of the wanted platform', async (format) => {
      const repository = `contract/index-${format}`;
      const digest = await subject.pushIndex(repository, '1', [{ platform: 'linux/s390x', labels: { is: 'wrong' } }, { platform: 'linux/amd64', labels: { is: 'right' } }], format);
      expect(await registry.digestOf(ref(repository, '1'), never())).toBe(digest);
      expect((await registry.configOf(ref(repository, '1'), digest, never())).labels).toEqual({ is: 'right' });
    });

    it('an index without the wanted platform says nothing of its origin', async () => {
      const digest = await subject.pushIndex('contract/other', '1', [{ platform: 'linux/s390x', labels: { is: 'theirs' } }]);
      expect(await registry.configOf(ref('contract/other', '1'), digest, never())).toEqual({ labels: {}, created: undefined, platform: 'unknown/unknown' });
    });

    it('the tags of a repository are all listed; of one that is not there, none', async () => {
      for (const tag of ['1', '2', '3', 'latest']) await subject.pushImage('contract/tags', tag);
      expect([...(await registry.tagsOf(ref('contract/tags', '1'), never()))].sort()).toEqual(['1', '2', '3', 'latest']);
      expect(await registry.tagsOf(ref('contract/nowhere', '1'), never())).toEqual([]);
    });

    it('the right to push is proved without leaving a repository behind', async () => {
      await registry.probePush(ref('contract/probed', '1'), never());
      expect(await registry.tagsOf(ref('contract/probed', '1'), never())).toEqual([]);
    });

    it.each(['oci', 'docker'] as const)('a tag moves to another %s manifest without its layers', async (format) => {
      const repository = `contract/move-${format}`;
      const old = await subject.pushImage(repository, 'latest', { format, labels: { is: 'old' } });
      const next = await subject.pushImage(repository, '2', { format, labels: { is: 'new' } });
      await registry.putTag(ref(repository, '2'), next, 'latest', never());
      expect(await registry.digestOf(ref(repository, 'latest'), never())).toBe(next);
      expect(next).not.toBe(old);
    });

    it.each(['oci', 'docker'] as const)('a tag moves to an index of type %s, which keeps its digest and its type', async (format) => {
      const repository = `contract/move-index-${format}`;
      const index = await subject.pushIndex(repository, '2', [{ platform: 'linux/s390x' }, { platform: 'linux/amd64', labels: { is: 'ours' } }], format);
      await registry.putTag(ref(repository, '2'), index, 'latest', never());
      expect(await registry.digestOf(ref(repository, 'latest'), never())).toBe(index);
      expect((await registry.configOf(ref(repository, 'latest'), index, never())).labels).toEqual({ is: 'ours' });
    });

    it('a manifest that is not there cannot be given a tag', async () => {
      await subject.pushImage('contract/move', '1');
      const missing = `sha256:${'0'.repeat(64)}` as const;
      await expect(registry.putTag(ref('contract/move', '1'), missing, 'latest', never())).rejects.toMatchObject({ status: 404, exit: 5 });
      expect(await registry.digestOf(ref('contract/move', 'latest'), never())).toBeUndefined();
    });

    it('an aborted question rejects with the reason of the abort', async () => {
      const reason = new Error('stop');
      await expect(registry.digestOf(ref('contract/there', '1.0'), AbortSignal.abort(reason))).rejects.toBe(reason);
    });
  });
}
