import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isDigest } from '../../src/shared/digest.js';
import { EngineError, RegistryError } from '../../src/shared/errors.js';
import { BUILDERS, buildRequest, contextFile, engineAt, importBase, removeImages, uniqueName } from '../support/engine-fixture.js';
import { startRegistry, type RegistryFixture } from '../support/registry-fixture.js';

const name = uniqueName('registry');
const never = new AbortController().signal;
// A password whose base64 has + and / in it: the engine wants the URL-safe alphabet.
const PASSWORD = 'p~?>>ÿ';
const asked: string[] = [];
const engine = engineAt(undefined, {
  credentialsFor: (host) => {
    asked.push(host);
    return Promise.resolve(host === locked?.host ? login : undefined);
  },
});
let login: { username: string; password: string } | undefined;
let open: RegistryFixture;
let locked: RegistryFixture;
let broken: Server;
let brokenHost: string;

beforeAll(async () => {
  [open, locked] = await Promise.all([startRegistry(), startRegistry({ users: { builder: PASSWORD } }), importBase(`${name}:base`)]);
  // Denies at once what the token of a real registry would not allow.
  broken = createServer((request, response) => {
    const status = request.url === '/v2/' ? 200 : 403;
    response.writeHead(status, { 'content-type': 'application/json', 'docker-distribution-api-version': 'registry/2.0' });
    response.end(status === 200 ? '{}' : JSON.stringify({ errors: [{ code: 'DENIED', message: 'requested access to the resource is denied' }] }));
  });
  await new Promise<void>((resolve) => broken.listen(0, '127.0.0.1', resolve));
  brokenHost = `127.0.0.1:${(broken.address() as AddressInfo).port}`;
}, 60_000);

afterAll(async () => {
  engine.close();
  broken.closeAllConnections();
  broken.close();
  await Promise.all([open.stop(), locked.stop()]);
  await removeImages(name);
}, 60_000);

/** The base under a name of some registry. */
async function tagged(host: string, tag: string): Promise<string> {
  const ref = `${host}/${name}:${tag}`;
  await engine.tag(`${name}:base`, ref, never);
  return ref;
}

/** What the open registry answers for a tag, of whichever type the engine pushed. */
function manifestOf(tag: string): ReturnType<RegistryFixture['send']> {
  return open.send('HEAD', `/v2/${name}/manifests/${tag}`, undefined, { accept: 'application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json' });
}

