import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createRegistry, type RegistryOptions } from '../../../../src/adapters/registry/registry.js';
import { RegistryError } from '../../../../src/shared/errors.js';
import type { ImageRef } from '../../../../src/shared/image-ref.js';
import { makeCertificate } from '../../../support/certificate.js';
import { startFaultyRegistry, type FaultyRegistry } from '../../../support/faulty-registry.js';
import { quickClock, type QuickClock } from '../../../support/quick-clock.js';
import { never, registryContract, testOptions } from '../../../support/registry-contract.js';
import { startRegistry, type RegistryFixture } from '../../../support/registry-fixture.js';
import type { TokenServer } from '../../../support/token-server.js';

const ROBOT = 'robot$project+builder';
const users = { [ROBOT]: 's3cret %24/+', reader: 'r3ader' };
const robot = { username: ROBOT, password: users[ROBOT]! };
/** All may read base/, the robot may push there and nowhere delete. */
const may = (user: string | undefined, repository: string, action: string): boolean => (action === 'pull' && (repository.startsWith('base/') || user !== undefined)) || (action === 'push' && user === ROBOT);

registryContract('docker-registry that takes tokens alone', async () => ({ ...(await startRegistry({ users, tokens: {} })), users }));
registryContract('docker-registry that takes tokens alone, with TLS', async () => ({ ...(await startRegistry({ users, tokens: {}, tls: true })), users }));

let registry: RegistryFixture;
let server: TokenServer;
let clock: QuickClock;
const lines: FaultyRegistry[] = [];
const clients: ReturnType<typeof createRegistry>[] = [];
beforeAll(async () => {
  registry = await startRegistry({ users, tokens: { may } });
  server = registry.tokenServer!;
});
afterAll(() => registry.stop());
afterEach(async () => {
  for (const line of lines.splice(0)) await line.stop();
  for (const client of clients.splice(0)) client.close();
  server.refuse(undefined);
  server.rule({ may, expiresIn: 300, serves: 300 });
});
function client(login: { username: string; password: string; identityToken?: string } | undefined, more: Partial<RegistryOptions> = {}): ReturnType<typeof createRegistry> {
  clock = quickClock(0);
  const made = createRegistry(testOptions({ clock, credentialsFor: () => Promise.resolve(login), credentialsSource: '/root/.docker/config.json', ...more }));
  clients.push(made);
  return made;
}
const at = (repository: string, tag = '1'): ImageRef => ({ registry: registry.host, repository, tag });
/** Scopes asked for since a moment ago. */
function scopesSince(before: number): readonly string[] {
  return server.asked.slice(before).flatMap(({ scopes }) => scopes);
}
async function faultOf(promise: Promise<unknown>): Promise<RegistryError> {
  const error = await promise.then(() => undefined, (reason: unknown) => reason);
  expect(error).toBeInstanceOf(RegistryError);
  return error as RegistryError;
}

describe('a token', () => {
  it('is fetched once for each scope, however many ask at once', async () => {
    await registry.pushImage('base/web', '1');
    const before = server.asked.length;
    const reader = client(robot);
    await Promise.all(Array.from({ length: 40 }, () => Promise.all([reader.digestOf(at('base/web'), never()), reader.digestOf(at('base/other'), never())])));
    expect([...scopesSince(before)].sort()).toEqual(['repository:base/other:pull', 'repository:base/web:pull']);
    expect(server.asked.at(-1)).toMatchObject({ user: ROBOT, service: 'harbor-registry' });
  });

  it('that ends is renewed before the registry refuses it', async () => {
    const digest = await registry.pushImage('base/web', '1');
    const reader = client(robot);
    server.rule({ expiresIn: 3 });
    const before = server.asked.length;
    const log = registry.log().length;
    await reader.digestOf(at('base/web'), never());
    await clock.sleep(1_000);
    await reader.digestOf(at('base/web'), never());
    expect(scopesSince(before)).toHaveLength(1);
    await clock.sleep(1_000);
    expect(await reader.digestOf(at('base/web'), never())).toBe(digest);
    expect(scopesSince(before)).toHaveLength(2);
    // The challenge at first, nothing behind it.
    await registry.send('GET', '/v2/base/web/tags/list');
    expect(registry.log().slice(log).match(/"HEAD \S+ HTTP\/1.1" 401/g)).toHaveLength(1);
  });

  it('serves a minute when its server does not say how long', async () => {
    const reader = client(robot);
    server.rule({ expiresIn: 0 });
    const before = server.asked.length;
    for (const wait of [0, 54_000, 2_000]) {
      await clock.sleep(wait);
      await reader.digestOf(at('base/web'), never());
    }
    expect(scopesSince(before)).toHaveLength(2);
  });

  it('that the registry refuses before its time is fetched again', async () => {
    const digest = await registry.pushImage('base/web', '1');
    const line = await startFaultyRegistry(registry);
    lines.push(line);
    const reader = client(robot);
    const ref = { ...at('base/web'), registry: line.host };
    await reader.digestOf(ref, never());
    const before = server.asked.length;
    line.fail({ times: 1, instead: { status: 401, headers: { 'www-authenticate': `Bearer realm="${server.realm}",service="harbor-registry",error="invalid_token"` } } });
    expect(await reader.digestOf(ref, never())).toBe(digest);
    expect(scopesSince(before)).toEqual(['repository:base/web:pull']);
  });

  it('that is refused as soon as it was made is not fetched again and again', async () => {
    server.rule({ serves: -1 });
    const before = server.asked.length;
    expect((await faultOf(client(robot).digestOf(at('base/web'), never()))).status).toBe(401);
    expect(scopesSince(before)).toHaveLength(1);
  });

  it('of a server in trouble is waited for', async () => {
    const digest = await registry.pushImage('base/web', '1');
    const reader = client(robot);
    server.refuse(503);
    const error = await faultOf(reader.digestOf(at('base/web'), never()));
    expect(error.message).toBe(`${registry.host} does not answer (its token server answers 503, 4 tries in 4s)`);
    server.refuse(undefined);
    expect(await client(robot).digestOf(at('base/web'), never())).toBe(digest);
  });
});

