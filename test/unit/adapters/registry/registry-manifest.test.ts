import { describe, expect, it } from '@jest/globals';
import { mediaTypeOf, parseConfig, parseManifest, pickPlatform } from '../../../../src/adapters/registry/registry-manifest.js';
import { digestOf } from '../../../../src/shared/digest.js';

const bytes = (value: unknown): Buffer => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
const [a, b] = [digestOf('a'), digestOf('b')];

describe('parseManifest', () => {
  it.each<[string, unknown, ReturnType<typeof parseManifest>]>([
    ['an image leads to its config', { config: { digest: a }, layers: [] }, { type: 'image', config: a }],
    ['an index leads to its images', { manifests: [{ digest: a, platform: { os: 'linux', architecture: 'arm', variant: 'v7' } }] }, { type: 'index', entries: [{ digest: a, platform: 'linux/arm/v7' }] }],
    ['an entry without a platform is of an unknown one', { manifests: [{ digest: a }] }, { type: 'index', entries: [{ digest: a, platform: 'unknown/unknown' }] }],
    ['entries that are none are left out', { manifests: [null, 1, { digest: 'md5:x' }] }, { type: 'index', entries: [] }],
    ['schema 1 leads nowhere', { schemaVersion: 1, fsLayers: [] }, { type: 'other' }],
    ['a config with another kind of digest leads nowhere', { config: { digest: 'sha512:00' } }, { type: 'other' }],
    ['a list is no manifest', [], undefined],
    ['text is no manifest', 'hello', undefined],
  ])('%s', (_, value, expected) => expect(parseManifest(bytes(value))).toEqual(expected));
});

describe('pickPlatform', () => {
  const entries = [
    { digest: a, platform: 'linux/arm64/v8' },
    { digest: b, platform: 'linux/arm64' },
    { digest: a, platform: 'linux/arm/v7' },
    { digest: a, platform: 'linux/armada' },
  ];
  it('the exact platform goes before one with a variant', () => expect(pickPlatform(entries, 'linux/arm64')).toBe(entries[1]));
  it('a variant serves who did not ask for one', () => expect(pickPlatform(entries, 'linux/arm')).toBe(entries[2]));
  it('arm64 and its v8 are one', () => expect(pickPlatform([entries[1]!], 'linux/arm64/v8')).toBe(entries[1]));
  it('another platform serves nobody', () => expect(pickPlatform(entries, 'linux/amd64')).toBeUndefined());
});

describe('parseConfig', () => {
  it.each<[string, unknown, ReturnType<typeof parseConfig>]>([
    ['labels that are no text are left out', { os: 'linux', architecture: 'amd64', config: { Labels: { a: 'x', b: 1 } } }, { labels: { a: 'x' }, created: undefined, platform: 'linux/amd64' }],
    ['no labels at all', { os: 'linux', architecture: 'amd64', created: '2026-11-20T00:00:00Z' }, { labels: {}, created: '2026-11-20T00:00:00Z', platform: 'linux/amd64' }],
    ['no JSON', '', undefined],
  ])('%s', (_, value, expected) => expect(parseConfig(bytes(value))).toEqual(expected));
});

it('a manifest may say its own media type', () => {
  expect([mediaTypeOf(bytes({ mediaType: 'x/y' })), mediaTypeOf(bytes({ mediaType: 1 })), mediaTypeOf(bytes('no'))]).toEqual(['x/y', undefined, undefined]);
});
