import { describe, expect, it } from '@jest/globals';
import type { RootFs } from '../../../src/definition/rootfs.js';
import { baseImageConfig, epochRule, formatEpoch, imagePlatform, packagesDigest, parseEpoch } from '../../../src/execute/base-image.js';
import { digestOf } from '../../../src/shared/digest.js';
import { rootFsOf } from '../../support/rootfs.js';

const rootfs: RootFs = rootFsOf('suite: trixie');
const libc = { name: 'libc6', version: '2.41-12', architecture: 'amd64' };
const tzdata = { name: 'tzdata', version: '2026a-1', architecture: 'all' };
const configOf = (change: Partial<RootFs> = {}, labels: Record<string, string> = {}): Record<string, any> =>
  JSON.parse(baseImageConfig({ rootfs: { ...rootfs, ...change }, diffId: digestOf('layer'), epoch: 1_795_140_670, architecture: 'amd64', labels })) as Record<string, any>;

describe('packagesDigest', () => {
  it('does not depend on the order of the packages', () => {
    expect(packagesDigest([libc, tzdata])).toBe(packagesDigest([tzdata, libc]));
  });
  it.each([
    ['version', { ...libc, version: '2.41-13' }],
    ['architecture', { ...libc, architecture: 'i386' }],
    ['name', { ...libc, name: 'libc7' }],
  ])('another %s is another digest', (_, changed) => {
    expect(packagesDigest([changed, tzdata])).not.toBe(packagesDigest([libc, tzdata]));
  });
});

describe('epochRule', () => {
  const former = { epoch: 1000, packagesDigest: packagesDigest([libc]) };
  it.each([
    ['a new base gets the newest Release date', undefined, undefined, [libc], 2000],
    ['an unchanged package list keeps the former epoch, though a suite was signed again', undefined, former, [libc], 1000],
    ['a changed package list gets the newest Release date', undefined, former, [libc, tzdata], 2000],
    ['what was asked for wins over everything', 7, former, [libc], 7],
    ['the epoch 0 can be asked for', 0, former, [libc], 0],
  ])('%s', (_, asked, known, packages, expected) => {
    expect(epochRule(asked, known)({ newestRelease: 2000, packages })).toBe(expected);
  });
});

describe('baseImageConfig', () => {
  it('names its one layer and has one history entry for it', () => {
    const config = configOf();
    expect(config['rootfs']).toEqual({ type: 'layers', diff_ids: [digestOf('layer')] });
    expect(config['history']).toHaveLength(1);
    expect(config['history'][0].empty_layer).toBeUndefined();
  });
  it('was created at its epoch', () => {
    expect(configOf()['created']).toBe('2026-11-20T02:11:10Z');
  });
  it('has a PATH, which the definition may replace, and the variables of the definition in order', () => {
    expect(configOf({ env: { LANG: 'C.UTF-8', EDITOR: 'vi' } })['config'].Env).toEqual(['EDITOR=vi', 'LANG=C.UTF-8', 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin']);
    expect(configOf({ env: { PATH: '/bin' } })['config'].Env).toEqual(['PATH=/bin']);
  });
  it('has a user only when the definition names one', () => {
    expect(configOf()['config']).not.toHaveProperty('User');
    expect(configOf({ user: '1000' })['config'].User).toBe('1000');
  });
  it('is the same text whatever the order of labels', () => {
    const text = (labels: Record<string, string>): string => baseImageConfig({ rootfs, diffId: digestOf(''), epoch: 0, architecture: 'amd64', labels });
    expect(text({ a: '1', b: '2' })).toBe(text({ b: '2', a: '1' }));
  });
});

describe('imagePlatform', () => {
  it.each([
    ['amd64', { architecture: 'amd64' }],
    ['arm64', { architecture: 'arm64', variant: 'v8' }],
    ['armhf', { architecture: 'arm', variant: 'v7' }],
    ['i386', { architecture: '386' }],
    ['ppc64el', { architecture: 'ppc64le' }],
  ])("Debian's %s is said in Go's words", (debian, expected) => {
    expect(imagePlatform(debian)).toEqual(expected);
  });
});

describe('created', () => {
  it('is read back to the second it was written with', () => {
    expect(parseEpoch(formatEpoch(1_795_140_670))).toBe(1_795_140_670);
  });
  it('is undefined when it is no date', () => {
    expect(parseEpoch(undefined)).toBeUndefined();
    expect(parseEpoch('soon')).toBeUndefined();
  });
});
