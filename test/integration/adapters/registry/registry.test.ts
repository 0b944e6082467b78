import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { Clock } from '../../../../src/adapters/clock.js';
import { createCredentials } from '../../../../src/adapters/registry/credentials.js';
import { RegistryError } from '../../../../src/shared/errors.js';
import type { ImageRef } from '../../../../src/shared/image-ref.js';
import { makeCertificate } from '../../../support/certificate.js';
import { startFaultyRegistry } from '../../../support/faulty-registry.js';
import { quickClock } from '../../../support/quick-clock.js';
import { never, registryContract } from '../../../support/registry-contract.js';
import { startRegistry } from '../../../support/registry-fixture.js';
import { startedRegistries } from '../../../support/started-registries.js';

const users = { builder: 's3cret' };
registryContract('docker-registry without TLS', () => startRegistry());
registryContract('docker-registry with TLS', () => startRegistry({ tls: true }));
registryContract('docker-registry with TLS and a login', async () => ({ ...(await startRegistry({ tls: true, users })), users }));
registryContract('docker-registry behind a line without faults', async () => {
  const behind = await startRegistry();
  const line = await startFaultyRegistry(behind);
  return {
    ...behind,
    host: line.host,
    stop: async () => {
      await line.stop();
      await behind.stop();
    },
  };
});

const { stops, started, client } = startedRegistries();
function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'registry-test-'));
  stops.push(() => rmSync(made, { recursive: true, force: true }));
  return made;
}
const web = (host: string, tag = '1'): ImageRef => ({ registry: host, repository: 'ns/web', tag });
async function faultOf(promise: Promise<unknown>): Promise<RegistryError> {
  const error = await promise.then(() => undefined, (reason: unknown) => reason);
  expect(error).toBeInstanceOf(RegistryError);
  return error as RegistryError;
}

describe('TLS', () => {
  it('a certificate of an unknown CA is refused at once, on loopback too, and plain HTTP is not tried', async () => {
    const registry = await started({ tls: true });
    const error = await faultOf(client({ insecureRegistries: [registry.host] }).digestOf(web(registry.host), never()));
    expect(error.message).toBe(`${registry.host} is not trusted: its certificate is refused: its CA is not one that this machine trusts`);
    expect(error.hints.join()).toContain('ca_bundle');
    // The registry saw handshakes only, no request.
    expect(registry.log()).not.toContain('"HEAD ');
    expect(registry.log()).not.toMatch(/HTTP request to an HTTPS server/);
  });

  it('a certificate for another host is refused in words', async () => {
    const registry = await started();
    const certificate = makeCertificate(folder(), 'DNS:registry.example.org');
    const line = await startFaultyRegistry(registry, certificate);
    stops.push(() => line.stop());
    const error = await faultOf(client({ ca: certificate.ca }).digestOf(web(line.host), never()));
    expect(error.message).toBe(`${line.host} is not trusted: its certificate is refused: it is for another host`);
    expect(line.requests).toEqual([]);
  });

  it('what waits behind TLS is tried again as well', async () => {
    const registry = await started();
    const certificate = makeCertificate(folder());
    const line = await startFaultyRegistry(registry, certificate);
    stops.push(() => line.stop());
    const digest = await registry.pushImage('ns/web', '1');
    line.fail({ times: 1, instead: { status: 503 } });
    line.fail({ times: 1, instead: 'reset' });
    expect(await client({ ca: certificate.ca }).digestOf(web(line.host), never())).toBe(digest);
    expect(line.requests.map(({ faulty }) => faulty)).toEqual([true, true, false]);
  });
});

describe('logins', () => {
  it('docker\'s own file serves; a wrong password is one line without it', async () => {
    const registry = await started({ tls: true, users });
    const digest = await registry.pushImage('ns/web', '1');
    const read = (password: string): ReturnType<typeof client> => {
      const store = createCredentials({ dockerConfigDir: '/nonexistent', own: { registry: registry.host, username: 'builder', password } });
      return client({ ca: registry.ca, credentialsFor: (host) => store.credentialsFor(host), credentialsSource: store.source });
    };
    expect(await read('s3cret').digestOf(web(registry.host), never())).toBe(digest);
    const error = await faultOf(read('wr0ng-pw').digestOf(web(registry.host), never()));
    expect([error.status, error.message]).toEqual([401, `${registry.host} refuses the login of builder (401)`]);
    expect(JSON.stringify(error)).not.toContain('wr0ng-pw');
    expect((await faultOf(client({ ca: registry.ca }).tagsOf(web(registry.host), never()))).message).toBe(`${registry.host} asks for a login, and there is none for it (401)`);
  });

  it('a wrong login is refused before a push', async () => {
    const registry = await started({ users });
    const error = await faultOf(client({ credentialsFor: () => Promise.resolve({ username: 'builder', password: 'x' }) }).probePush(web(registry.host), never()));
    expect(error.status).toBe(401);
  });
});

describe('a registry that refuses or goes away', () => {
  it('a read-only one answers questions and refuses pushes and moves', async () => {
    const writable = await started();
    const digest = await writable.pushImage('ns/web', '1');
    const registry = await started({ readOnly: true, storage: writable.storage });
    const reader = client();
    expect(await reader.digestOf(web(registry.host), never())).toBe(digest);
    expect((await faultOf(reader.probePush(web(registry.host), never()))).message).toMatch(/refuses a push to ns\/web: 405 Method Not Allowed/);
    expect((await faultOf(reader.putTag(web(registry.host), digest, 'latest', never()))).status).toBe(405);
  });

  it('killed and started again, it is found again in the same run', async () => {
    const first = await started();
    const digest = await first.pushImage('ns/web', '1');
    const clock = quickClock(0);
    const reader = client({ clock });
    expect(await reader.digestOf(web(first.host), never())).toBe(digest);
    await first.kill();
    expect((await faultOf(reader.digestOf(web(first.host), never()))).message).toMatch(/does not answer \(connect: refused, 4 tries/);
    await started({ port: first.port, storage: first.storage });
    await clock.sleep(30_000);
    expect(await reader.digestOf(web(first.host), never())).toBe(digest);
  });

  it('down for two tries, it is waited for', async () => {
    const first = await started();
    const digest = await first.pushImage('ns/web', '1');
    await first.kill();
    const clock = quickClock(0);
    let waits = 0;
    const patient: Clock = {
      now: () => clock.now(),
      async sleep(milliseconds) {
        if (++waits === 2) await started({ port: first.port, storage: first.storage });
        await clock.sleep(milliseconds);
      },
    };
    expect(await client({ clock: patient }).digestOf(web(first.host), never())).toBe(digest);
    expect(waits).toBe(2);
  });
});
