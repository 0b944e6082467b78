import { connect as createConnectionTo, createServer as createTcp, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createRegistry, type RegistryOptions } from '../../../../src/adapters/registry/registry.js';
import { RegistryError } from '../../../../src/shared/errors.js';
import type { ImageRef } from '../../../../src/shared/image-ref.js';
import { startFakeRegistry, type FakeRegistry } from '../../../support/fake-registry.js';
import { startFaultyRegistry, type FaultyRegistry } from '../../../support/faulty-registry.js';
import { quickClock, type QuickClock } from '../../../support/quick-clock.js';
import { never, testOptions } from '../../../support/registry-contract.js';

const START = Date.parse('2026-11-20T10:00:00Z');
const BASIC = { status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } } as const;

let good: FakeRegistry;
let line: FaultyRegistry;
let clock: QuickClock;
const stops: (() => Promise<unknown> | void)[] = [];

beforeEach(async () => {
  good = await startFakeRegistry();
  line = await startFaultyRegistry(good);
  clock = quickClock(START);
  stops.push(() => good.stop(), () => line.stop());
});
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

function client(more: Partial<RegistryOptions> = {}): ReturnType<typeof createRegistry> {
  const registry = createRegistry(testOptions({ clock, ...more }));
  stops.push(() => registry.close());
  return registry;
}
const web = (tag = '1'): ImageRef => ({ registry: line.host, repository: 'ns/web', tag });
const methods = (): readonly string[] => line.requests.map(({ method }) => method);
async function faultOf(promise: Promise<unknown>): Promise<RegistryError> {
  const error = await promise.then(() => undefined, (reason: unknown) => reason);
  expect(error).toBeInstanceOf(RegistryError);
  return error as RegistryError;
}
/** Takes connections and does with them as told. */
async function listen(onConnection: (socket: Socket) => void): Promise<string> {
  const server: Server = createTcp(onConnection);
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => sockets.add(socket.on('error', () => undefined)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stops.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('what may pass is tried again', () => {
  it.each([429, 500, 502, 503, 504])('one %d, then the answer', async (status) => {
    const digest = await good.pushImage('ns/web', '1');
    line.fail({ times: 1, instead: { status } });
    expect(await client().digestOf(web(), never())).toBe(digest);
    expect(clock.waits).toEqual([500]);
  });

  it('a cut connection, then the answer', async () => {
    const digest = await good.pushImage('ns/web', '1');
    line.fail({ times: 1, instead: 'reset' });
    expect(await client().digestOf(web(), never())).toBe(digest);
  });

  it('a kept connection that was closed meanwhile is opened again without a wait', async () => {
    const digest = await good.pushImage('ns/web', '1');
    const registry = client();
    await registry.digestOf(web(), never());
    line.fail({ times: 1, instead: 'reset' });
    expect(await registry.digestOf(web(), never())).toBe(digest);
    expect(clock.waits).toEqual([]);
  });

  it('500 always is an error after four tries, never "absent"', async () => {
    line.fail({ instead: { status: 500 } });
    const error = await faultOf(client().digestOf(web(), never()));
    expect([error.exit, error.status, error.message]).toEqual([5, 500, `${line.host} answers 500 Internal Server Error (4 tries in 4s)`]);
    expect(error.hints).toContain(`curl -v http://${line.host}/v2/`);
    expect(clock.waits).toEqual([500, 1000, 2000]);
  });

  it('Retry-After in seconds is waited', async () => {
    line.fail({ times: 1, instead: { status: 429, headers: { 'retry-after': '17' } } });
    await client().digestOf(web(), never());
    expect(clock.waits).toEqual([17_000]);
  });

  it('Retry-After as a date is waited', async () => {
    line.fail({ times: 1, instead: { status: 503, headers: { 'retry-after': 'Fri, 20 Nov 2026 10:00:09 GMT' } } });
    await client().digestOf(web(), never());
    expect(clock.waits).toEqual([9000]);
  });

  it('Retry-After of an hour is not waited, but said', async () => {
    line.fail({ instead: { status: 429, headers: { 'retry-after': '3600' } } });
    const error = await faultOf(client().digestOf(web(), never()));
    expect(error.message).toBe(`${line.host} answers 429 Too Many Requests (1 try, 0s, asks to wait 3600s)`);
    expect(clock.waits).toEqual([]);
  });

  it('until a registry has answered once, a minute in all is its time', async () => {
    line.fail({ instead: { status: 503, headers: { 'retry-after': '25' } } });
    await faultOf(client().digestOf(web(), never()));
    expect(clock.waits).toEqual([25_000, 25_000]);
  });

  it('a registry that has answered gets a minute for each request', async () => {
    const registry = client();
    await registry.digestOf(web(), never());
    await clock.sleep(3_600_000);
    line.fail({ times: 2, instead: { status: 503, headers: { 'retry-after': '30' } } });
    expect(await registry.digestOf(web(), never())).toBeUndefined();
  });
});

describe('what is asked to be waited', () => {
  it('is a minute for one request, not a minute each time', async () => {
    const registry = client();
    await registry.digestOf(web(), never());
    line.fail({ instead: { status: 503, headers: { 'retry-after': '30' } } });
    await faultOf(registry.digestOf(web(), never()));
    expect(clock.waits).toEqual([30_000, 30_000]);
  });
});

describe('a registry that is gone', () => {
  it('refuses connections: four tries, and what to try', async () => {
    await line.stop();
    const error = await faultOf(client().digestOf(web(), never()));
    expect(error.message).toBe(`${line.host} does not answer (connect: refused, 4 tries in 4s)`);
    expect(error.hints).toContain(`curl -v https://${line.host}/v2/`);
  });

  it('hangs after the request: a time-out, not a wait for ever', async () => {
    const registry = client({ timeouts: { connect: 2, idle: 0.1 } });
    await registry.digestOf(web(), never());
    line.fail({ instead: 'hang' });
    const error = await faultOf(registry.digestOf(web(), never()));
    expect(error.message).toBe(`${line.host} does not answer (no byte for 0.1s, 4 tries in 4s)`);
  });

  it('takes connections and says nothing: a time-out of the connection', async () => {
    const host = await listen(() => undefined);
    const error = await faultOf(client({ timeouts: { connect: 0.1, idle: 2 } }).digestOf({ ...web(), registry: host }, never()));
    expect(error.message).toBe(`${host} does not answer (connect: timed out, 4 tries in 4s)`);
  });

  it('never has more than the time for a first answer, whatever the other limits are', async () => {
    line.fail({ instead: 'hang' });
    const error = await faultOf(client({ timeouts: { connect: 20, idle: 20, firstAnswer: 0.2 } }).digestOf(web(), never()));
    expect(error.message).toMatch(/does not answer \(no answer in time, 1 try/);
  });

  it('costs the tries of one request, not of hundreds', async () => {
    line.fail({ instead: { status: 503 } });
    const registry = client();
    const faults = await Promise.all(Array.from({ length: 300 }, (_, index) => faultOf(registry.digestOf(web(`v${index}`), never()))));
    expect(new Set(faults.map(({ message }) => message)).size).toBe(1);
    expect(line.requests).toHaveLength(4);
  });

  it('is asked again half a minute later if it had answered before', async () => {
    const registry = client();
    await registry.digestOf(web(), never());
    line.fail({ instead: { status: 503 } });
    await faultOf(registry.digestOf(web(), never()));
    const asked = line.requests.length;
    line.mend();
    await faultOf(registry.digestOf(web(), never()));
    expect(line.requests).toHaveLength(asked);
    await clock.sleep(30_000);
    expect(await registry.digestOf(web(), never())).toBeUndefined();
  });
});

describe('only a registry itself says "absent"', () => {
  it.each(['MANIFEST_UNKNOWN', 'NAME_UNKNOWN', 'NOT_FOUND'])('a 404 with %s is absent', async (code) => {
    line.fail({ instead: { status: 404, body: JSON.stringify({ errors: [{ code }] }) } });
    expect(await client().digestOf(web(), never())).toBeUndefined();
    expect(await client().manifestOf(web(), never())).toBeUndefined();
    expect(methods()).toEqual(['HEAD', 'GET', 'GET']);
  });

  it.each([
    ['no body', ''],
    ['a web page', '<html>not found</html>'],
    ['another code', JSON.stringify({ errors: [{ code: 'BLOB_UNKNOWN' }] })],
    ['JSON of another kind', '{"message":"not found"}'],
    ['null', 'null'],
  ])('a 404 with %s is an error', async (_, body) => {
    line.fail({ instead: { status: 404, body } });
    for (const ask of ['digestOf', 'manifestOf'] as const) {
      const error = await faultOf(client()[ask](web(), never()));
      expect([error.status, error.message]).toEqual([404, `${line.host}: answers 404 for ns/web:1, but not as a registry does; so it is unknown whether it is there`]);
    }
  });

  it('a HEAD answered with 404 by something in between, but a GET by the registry, is there', async () => {
    const digest = await good.pushImage('ns/web', '1');
    line.fail({ when: (method) => method === 'HEAD', instead: { status: 404 } });
    expect(await client().digestOf(web(), never())).toBe(digest);
  });

  it('a list of tags with a 404 that is no registry\'s is an error', async () => {
    line.fail({ instead: { status: 404, body: '<html>' } });
    expect((await faultOf(client().tagsOf(web(), never()))).status).toBe(404);
  });

  it.each([400, 403, 405, 418])('%d is an error that keeps its status, at once', async (status) => {
    line.fail({ instead: { status, body: JSON.stringify({ errors: [{ code: 'DENIED', message: 'not\nyours' }] }) } });
    expect((await faultOf(client().digestOf(web(), never()))).status).toBe(status);
    const push = await faultOf(client().probePush(web(), never()));
    expect([push.status, push.message]).toEqual([status, expect.stringMatching(/refuses a push to ns\/web: \d+ [^(]*\(DENIED: not yours\)$/)]);
    expect(clock.waits).toEqual([]);
  });
});

describe('logging in', () => {
  const login = { username: 'builder', password: 's3cret-pw' };
  const authorization = `Basic ${Buffer.from('builder:s3cret-pw').toString('base64')}`;
  /** The line asks for a login until it gets this one. */
  function wantLogin(): void {
    line.fail({ when: () => line.requests.at(-1)?.headers.authorization === undefined, times: 1, instead: BASIC });
  }

  it('a registry that does not ask gets no login', async () => {
    await client({ credentialsFor: () => Promise.resolve(login) }).digestOf(web(), never());
    expect(line.requests.map(({ headers }) => headers.authorization)).toEqual([undefined, undefined]);
  });

  it('a registry that has asked once gets it with every request', async () => {
    wantLogin();
    const registry = client({ credentialsFor: () => Promise.resolve(login) });
    await registry.digestOf(web('1'), never());
    await registry.digestOf(web('2'), never());
    expect(line.requests.map(({ headers }) => headers.authorization)).toEqual([undefined, authorization, authorization, authorization, authorization]);
  });

  it('a wrong login is an error without the password, sent once for thousands of questions', async () => {
    line.fail({ instead: BASIC });
    const registry = client({ credentialsFor: () => Promise.resolve(login), credentialsSource: '/root/.docker/config.json' });
    const faults = await Promise.all(Array.from({ length: 100 }, (_, index) => faultOf(registry.digestOf(web(`v${index}`), never()))));
    const [error] = faults;
    expect([error!.status, error!.message]).toEqual([401, `${line.host} refuses the login of builder (401)`]);
    expect(error!.hints).toContain('check the login in /root/.docker/config.json: credentials were looked for there');
    expect(JSON.stringify([error, error!.stack])).not.toMatch(/s3cret-pw|czNjcmV0/);
    expect(line.requests).toHaveLength(2);
  });

  it('a login that was taken and is then refused is not sent again', async () => {
    wantLogin();
    const registry = client({ credentialsFor: () => Promise.resolve(login) });
    await registry.digestOf(web(), never());
    const before = line.requests.length;
    line.fail({ instead: BASIC });
    expect((await faultOf(registry.digestOf(web(), never()))).message).toBe(`${line.host} refuses the login of builder (401)`);
    expect(line.requests).toHaveLength(before + 1);
  });

  it('a login that is asked for and not there is an error that says where it was looked for', async () => {
    line.fail({ instead: BASIC });
    const error = await faultOf(client({ credentialsSource: '/root/.docker/config.json' }).digestOf(web(), never()));
    expect([error.status, error.message]).toEqual([401, `${line.host} asks for a login, and there is none for it (401)`]);
    expect(error.hints).toEqual(['check the login in /root/.docker/config.json: credentials were looked for there', `docker login ${line.host}`]);
  });

  it('each registry gets its own login and no other', async () => {
    const other = await startFaultyRegistry(good);
    stops.push(() => other.stop());
    wantLogin();
    other.fail({ times: 1, instead: BASIC });
    const registry = client({ credentialsFor: (host) => Promise.resolve(host === line.host ? login : { username: 'other', password: 'o' }) });
    await registry.digestOf(web(), never());
    await registry.digestOf({ ...web(), registry: other.host }, never());
    const sent = new Set(other.requests.map(({ headers }) => headers.authorization));
    expect(sent).toEqual(new Set([undefined, `Basic ${Buffer.from('other:o').toString('base64')}`]));
  });

  it('what fails while logins are read is passed on', async () => {
    line.fail({ instead: BASIC });
    const reason = new Error('config.json is not JSON');
    await expect(client({ credentialsFor: () => Promise.reject(reason) }).digestOf(web(), never())).rejects.toBe(reason);
  });
});

describe('TLS or plain', () => {
  it('a connection that is closed without a word is no sign of plain HTTP', async () => {
    const first: string[] = [];
    const host = await listen((socket) => socket.once('data', (data: Buffer) => (first.push(data.subarray(0, 1).toString('hex')), socket.end())));
    await faultOf(client().digestOf({ ...web(), registry: host }, never()));
    // 0x16: a TLS handshake, each time.
    expect(first).toEqual(['16', '16', '16', '16']);
  });

  it('a peer that refuses in TLS speaks TLS: it is never spoken to without', async () => {
    const first: string[] = [];
    const handshakeFailure = Buffer.from([0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x28]);
    const host = await listen((socket) => socket.once('data', (data: Buffer) => (first.push(data.subarray(0, 1).toString('hex')), socket.end(handshakeFailure))));
    const error = await faultOf(client().digestOf({ ...web(), registry: host }, never()));
    expect(error.message).toMatch(/cannot be used: TLS failed: /);
    expect(new Set(first)).toEqual(new Set(['16']));
  });

  it('a host that is not tolerated is never spoken to without TLS', async () => {
    // The C library reads 127.1 as this machine; by name it is not among the loopback addresses.
    const registry = line.host.replace('127.0.0.1', '127.1');
    const error = await faultOf(client().digestOf({ ...web(), registry }, never()));
    expect(error.message).toBe(`${registry} speaks no TLS`);
    expect(error.hints.join()).toContain('insecure_registries');
    expect(line.requests).toEqual([]);
    expect(await client({ insecureRegistries: [registry] }).digestOf({ ...web(), registry }, never())).toBeUndefined();
  });

  it('plain HTTP is found once, and remembered', async () => {
    let greetings = 0;
    const { hostname, port } = new URL(good.url);
    const host = await listen((socket) => {
      socket.once('data', (data: Buffer) => {
        if (data[0] === 0x16) greetings++;
        const onward = createConnectionTo(Number(port), hostname);
        onward.write(data);
        socket.pipe(onward).pipe(socket);
      });
    });
    const registry = client();
    await Promise.all(['1', '2', '3'].map((tag) => registry.digestOf({ ...web(tag), registry: host }, never())));
    expect(greetings).toBe(1);
  });
});

describe('stopping', () => {
  it('a question that hangs ends with the reason of the abort', async () => {
    line.fail({ instead: 'hang' });
    const stop = new AbortController();
    const reason = new Error('interrupted');
    const asked = client().digestOf(web(), stop.signal);
    while (line.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
    stop.abort(reason);
    await expect(asked).rejects.toBe(reason);
    expect(clock.waits).toEqual([]);
  });

  it('queued questions end too, and none is sent', async () => {
    line.fail({ instead: 'hang' });
    const stop = new AbortController();
    const registry = client();
    const asked = Promise.allSettled(['1', '2', '3'].map((tag) => registry.digestOf(web(tag), stop.signal)));
    while (line.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
    stop.abort(new Error('interrupted'));
    expect((await asked).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(line.requests).toHaveLength(1);
  });

  it('a registry left by one caller\'s abort serves the next', async () => {
    line.fail({ times: 1, instead: 'hang' });
    const stop = new AbortController();
    const registry = client();
    const asked = registry.digestOf(web(), stop.signal).catch(() => undefined);
    while (line.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
    stop.abort();
    await asked;
    expect(await registry.digestOf(web(), never())).toBeUndefined();
  });
});

it('no more requests are under way at once than allowed', async () => {
  let most = 0;
  const registry = client({ concurrency: 3 });
  await registry.digestOf(web(), never());
  line.fail({ instead: 'hang' });
  const stop = new AbortController();
  const all = Array.from({ length: 10 }, (_, index) => registry.digestOf(web(`v${index}`), stop.signal).catch(() => undefined));
  const hanging = (): number => line.requests.filter(({ faulty }) => faulty).length;
  for (let rounds = 0; rounds < 200; rounds++) {
    await new Promise((resolve) => setImmediate(resolve));
    most = Math.max(most, hanging());
  }
  stop.abort();
  await Promise.all(all);
  expect(most).toBe(3);
});

it('hundreds of questions are one request each', async () => {
  const digest = await good.pushImage('ns/web', '1');
  const registry = client();
  const digests = await Promise.all(Array.from({ length: 300 }, () => registry.digestOf({ ...web(), registry: good.host }, never())));
  expect(new Set(digests)).toEqual(new Set([digest]));
  expect(good.requests).toHaveLength(300);
});