async function registryErrorOf(promise: Promise<unknown>): Promise<RegistryError> {
  const error = await promise.then(
    () => new Error('nothing was refused'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(RegistryError);
  expect((error as Error).message).not.toContain('\n');
  return error as RegistryError;
}

describe('push', () => {
  it('gives the digest under which the registry has the tag', async () => {
    const digest = await engine.push(await tagged(open.host, 'one'), never);
    expect(isDigest(digest)).toBe(true);
    const answer = await manifestOf('one');
    expect(answer.headers['docker-content-digest']).toBe(digest);
  }, 30_000);

  it('pushes the one tag it is asked for', async () => {
    await tagged(open.host, 'two');
    await engine.push(await tagged(open.host, 'three'), never);
    expect((await manifestOf('two')).status).toBe(404);
    expect((await manifestOf('three')).status).toBe(200);
  }, 30_000);

  it('logs in, whatever characters the password has', async () => {
    login = { username: 'builder', password: PASSWORD };
    expect(isDigest(await engine.push(await tagged(locked.host, 'one'), never))).toBe(true);
  }, 30_000);

  it('is refused without a login', async () => {
    login = undefined;
    const error = await registryErrorOf(engine.push(await tagged(locked.host, 'two'), never));
    expect({ registry: error.registry, status: error.status }).toEqual({ registry: locked.host, status: 401 });
    expect(error.message).toContain('no basic auth credentials');
  }, 30_000);

  it('is refused with a wrong password, which no message repeats', async () => {
    login = { username: 'builder', password: 'wr0ng-secret' };
    const error = await registryErrorOf(engine.push(await tagged(locked.host, 'two'), never));
    expect(error.status).toBe(401);
    expect(`${error.message} ${error.hints.join(' ')}`).not.toMatch(/wr0ng|builder:/);
  }, 30_000);

  it('tells of a registry where nobody listens', async () => {
    const error = await registryErrorOf(engine.push(await tagged('127.0.0.1:1', 'one'), never));
    expect(error.registry).toBe('127.0.0.1:1');
    expect(error.status).toBeUndefined();
    expect(error.message).toMatch(/^127\.0\.0\.1:1\/\S+ could not be pushed: .*connection refused/);
  }, 90_000);

  it('ends when it is aborted, though the engine would try again for a minute', async () => {
    const abort = new AbortController();
    const began = Date.now();
    setTimeout(() => abort.abort(new Error('enough')), 500);
    await expect(engine.push(await tagged(brokenHost, 'one'), abort.signal)).rejects.toThrow(/enough|denied|Forbidden/);
    expect(Date.now() - began).toBeLessThan(3_000);
  }, 30_000);

  it('of an image that the engine does not have is the engine, not the registry', async () => {
    await expect(engine.push(`${open.host}/${name}:never-made`, never)).rejects.toBeInstanceOf(EngineError);
  });

  it('refuses to push all tags at once, or a digest', async () => {
    await expect(engine.push(`${open.host}/${name}`, never)).rejects.toBeInstanceOf(TypeError);
    await expect(engine.push(`${open.host}/${name}@sha256:${'0'.repeat(64)}`, never)).rejects.toBeInstanceOf(TypeError);
  });
});

describe('pull', () => {
  it('brings a tag, and a digest', async () => {
    const ref = await tagged(open.host, 'pulled');
    const digest = await engine.push(ref, never);
    await engine.remove(ref, never);
    expect(await engine.inspect(ref, never)).toBeUndefined();
    await engine.pull(ref, never);
    const byTag = await engine.inspect(ref, never);
    await engine.remove(ref, never);
    await engine.pull(`${open.host}/${name}@${digest}`, never);
    const byDigest = await engine.inspect(`${open.host}/${name}@${digest}`, never);
    await engine.remove(`${open.host}/${name}@${digest}`, never);
    expect(byDigest?.id).toBe(byTag?.id);
    expect(byDigest?.repoDigests).toContain(`${open.host}/${name}@${digest}`);
  }, 60_000);

  it('says that a tag is not there', async () => {
    const error = await registryErrorOf(engine.pull(`${open.host}/${name}:nope`, never));
    expect({ registry: error.registry, status: error.status }).toEqual({ registry: open.host, status: 404 });
  }, 30_000);

  it('says that a login is missing', async () => {
    login = undefined;
    const error = await registryErrorOf(engine.pull(`${locked.host}/${name}:one`, never));
    expect(error.status).toBe(401);
  }, 30_000);

  it('tells of a registry where nobody listens', async () => {
    const error = await registryErrorOf(engine.pull(`127.0.0.1:1/${name}:one`, never));
    expect(error.message).toMatch(/could not be pulled: .*connection refused/);
  }, 60_000);

  it('tells of a registry that denies', async () => {
    const error = await registryErrorOf(engine.pull(`${brokenHost}/${name}:one`, never));
    expect(error.status).toBe(403);
  }, 60_000);
});

describe.each(BUILDERS)('a build of %s', (_, limits) => {
  it('reads a parent from a registry that wants a login', async () => {
    login = { username: 'builder', password: PASSWORD };
    const parent = await tagged(locked.host, 'parent');
    await engine.push(parent, never);
    await engine.remove(parent, never);
    asked.length = 0;
    await engine.build(buildRequest(`${name}:child`, `FROM ${parent}\nCOPY a /a\n`, { limits, context: [contextFile('a', 'a')] }), never);
    expect(asked).toContain(locked.host);
  }, 60_000);

  it('whose parent cannot be read for want of a login is no fault of the Dockerfile', async () => {
    login = undefined;
    await engine.remove(`${locked.host}/${name}:one`, never);
    const error = await registryErrorOf(engine.build(buildRequest(`${name}:child2`, `FROM ${locked.host}/${name}:one\nRUN true\n`, { limits }), never));
    expect(error.registry).toBe(locked.host);
  }, 60_000);

  it('ends with the fault of whoever keeps the logins', async () => {
    const broken = engineAt(undefined, { credentialsFor: () => Promise.reject(new RegistryError('docker-credential-x is not there', 'x', undefined)) });
    const request = buildRequest(`${name}:child3`, `FROM ${locked.host}/${name}:one\nRUN true\n`, { limits });
    await expect(broken.build(request, never)).rejects.toThrow('docker-credential-x is not there');
    broken.close();
  }, 60_000);
});
