import { describe, expect, it } from '@jest/globals';
import { namesIn } from '../../../src/state/engine-images.js';

const local = (tags: readonly string[], repoDigests: readonly string[] = []) => ({ id: 'sha256:a', tags, repoDigests, labels: {} });

describe('the names of one repository that an image has', () => {
  const ref = { registry: 'registry.example.org', repository: 'ns/web' };
  it.each<[string, readonly string[], readonly string[], readonly object[]]>([
    ['its tags', ['registry.example.org/ns/web:1.0'], [], [{ name: 'registry.example.org/ns/web:1.0', tag: '1.0' }]],
    ['none of a repository that begins alike, or lies below', ['registry.example.org/ns/web-x:1.0', 'registry.example.org/ns/web/x:1.0'], [], []],
    ['none of another registry', ['other.example.org/ns/web:1.0', 'ns/web:1.0'], [], []],
    ['its digests, behind its tags', ['registry.example.org/ns/web:1.0'], ['registry.example.org/ns/web@sha256:b', 'other/web@sha256:b'], [{ name: 'registry.example.org/ns/web:1.0', tag: '1.0' }, { name: 'registry.example.org/ns/web@sha256:b', tag: undefined }]],
  ])('%s', (_, tags, digests, names) => expect(namesIn(ref, local(tags, digests))).toEqual(names));
  it.each(['docker.io/ns/web:1.0', 'ns/web:1.0'])('of docker.io is known as %s, too', (name) => expect(namesIn({ registry: 'docker.io', repository: 'ns/web' }, local([name]))).toEqual([{ name, tag: '1.0' }]));
});
