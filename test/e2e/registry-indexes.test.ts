import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { digestOf } from '../../src/shared/digest.js';
import { openScenario, type Scenario } from '../support/scenario.js';

const LATER = 120_000;
const TYPES = {
  oci: 'application/vnd.oci.image.index.v1+json',
  docker: 'application/vnd.docker.distribution.manifest.list.v2+json',
} as const;

describe('an outside image for several platforms', () => {
  let scenario: Scenario;
  const digests = new Map<string, string>();
  beforeAll(async () => {
    scenario = await openScenario();
    const architecture = await scenario.docker('version', '--format', '{{.Server.Arch}}');
    const accept = 'application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json';
    const ours = await scenario.registry.send('GET', '/v2/test-base/tiny/manifests/1', undefined, { accept });
    const pushed = await scenario.registry.pushImage('test-base/tiny', 'others', { platform: 'linux/s390x' });
    const others = { digest: pushed, size: (await scenario.registry.send('GET', `/v2/test-base/tiny/manifests/${pushed}`, undefined, { accept })).body.length };
    for (const [name, mediaType] of Object.entries(TYPES)) {
      const entry = (digest: string, size: number, arch: string, type: string): object => ({ mediaType: type, digest, size, platform: { os: 'linux', architecture: arch } });
      const index = JSON.stringify({
        schemaVersion: 2,
        mediaType,
        manifests: [entry(others.digest, others.size, 's390x', 'application/vnd.oci.image.manifest.v1+json'), entry(digestOf(ours.body), ours.body.length, architecture, String(ours.headers['content-type']))],
      });
      // As Docker Hub has it: the tag is the index.
      expect((await scenario.registry.send('PUT', `/v2/test-base/tiny/manifests/${name}`, index, { 'content-type': mediaType })).status).toBe(201);
      digests.set(name, digestOf(index));
      scenario.define(`on-${name}`, { versions: ['1'], lines: [`FROM ${scenario.host}/test-base/tiny:${name}`, 'RUN echo here > /here'] });
    }
  }, LATER);
  afterAll(() => scenario.close());

  it('of either media type is built on for this platform, and recorded by the digest of its index', async () => {
    const ended = await scenario.run([]);
    expect({ code: ended.code, stderr: ended.stderr }).toEqual({ code: 0, stderr: '' });
    for (const name of Object.keys(TYPES)) {
      expect(JSON.parse((await scenario.labels(`on-${name}`, 'latest'))['build-images.parents']!)).toEqual({ [`${scenario.host}/test-base/tiny:${name}`]: digests.get(name) });
    }
    expect((await scenario.run([])).stdout).toMatch(/Nothing to do: 2 up to date\./);
  }, LATER);
});

describe('a version that is published as an OCI manifest', () => {
  it('is found, built on, and promoted to the byte', async () => {
    const scenario = await openScenario();
    try {
      const to = `docker://${scenario.host}/test/base:1`;
      await promisify(execFile)('skopeo', ['copy', '--quiet', '--format', 'oci', '--src-tls-verify=false', '--dest-tls-verify=false', `docker://${scenario.base}`, to]);
      const { headers } = await scenario.registry.send('GET', '/v2/test/base/manifests/1', undefined, { accept: 'application/vnd.oci.image.manifest.v1+json' });
      expect(headers['content-type']).toBe('application/vnd.oci.image.manifest.v1+json');
      scenario.define('base', { versions: ['1'] });
      scenario.define('web', { versions: ['1'], from: 'base', lines: ['RUN echo web > /web'] });
      const ended = await scenario.run([]);
      expect({ code: ended.code, stderr: ended.stderr }).toEqual({ code: 0, stderr: '' });
      expect(ended.stdout).toMatch(/1 published in .*:latest moved for 2 images/);
      expect(await scenario.digest('base', 'latest')).toBe(headers['docker-content-digest']);
      expect(JSON.parse((await scenario.labels('web', '1'))['build-images.parents']!)).toEqual({ [`${scenario.host}/test/base:1`]: headers['docker-content-digest'] });
      expect((await scenario.run([])).stdout).toMatch(/Nothing to do: 2 up to date\./);
    } finally {
      await scenario.close();
    }
  }, LATER);
});
