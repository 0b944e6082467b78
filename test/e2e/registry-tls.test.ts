import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { makeCertificate, type Certificate } from '../support/certificate.js';
import { startEngine, type OwnEngine } from '../support/engine-fixture.js';
import { freePort } from '../support/free-port.js';
import { startRegistry, type RegistryFixture } from '../support/registry-fixture.js';
import { openScenario, type Scenario } from '../support/scenario.js';

const LATER = 120_000;

describe('a registry elsewhere than on loopback', () => {
  let engine: OwnEngine;
  let scenario: Scenario;
  let certificate: Certificate;
  let host: string;
  let plainHost: string;
  let trusted: string;
  const folder = mkdtempSync(join(tmpdir(), 'registry-tls-'));
  const others: RegistryFixture[] = [];
  /** Puts the CA where the engine looks for it, or takes it away. */
  const trust = (yes: boolean): void => {
    if (!yes) return rmSync(trusted, { recursive: true, force: true });
    mkdirSync(trusted, { recursive: true });
    writeFileSync(join(trusted, 'ca.crt'), certificate.ca);
  };
  const configure = (name: string, text: string): void => scenario.write(name, `namespace: test\npublish: true\nallowed_sources: ["*"]\ntimeouts: { connect: 2, idle: 5, test: 30 }\n${text}\n`);
  beforeAll(async () => {
    const [port, plainPort] = [await freePort(), await freePort()];
    engine = await startEngine((address) => ['--insecure-registry', `${address}:${plainPort}`]);
    host = `${engine.address}:${port}`;
    plainHost = `${engine.address}:${plainPort}`;
    certificate = makeCertificate(folder, `IP:${engine.address}`);
    // Through the process: the engine under test may have another root.
    trusted = `/proc/${engine.pid}/root/etc/docker/certs.d/${host}`;
    trust(true);
    scenario = await openScenario({ socketPath: engine.socketPath, registry: { address: engine.address, port, certificate }, host: `${host}/team` });
    scenario.write('ca.pem', certificate.ca);
    scenario.define('base', { versions: ['1.0-1'], lines: ['RUN echo base > /base'] });
    scenario.define('web', { versions: ['1.0-1'], from: 'base', lines: ['RUN cat /base > /web'] });
  }, LATER);
  afterAll(async () => {
    await scenario.close();
    for (const registry of others) await registry.stop();
    trust(false);
    await engine.stop();
    rmSync(folder, { recursive: true });
  }, LATER);

  it('whose CA the engine does not trust is one line that says where the engine looks', async () => {
    configure('ca.yaml', `registry: ${host}/team\nca_bundle: ca.pem`);
    trust(false);
    const ended = await scenario.run(['-c', 'ca.yaml']);
    trust(true);
    expect(ended.code).toBe(5);
    expect(ended.stdout).toMatch(/base +FAILED +\S+\/test-base\/tiny@sha256:[0-9a-f]+ could not be pulled: the engine does not trust \S+: x509: /);
    expect(ended.stdout).toContain(`try: the registry's CA in /etc/docker/certs.d/${host}/ca.crt on the engine's machine\n`);
    expect(ended.stdout).toMatch(/docs: operating\.md#registry-certificate\n/);
  }, LATER);

  it('whose CA neither trusts is exit 5 before anything, and says how to trust it', async () => {
    const ended = await scenario.run([]);
    expect(ended.code).toBe(5);
    expect(ended.stderr).toMatch(/^\S+ is not trusted: its certificate is refused: its CA is not one that this machine trusts\. Nothing was built or changed\.\n/);
    expect(ended.stderr).toMatch(/ca_bundle in the config.*\n {2}docs: operating\.md#registry-certificate\n$/);
  }, LATER);

  it('gets all of it below its path when both trust its CA', async () => {
    const ended = await scenario.run(['-c', 'ca.yaml']);
    expect({ code: ended.code, stderr: ended.stderr }).toEqual({ code: 0, stderr: '' });
    expect(ended.stdout).toMatch(/2 published in .*:latest moved for 2 images/);
    const tags = await scenario.registry.send('GET', '/v2/team/test/web/tags/list');
    expect(JSON.parse(tags.body.toString())).toMatchObject({ tags: expect.arrayContaining(['1.0-1', 'latest']) });
    expect((await scenario.run(['plan', '-c', 'ca.yaml'])).stdout).toMatch(/2 up to date/);
  }, LATER);

  it('without TLS is asked for nothing until the config tolerates it; then the engine has its say', async () => {
    const plain = await startRegistry({ address: engine.address, storage: scenario.registry.storage });
    others.push(plain);
    configure('plain.yaml', `registry: ${plain.host}`);
    const refused = await scenario.run(['-c', 'plain.yaml']);
    expect(refused.code).toBe(5);
    expect(refused.stderr).toMatch(/^\S+ speaks no TLS\. Nothing was built or changed\.\n[^]*insecure_registries in the config[^]*docs: operating\.md#registry-without-tls\n$/);
    expect(plain.log()).not.toContain('/v2/test/');

    configure('plain.yaml', `registry: ${plain.host}\nca_bundle: ca.pem\ninsecure_registries: ["${plain.host}"]`);
    const ended = await scenario.run(['-c', 'plain.yaml']);
    expect(ended.code).toBe(5);
    expect(ended.stdout).toMatch(/FAILED +\S+\/test\/base:1\.0-1 could not be pushed: \S+ speaks no TLS, and the engine does not take it without/);
    expect(ended.stdout).toContain(`try: "insecure-registries": ["${plain.host}"] in /etc/docker/daemon.json on the engine's machine, then systemctl reload docker\n`);
  }, LATER);

  it('without TLS gets all of it when config and engine tolerate it', async () => {
    const plain = await startRegistry({ address: engine.address, port: Number(plainHost.split(':')[1]) });
    others.push(plain);
    configure('plain.yaml', `registry: ${plainHost}\nca_bundle: ca.pem\ninsecure_registries: ["${plainHost}"]`);
    const ended = await scenario.run(['-c', 'plain.yaml']);
    expect({ code: ended.code, stderr: ended.stderr }).toEqual({ code: 0, stderr: '' });
    expect(ended.stdout).toMatch(/2 published in /);
  }, LATER);
});