describe('an identity token', () => {
  it('is traded for tokens, in the body of a POST', async () => {
    const digest = await registry.pushImage('private/web', '1');
    server.rule({ identityTokens: { 'refresh-me': ROBOT } });
    const reader = client({ username: '', password: '', identityToken: 'refresh-me' });
    expect(await reader.digestOf(at('private/web'), never())).toBe(digest);
    expect(server.asked.at(-1)).toEqual({ method: 'POST', user: ROBOT, service: 'harbor-registry', scopes: ['repository:private/web:pull'], status: 200 });
  });

  it('that is refused is one line without it', async () => {
    const error = await faultOf(client({ username: '', password: '', identityToken: 'old-refresh' }).digestOf(at('private/web'), never()));
    expect([error.status, error.message]).toEqual([401, `${registry.host} refuses the login (401)`]);
    expect(JSON.stringify([error, error.stack])).not.toContain('old-refresh');
  });
});

it('a registry with TLS that names a token server without is not believed, not even on this machine', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'registry-tokens-'));
  const certificate = makeCertificate(folder);
  const line = await startFaultyRegistry(registry, certificate);
  lines.push(line);
  const before = server.asked.length;
  const error = await faultOf(client(robot, { ca: certificate.ca }).digestOf({ ...at('base/web'), registry: line.host }, never()));
  rmSync(folder, { recursive: true });
  expect(error.message).toBe(`${line.host} names a token server that cannot be used: ${new URL(server.realm).origin} may not be told a login: only https is, named by a registry that itself speaks TLS`);
  expect(server.asked).toHaveLength(before);
});

describe('rights', () => {
  it('what all may read is read without a login', async () => {
    const digest = await registry.pushImage('base/web', '1');
    expect(await client(undefined).digestOf(at('base/web'), never())).toBe(digest);
    expect(server.asked.at(-1)!.user).toBeUndefined();
  });

  it.each<[string, { username: string; password: string } | undefined, string, 'read' | 'push', string]>([
    ['what needs a login is not read without', undefined, 'private/web', 'read', 'asks for a login to read private/web, and there is none for it (401)'],
    ['where all may read, a push needs a login', undefined, 'base/web', 'push', 'asks for a login to push to base/web, and there is none for it (401)'],
    ['a user without the right to push is named', { username: 'reader', password: 'r3ader' }, 'base/web', 'push', 'does not allow reader to push to base/web (401, insufficient scope)'],
    ['a wrong password is no question of rights', { username: 'reader', password: 'wr0ng-pw' }, 'base/web', 'push', 'refuses the login of reader (401)'],
  ])('%s', async (_, login, repository, what, message) => {
    const one = client(login);
    const error = await faultOf(what === 'read' ? one.digestOf(at(repository), never()) : one.probePush(at(repository), never()));
    expect([error.exit, error.status, error.message]).toEqual([5, 401, `${registry.host} ${message}`]);
    expect(error.hints).toContain('check the login in /root/.docker/config.json: credentials were looked for there');
    expect(JSON.stringify([error, error.stack])).not.toMatch(/r3ader|wr0ng-pw/);
  });

  it('a wrong password is sent once for thousands of questions', async () => {
    const before = server.asked.length;
    const reader = client({ username: 'reader', password: 'wr0ng-pw' });
    await Promise.all(Array.from({ length: 100 }, (_, index) => faultOf(reader.digestOf(at(`base/v${index}`), never()))));
    expect(server.asked.length - before).toBe(1);
  });

  it('a token server that gave tokens and refuses one refuses that one alone', async () => {
    const digest = await registry.pushImage('base/web', '1');
    const reader = client(robot);
    await reader.digestOf(at('base/web'), never());
    server.refuse(401);
    expect((await faultOf(reader.digestOf(at('base/other'), never()))).status).toBe(401);
    server.refuse(undefined);
    expect(await reader.digestOf(at('base/web'), never())).toBe(digest);
    expect(await reader.digestOf(at('base/other'), never())).toBeUndefined();
  });

  it('who may push and not delete proves the right to push all the same', async () => {
    const before = server.asked.length;
    await client(robot).probePush(at('base/web'), never());
    expect(scopesSince(before)).toEqual(['repository:base/web:pull,push', 'repository:base/web:delete']);
  });

  it('a tag moves with the rights to pull and push', async () => {
    const digest = await registry.pushImage('base/moved', '1');
    await client(robot).putTag(at('base/moved'), digest, 'latest', never());
    expect(await client(robot).digestOf(at('base/moved', 'latest'), never())).toBe(digest);
  });
});
