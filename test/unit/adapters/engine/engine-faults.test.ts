import { describe, expect, it } from '@jest/globals';
import { registryFault, statusIn } from '../../../../src/adapters/engine/engine-faults.js';
import type { EngineAddress } from '../../../../src/adapters/engine/engine-address.js';
import { asEngineFault, EngineRefusal } from '../../../../src/adapters/engine/engine-connection.js';
import { engineGone } from '../../../../src/adapters/engine/engine-gone.js';
import { EngineError, RegistryError } from '../../../../src/shared/errors.js';

const image = { registry: 'registry.example.org', repository: 'base/trixie', tag: '1' };
const at = (socketPath: string): EngineAddress => ({ via: 'unix', socketPath });

describe("what an engine's words about a registry mean", () => {
  it.each<[string, number | undefined]>([
    ['no basic auth credentials', 401],
    ['unauthorized: authentication required', 401],
    ['Get "https://r/v2/": unauthorized: incorrect username or password', 401],
    ['denied: requested access to the resource is denied', 403],
    ['manifest for r/x:1 not found: manifest unknown: manifest unknown', 404],
    ['repository r/x not found: does not exist or no pull access', 404],
    ['received unexpected HTTP status: 503 Service Unavailable', 503],
    ['unexpected status from PUT request to https://r/v2/x/blobs/uploads/: 500 Internal Server Error', 500],
    ['error parsing HTTP 405 response body: unexpected end of JSON input: ""', 405],
    ['toomanyrequests: You have reached your pull rate limit', 429],
    ['unsupported: The operation is unsupported.', 405],
    ['Get "http://127.0.0.1:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused', undefined],
    ['Get "https://r:40443/v2/": context deadline exceeded', undefined],
  ])('%s', (words, status) => expect(statusIn(words)).toBe(status));
});

