import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { startEngine, type OwnEngine } from '../support/engine-fixture.js';
import { openScenario, type Scenario } from '../support/scenario.js';
import { until } from '../support/until.js';

/** Told from the sleep of any other test by its length. */
const NAP = `sleep 4.0${process.pid}`;
const isAtWork = (command: string): boolean => execFileSync('ps', ['-eo', 'args='], { encoding: 'utf8' }).split('\n').some((line) => line.trim() === command);
const temporaryTags = async (scenario: Scenario): Promise<readonly string[]> => (await scenario.localTags()).filter((tag) => /:(?:untested|run)-/.test(tag));

describe('an engine that is not there', () => {
  let scenario: Scenario;
  let nobody: { readonly DOCKER_HOST: string };
  beforeAll(async () => {
    scenario = await openScenario();
    nobody = { DOCKER_HOST: `unix://${scenario.directory}/none.sock` };
    scenario.define('base', { versions: ['1.0-1'], lines: ['RUN echo base > /base'] });
    scenario.define('rolling', { from: 'base' });
    expect((await scenario.run([])).code).toBe(0);
  }, 90_000);
  afterAll(() => scenario.close(), 60_000);

  it('is not asked while everything is published: plan and build do without', async () => {
    expect(await scenario.run(['plan', '--check'], { env: nobody })).toMatchObject({ code: 0, stderr: '' });
    const build = await scenario.run([], { env: nobody });
    expect(build).toMatchObject({ code: 0, stderr: '' });
    expect(build.stdout).toMatch(/Nothing to do: 2 up to date\./);
  }, 60_000);

  describe('when something is to be built', () => {
    beforeAll(() => {
      scenario.define('new', { versions: ['1.0-1'], from: 'base' });
      scenario.write('hasty.yaml', `registry: ${scenario.host}\nnamespace: test\npublish: true\ntimeouts: { idle: 3 }\n`);
    });

    it.each([
      ['that has no socket', () => nobody.DOCKER_HOST, /^the Docker engine at \S+none\.sock does not answer \(no such socket\)/, /^ {2}try: systemctl start docker/m],
      ['that left its socket', () => `unix://${scenario.directory}/left.sock`, /^the Docker engine at \S+left\.sock does not answer \(connection refused\)/, /^ {2}try: systemctl start docker/m],
      ['whose socket hangs up', () => `unix://${scenario.directory}/other.sock`, /^the Docker engine at \S+other\.sock does not answer \(it closed the connection\)/, /^ {2}try: journalctl -u docker/m],
      ['that is stuck', () => `unix://${scenario.directory}/stuck.sock`, /^the Docker engine at \S+stuck\.sock does not answer \(no answer in 3 s\)/, /^ {2}try: docker info/m],
      ['at a port where nobody listens', () => 'tcp://user:secret@127.0.0.1:1', /^the Docker engine at tcp:\/\/127\.0\.0\.1:1 does not answer \(connection refused\)/, /^ {2}try: systemctl start docker/m],
    ])('one %s is exit 4 for plan and for build, one line and what to try; nothing is built', async (_, host, message, hint) => {
      scenario.write('left.sock', '');
      const held: Socket[] = [];
      const servers = [
        createServer((connection) => connection.destroy()).listen(join(scenario.directory, 'other.sock')),
        createServer((connection) => held.push(connection)).listen(join(scenario.directory, 'stuck.sock')),
      ];
      await Promise.all(servers.map((server) => new Promise((resolve) => server.once('listening', resolve))));
      try {
        for (const verb of ['plan', 'build']) {
          const { code, stdout, stderr } = await scenario.run([verb, '-c', 'hasty.yaml'], { env: { DOCKER_HOST: host() } });
          expect({ verb, code, stdout }).toEqual({ verb, code: 4, stdout: '' });
          expect(stderr).toMatch(message);
          expect(stderr).toMatch(hint);
          expect(stderr.includes('Nothing was built or changed.')).toBe(verb === 'build');
          expect(stderr.trim().split('\n').length).toBeLessThanOrEqual(4);
        }
      } finally {
        for (const connection of held) connection.destroy();
        await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
      }
      expect(await scenario.tags('new')).toEqual([]);
    }, 60_000);

    it('list and render do without all the same', async () => {
      expect(await scenario.run(['list'], { env: nobody })).toMatchObject({ code: 0, stderr: '' });
      expect(await scenario.run(['render', 'new'], { env: nobody })).toMatchObject({ code: 0, stderr: '' });
    }, 60_000);
  });
});

describe('an engine that is killed in the middle of a build', () => {
  let own: OwnEngine;
  let scenario: Scenario;
  beforeAll(async () => {
    own = await startEngine();
    scenario = await openScenario({ socketPath: own.socketPath });
    scenario.define('base', { versions: ['1.0-1'], lines: ['RUN echo base > /base'] });
    scenario.define('web', { versions: ['1.0-1'], from: 'base', lines: [`RUN ${NAP}`] });
    scenario.define('tool', { versions: ['1.0-1'], from: 'web' });
    scenario.define('zebra', { versions: ['1.0-1'], from: 'base' });
  }, 120_000);
  afterAll(async () => {
    await scenario.close();
    await own.stop();
  }, 90_000);

  it('is exit 4 and is blamed itself, not the Dockerfile; nothing new starts, nothing is half promoted', async () => {
    const run = scenario.start(['--jobs', '1']);
    await run.waitFor(/web\s+build/);
    await run.meets(until('sleep runs', () => isAtWork(NAP)));
    await own.kill();
    const { code, stdout, stderr } = await run.ended;
    expect({ code, stderr }).toEqual({ code: 4, stderr: '' });
    expect(stdout).toMatch(/web\s+FAILED\s+the Docker engine at \S+ does not answer \((?:it closed the connection|connection refused|no such socket)\)/);
    expect(stdout).not.toMatch(/RUN sleep/);
    expect(stdout).toMatch(/try: journalctl -u docker|try: systemctl start docker/);
    expect(stdout).toMatch(/tool\s+blocked\s+by web/);
    expect(stdout).toMatch(/zebra\s+not done\s+the engine is gone/);
    expect(stdout).toMatch(/1 published, 1 failed, 1 blocked, 1 not done/);
    expect(await scenario.digest('base', 'latest')).toBe(await scenario.digest('base', '1.0-1'));
    for (const name of ['web', 'tool', 'zebra']) expect(await scenario.tags(name)).toEqual([]);
  }, 120_000);

  it('has lost nothing when it is back: the next run removes what the first one left, and completes it', async () => {
    await own.restart();
    expect(await temporaryTags(scenario)).not.toEqual([]);
    const { code, stdout, stderr } = await scenario.run([]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).not.toMatch(/base\s+build/);
    expect(stdout).toMatch(/3 published, 1 kept in .*:latest moved for 3 images\./);
    expect(await temporaryTags(scenario)).toEqual([]);
    expect(existsSync(own.socketPath)).toBe(true);
  }, 180_000);
});
