import { afterEach, describe, expect, it } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ConnectionFault } from '../../../../src/adapters/registry/connection-fault.js';
import { createRegistry } from '../../../../src/adapters/registry/registry.js';
import { registryFaults } from '../../../../src/adapters/registry/registry-faults.js';
import { createTokens, type TokenOptions } from '../../../../src/adapters/registry/registry-tokens.js';
import { startFakeRegistry } from '../../../support/fake-registry.js';
import { quickClock } from '../../../support/quick-clock.js';
import { never, testOptions } from '../../../support/registry-contract.js';

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

/** What the token server answers, one after the other; a question that nobody answered yet waits. */
function asking(...answers: Promise<{ status: number; body?: string }>[]): { options: TokenOptions; asked(): number } {
  let asked = 0;
  const options: TokenOptions = {
    challenge: { scheme: 'bearer', realm: 'https://auth.example.org/token', service: 'registry', scope: undefined },
    credentials: { username: 'builder', password: 'pw' },
    credentialsSource: undefined,
    clock: quickClock(0),
    faults: registryFaults('registry.example.org', 'https'),
    ask: () => answers[asked++]!.then(({ status, body }) => ({ status, headers: {}, body: Buffer.from(body ?? '') })),
  };
  return { options, asked: () => asked };
}
const token = (text: string): Promise<{ status: number; body: string }> => Promise.resolve({ status: 200, body: JSON.stringify({ token: text, expires_in: 300 }) });

describe('who waits for a token that another fetches', () => {
  it('is not stopped by the other\'s abort', async () => {
    const { options } = asking(Promise.reject(new Error('interrupted')), token('second'));
    const tokens = createTokens();
    const [first, second] = await Promise.allSettled([tokens.tokenFor('a', options, never()), tokens.tokenFor('a', options, never())]);
    expect(first.status).toBe('rejected');
    expect(second).toEqual({ status: 'fulfilled', value: { header: 'Bearer second', fresh: true } });
  });

  it.each([
    ['no answer', Promise.reject(new ConnectionFault('broken', 'the connection broke'))],
    ['a refused login', Promise.resolve({ status: 401 })],
  ])('fails with it: %s', async (_, answer) => {
    const { options, asked } = asking(answer, token('second'));
    const tokens = createTokens();
    const both = await Promise.allSettled([tokens.tokenFor('a', options, never()), tokens.tokenFor('a', options, never())]);
    expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(asked()).toBe(1);
  });

  it('takes what the other was given after a refusal', async () => {
    const { options, asked } = asking(token('first'), token('second'));
    const tokens = createTokens();
    const { header } = await tokens.tokenFor('a', options, never());
    const renewed = await tokens.tokenFor('a', options, never(), header);
    expect(renewed).toEqual({ header: 'Bearer second', fresh: true });
    expect(await tokens.tokenFor('a', options, never(), header)).toEqual({ header: 'Bearer second', fresh: false });
    expect(asked()).toBe(2);
  });
});

describe('where a login for a token goes', () => {
  async function listen(): Promise<{ readonly server: Server; readonly port: number; readonly seen: (string | undefined)[] }> {
    const seen: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      seen.push(request.headers.authorization);
      response.end('{}');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    stops.push(() => server.close());
    return { server, port: (server.address() as AddressInfo).port, seen };
  }
  async function askWith(realm: string, insecureRegistries: readonly string[] = []): Promise<string> {
    const registry = await startFakeRegistry({ tokens: { username: 'builder', password: 'pw' }, realm });
    const client = createRegistry(testOptions({ clock: quickClock(0), insecureRegistries, credentialsFor: () => Promise.resolve({ username: 'builder', password: 'pw' }) }));
    stops.push(() => registry.stop(), () => client.close());
    return client.digestOf({ registry: registry.host, repository: 'ns/web', tag: '1' }, never()).then(() => '', (error: Error) => error.message.replace(registry.host, 'HOST'));
  }

  it.each([
    ['without TLS to another machine', 'http://auth.example.org/token?x=secret', /^HOST names a token server that cannot be used: http:\/\/auth\.example\.org may not be told a login/],
    ['in another protocol', 'ftp://127.0.0.1/token', /^HOST names a token server that cannot be used: ftp:\/\/127\.0\.0\.1 may not be told a login/],
    ['to what is no address', '/token', /^HOST names a token server that cannot be used: its address is none$/],
  ])('not %s', async (_, realm, message) => {
    expect(await askWith(realm)).toMatch(message);
  });

  it('without TLS to this machine, and to a host of insecure_registries', async () => {
    const { port, seen } = await listen();
    const basic = `Basic ${Buffer.from('builder:pw').toString('base64')}`;
    expect(await askWith(`http://127.0.0.1:${port}/token`)).toMatch(/it answers 200 without a token$/);
    expect(seen).toEqual([basic]);
    // Linux takes 0.0.0.0 for this machine; it is not among the loopback addresses.
    expect(await askWith(`http://0.0.0.0:${port}/token`)).toMatch(/may not be told a login/);
    expect(seen).toEqual([basic]);
    await askWith(`http://0.0.0.0:${port}/token`, [`0.0.0.0:${port}`]);
    expect(seen).toEqual([basic, basic]);
  });

  it('from a registry without TLS elsewhere to that registry\'s own host, not over TLS to any other', async () => {
    const { port, seen } = await listen();
    const ask = async (realm: string): Promise<string> => {
      const registry = await startFakeRegistry({ tokens: { username: 'builder', password: 'pw' }, realm });
      const host = registry.host.replace('127.0.0.1', '0.0.0.0');
      const client = createRegistry(testOptions({ clock: quickClock(0), insecureRegistries: [host], credentialsFor: () => Promise.resolve({ username: 'builder', password: 'pw' }) }));
      stops.push(() => registry.stop(), () => client.close());
      return client.digestOf({ registry: host, repository: 'ns/web', tag: '1' }, never()).then(() => '', (error: Error) => error.message);
    };
    expect(await ask(`http://0.0.0.0:${port}/token`)).toMatch(/it answers 200 without a token$/);
    expect(seen).toHaveLength(1);
    expect(await ask('https://auth.example.org/token')).toMatch(/https:\/\/auth\.example\.org may not be told a login/);
  });
});