describe('registryFault', () => {
  it("says in the registry's words that it refused", () => {
    const fault = registryFault('push', image, 'denied: requested access\n to the resource is denied');
    expect(fault).toMatchObject({ registry: 'registry.example.org', status: 403, message: 'registry.example.org/base/trixie:1 was refused by the registry: denied: requested access to the resource is denied' });
  });

  it('says that a registry was not there', () => {
    expect(registryFault('pull', { repository: 'debian', registry: '' }, 'dial tcp: lookup registry-1.docker.io: no such host')).toMatchObject({
      registry: 'docker.io',
      status: undefined,
      message: 'debian could not be pulled: dial tcp: lookup registry-1.docker.io: no such host',
    });
  });

  it('takes a 404 of the engine for the registry not having it', () => {
    expect(registryFault('pull', image, 'manifest for it is missing', 404)).toMatchObject({ status: 404 });
  });

  it.each([
    // Engine 20.10, 26.1.
    'Get "https://registry.example.org/v2/": x509: certificate signed by unknown authority',
    'failed to do request: Head "https://registry.example.org/v2/": tls: failed to verify certificate: x509: certificate signed by unknown authority',
  ])('says where the engine looks for CAs: %s', (text) => {
    const fault = registryFault('push', image, text) as RegistryError;
    expect(fault).toMatchObject({ exit: 5, status: undefined, trouble: 'certificate' });
    expect(fault.message).toBe('registry.example.org/base/trixie:1 could not be pushed: the engine does not trust registry.example.org: x509: certificate signed by unknown authority');
    expect(fault.hints).toEqual(["the registry's CA in /etc/docker/certs.d/registry.example.org/ca.crt on the engine's machine"]);
  });

  const refusedPut = (path: string, status: string): string => `failed commit on ref "config-sha256:d095": unexpected status from PUT request to https://registry.example.org/v2/base/trixie/${path}: ${status}`;
  it.each<[string, string, object]>([
    ['a status alone', refusedPut('blobs/uploads/8a10?_state=DuUASX%3D%3D&digest=sha256%3Ad095', '403 Forbidden'), { status: 403, trouble: 'login', message: 'registry.example.org/base/trixie:1 was refused by the registry: 403 Forbidden', hints: [expect.stringContaining('a quota that is used up and a right that is missing look alike')] }],
    ['that a tag may not be set again', refusedPut('manifests/1', '412 Precondition Failed'), { status: 412, trouble: 'immutable-tag', message: 'registry.example.org/base/trixie:1 was refused by the registry: the tag is immutable there (412 Precondition Failed)' }],
    ['that a blob does not fit', refusedPut('blobs/uploads/8a10?_state=x', '412 Precondition Failed'), { status: 412, trouble: 'refuses' }],
    ['that the registry is broken', refusedPut('manifests/1', '500 Internal Server Error'), { status: 500, trouble: 'unreachable', hints: [] }],
  ])('makes what can be made of an engine that does not pass on the registry\'s words: %s', (_, words, expected) => {
    expect(registryFault('push', image, words)).toMatchObject(expected);
  });

  it('leaves out what stands behind the question mark of an address', () => {
    expect(registryFault('push', image, 'Put "https://registry.example.org/v2/x?_state=secret": EOF').message).not.toContain('secret');
  });

  it('says how the engine is told that a registry has no TLS', () => {
    const fault = registryFault('pull', image, 'Get "https://registry.example.org/v2/": http: server gave HTTP response to HTTPS client') as RegistryError;
    expect(fault).toMatchObject({ exit: 5, status: undefined, trouble: 'no-tls' });
    expect(fault.message).toBe('registry.example.org/base/trixie:1 could not be pulled: registry.example.org speaks no TLS, and the engine does not take it without');
    expect(fault.hints.join()).toContain('"insecure-registries": ["registry.example.org"]');
  });

  it.each<[string, string]>([
    ['quota', 'denied: adding 1.0 MiB of storage resource, which when updated to current usage of 9.0 MiB will exceed the configured upper limit of 9.5 MiB.'],
    ['immutable-tag', "unknown: Failed to process request due to 'trixie:1' configured as immutable."],
  ])('tells a refusal for what it is: %s', (trouble, words) => {
    expect(registryFault('push', image, words)).toMatchObject({ trouble, message: expect.stringContaining(words) });
    expect(registryFault('pull', image, words)).not.toMatchObject({ trouble });
  });

  it.each(['write /var/lib/docker/tmp/x: no space left on device', 'An image does not exist locally with the tag: x', 'tag does not exist: x'])('blames the engine for "%s"', (text) => {
    const fault = registryFault('pull', image, text);
    expect(fault).toBeInstanceOf(EngineError);
    expect(fault).not.toBeInstanceOf(RegistryError);
  });
});

describe('asEngineFault', () => {
  it("keeps the engine's own words and its status", () => {
    const fault = asEngineFault({ statusCode: 409, json: { message: 'conflict:\n in use' }, message: '(HTTP code 409) unexpected - x ' }, at('/s'));
    expect(fault).toBeInstanceOf(EngineRefusal);
    expect(fault).toMatchObject({ status: 409, message: 'conflict: in use' });
  });

  it('finds the words of a stream that was refused', () => {
    expect(asEngineFault({ statusCode: 500, json: null, message: '(HTTP code 500) unexpected - the moon - is full ' }, at('/s')).message).toBe('the moon - is full');
  });

  it('says no more than the status when there are no words', () => {
    expect(asEngineFault({ statusCode: 502, json: null, message: '' }, at('/s')).message).toBe('HTTP 502');
  });

  it.each(['ENOENT', 'ECONNREFUSED', 'EACCES', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT'])('%s is an engine that does not answer, on one line and with a hint', (code) => {
    const fault = asEngineFault(Object.assign(new Error('connect'), { code }), at('/run/x.sock')) as EngineError;
    expect(fault).toBeInstanceOf(EngineError);
    expect(fault.message).toMatch(/^the Docker engine at \/run\/x\.sock does not (?:answer|let us in) \([^\n]+\)$/);
    expect(fault.hints.length).toBeGreaterThan(0);
    expect(fault.message).toBe(engineGone(at('/run/x.sock'), code).message);
  });
});
