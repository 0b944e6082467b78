import { describe, expect, it } from '@jest/globals';
import { registryFaults } from '../../../../src/adapters/registry/registry-faults.js';
import { readVerified } from '../../../../src/adapters/registry/registry-layers.js';
import { digestOf } from '../../../../src/shared/digest.js';
import { RegistryError } from '../../../../src/shared/errors.js';
import { UnreadableImage } from '../../../../src/state/package-reader.js';

const digest = digestOf('layer');

/** What comes of a layer for which the registry has this answer. */
function reading(status: number, urls: readonly string[] = []): Promise<object> {
  const ask = () => Promise.resolve({ status, headers: {}, body: Buffer.from('') });
  return readVerified({ layer: { digest, diffId: digest, size: 5, urls }, registry: 'r.example.org', name: 'a/b@sha256:1…', faults: registryFaults('r.example.org', 'https'), tries: 3, ask }, () => Promise.reject(new Error('nothing was to be read')));
}

describe('a layer that the registry does not give', () => {
  it.each<[string, number, readonly string[], typeof UnreadableImage | typeof RegistryError, RegExp]>([
    ['that it does not have is its image\'s trouble', 404, [], UnreadableImage, /^r\.example\.org does not have the layer a\/b@sha256:1…$/],
    ['that is kept elsewhere is not looked for there', 404, ['https://elsewhere.example.org/x'], UnreadableImage, /: it is kept elsewhere, and nobody else is asked$/],
    ['that it refuses is its own trouble', 403, [], RegistryError, /^r\.example\.org refuses to show a\/b@sha256:1…: 403 Forbidden$/],
  ])('one %s', async (_, status, urls, kind, message) => {
    await expect(reading(status, urls)).rejects.toThrow(kind);
    await expect(reading(status, urls)).rejects.toThrow(message);
  });
});
