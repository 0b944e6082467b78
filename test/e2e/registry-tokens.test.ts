import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openScenario, type Scenario } from '../support/scenario.js';
import type { TokenServer } from '../support/token-server.js';

const LATER = 120_000;
const ROBOT = 'robot$project+builder';
const PASSWORD = 'p~?>>ÿ $HOME %24';

describe('a registry that takes tokens of a token server alone, Harbor\'s way', () => {
  let scenario: Scenario;
  let server: TokenServer;
  const dockerConfig = (auths: object): void => writeFileSync(join(scenario.directory, 'docker', 'config.json'), JSON.stringify({ auths }));
  const robotAuth = Buffer.from(`${ROBOT}:${PASSWORD}`).toString('base64');
  beforeAll(async () => {
    // Everybody may read, the robot may push and delete nothing.
    const may = (user: string | undefined, _: string, action: string): boolean => action === 'pull' || (user === ROBOT && action === 'push');
    scenario = await openScenario({ registry: { users: { [ROBOT]: PASSWORD }, tokens: { may } } });
    server = scenario.registry.tokenServer!;
    scenario.define('base', { versions: ['1.0-1'], lines: ['RUN echo base > /base'] });
    scenario.define('web', { versions: ['2.0-1'], from: 'base', lines: ['RUN cat /base > /web'], test: 'true' });
    scenario.define('roller', { from: 'web' });
  }, LATER);
  afterAll(() => scenario.close());

  it('is read by all, and says before any build that a push needs a login', async () => {
    dockerConfig({});
    const ended = await scenario.run([]);
    expect(ended.code).toBe(5);
    expect(ended.stderr).toMatch(/^\S+ asks for a login to push to test\/(?:base|web|roller), and there is none for it \(401\)\. Nothing was built or changed\.\n/);
    expect(ended.stderr).toContain(`try: check the login in ${join(scenario.directory, 'docker', 'config.json')}: credentials were looked for there`);
    expect(scenario.journal().map(({ type }) => type)).toEqual(['run-started', 'run-finished']);
    expect((await scenario.run(['plan'])).code).toBe(0);
  }, LATER);

  it('gets everything from a robot whose tokens live two seconds, parents first, with its name in the first line', async () => {
    dockerConfig({ [scenario.host]: { auth: robotAuth } });
    server.rule({ expiresIn: 2, serves: 2 });
    const before = server.asked.length;
    // As long as a token lives.
    scenario.define('web', { versions: ['2.0-1'], from: 'base', lines: ['RUN cat /base > /web'], test: 'sleep 2' });
    const ended = await scenario.run(['--verbose']);
    expect({ code: ended.code, stderr: ended.stderr }).toEqual({ code: 0, stderr: '' });
    expect(ended.stdout).toContain(`publishing to ${scenario.host}/test as ${ROBOT}\n`);
    expect(ended.stdout).toMatch(/3 published in .*:latest moved for 3 images\./);
    for (const [name, tag] of [['base', '1.0-1'], ['web', '2.0-1']] as const) expect(await scenario.digest(name, 'latest')).toBe(await scenario.digest(name, tag));
    const ours = server.asked.slice(before).filter(({ scopes }) => scopes.join() === 'repository:test/web:pull');
    expect(ours.length).toBeGreaterThan(1);
    expect((await scenario.run(['plan'])).stdout).toMatch(/3 up to date/);
  }, LATER);

  it('gets an identity token that a credential program keeps, for reading, for the push of the engine and for :latest', async () => {
    server.rule({ expiresIn: 300, serves: 300, identityTokens: { 'refresh-me': ROBOT } });
    const helper = join(scenario.directory, 'bin', 'docker-credential-test');
    scenario.write('bin/docker-credential-test', `#!/bin/sh\nread host\n[ "$1 $host" = "get ${scenario.host}" ] && echo '{"ServerURL":"x","Username":"<token>","Secret":"refresh-me"}'\n`, 0o755);
    writeFileSync(join(scenario.directory, 'docker', 'config.json'), JSON.stringify({ credsStore: 'missing', credHelpers: { [scenario.host]: 'test' } }));
    scenario.define('identity', { versions: ['1'], from: 'base' });
    const before = server.asked.length;
    const ended = await scenario.run([], { env: { PATH: `${join(helper, '..')}:${process.env['PATH']!}` } });
    expect({ code: ended.code, stderr: ended.stderr }).toEqual({ code: 0, stderr: '' });
    expect(ended.stdout).toMatch(/1 published, 3 kept in .*:latest moved for 1 image\./);
    // Our own and the engine's.
    const pushes = server.asked.slice(before).filter(({ scopes }) => scopes.some((scope) => /^repository:test\/identity:.*push/.test(scope)));
    expect(pushes.length).toBeGreaterThan(1);
    expect(new Set(pushes.map(({ method, user, status }) => `${method} ${user ?? ''} ${status}`))).toEqual(new Set([`POST ${ROBOT} 200`]));
    expect(`${ended.stdout}${scenario.kept()}`).not.toContain('refresh-me');
  }, LATER);

  it('with a credential program that is not installed is exit 5 before anything', async () => {
    const ended = await scenario.run([]);
    expect(ended.code).toBe(5);
    expect(ended.stderr).toBe(`docker-credential-test, which docker's config.json names for ${scenario.host}, cannot be run (ENOENT). Nothing was built or changed.\n  docs: operating.md#credentials\n`);
  }, LATER);

  it('gets the robot\'s name and password from the config, too, and neither token nor password is told or kept', async () => {
    dockerConfig({});
    scenario.configure(`username: ${ROBOT}\npassword: '${PASSWORD}'`);
    scenario.define('other', { versions: ['1'], from: 'base' });
    const ended = await scenario.run(['--verbose']);
    expect(ended.code).toBe(0);
    expect(ended.stdout).toMatch(/other +published 1/);
    const told = `${ended.stdout}${ended.stderr}${scenario.kept()}`;
    for (const secret of [PASSWORD, encodeURIComponent(PASSWORD), robotAuth, 'Bearer ', 'eyJ']) expect(told).not.toContain(secret);
  }, LATER);

  it('with a wrong password is exit 5 before anything', async () => {
    scenario.define('other', { versions: ['2', '1'], from: 'base' });
    writeFileSync(join(scenario.directory, 'wrong.yaml'), `registry: ${scenario.host}\nnamespace: test\npublish: true\nallowed_sources: ["*"]\nusername: ${ROBOT}\npassword: wr0ng-pw\n`);
    const ended = await scenario.run(['-c', 'wrong.yaml']);
    expect(ended.code).toBe(5);
    expect(ended.stderr).toContain(`${scenario.host} refuses the login of ${ROBOT} (401). Nothing was built or changed.\n`);
    expect(ended.stderr).not.toContain('wr0ng-pw');
  }, LATER);
});
