import { describe, expect, it } from '@jest/globals';
import { isPlatform } from '../../../src/shared/platform.js';

describe('isPlatform', () => {
  it.each([
    ['linux/amd64', 'linux/amd64', true],
    ['linux/amd64', 'linux/arm64', false],
    ['linux/arm64/v8', 'linux/arm64', true],
    ['linux/arm64', 'linux/arm64/v8', true],
    ['linux/amd64/v1', 'linux/amd64', true],
    ['linux/amd64/v3', 'linux/amd64', false],
    ['linux/arm/v7', 'linux/arm', true],
    ['linux/arm/v6', 'linux/arm', true],
    ['linux/arm', 'linux/arm/v7', true],
    ['linux/arm', 'linux/arm/v6', false],
    ['linux/arm/v6', 'linux/arm/v7', false],
    ['linux/armada', 'linux/arm', false],
    ['unknown/unknown', 'linux/amd64', false],
  ])('%s is what is wanted as %s: %p', (platform, wanted, is) => expect(isPlatform(platform, wanted)).toBe(is));
});
