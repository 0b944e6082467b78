import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import type { FaultyRegistry } from '../support/faulty-registry.js';
import { openProxiedScenario } from '../support/proxied-scenario.js';
import type { Scenario } from '../support/scenario.js';
import { until } from '../support/until.js';

describe('what takes longer than it may', () => {
  let scenario: Scenario;
  let line: FaultyRegistry;
  beforeAll(async () => {
    ({ scenario, line } = await openProxiedScenario());
    scenario.write('hasty.yaml', `registry: ${scenario.host}\nnamespace: test\npublish: true\nallowed_sources: ["*"]\ntimeouts: { connect: 2, idle: 5, test: 1, build: 3 }\n`);
    scenario.define('slow-build', { versions: ['1.0-1'], lines: ['RUN sleep 600.0719'] });
    scenario.define('slow-test', { versions: ['1.0-1'], test: 'sleep 603' });
    scenario.define('slow-push', { versions: ['1.0-1'], lines: ['RUN echo push > /push'] });
  }, 60_000);
  afterAll(async () => {
    await scenario.close();
    await line.stop();
  }, 60_000);

  const run = (name: string): ReturnType<Scenario['run']> => scenario.run(['-c', 'hasty.yaml', '--select', `*/${name}:*`]);

  it('is stopped, if it is a build; the image has failed', async () => {
    const { code, stdout } = await run('slow-build');
    expect(code).toBe(1);
    expect(stdout).toMatch(/slow-build\s+FAILED\s+its build did not end within 3 s/);
    await until('the build has ended on the engine', () => !execFileSync('ps', ['-eo', 'args='], { encoding: 'utf8' }).includes('\nsleep 600.0719\n'), 10);
  }, 60_000);

  it('is stopped, if it is a test; the image has failed and is not published', async () => {
    const { code, stdout } = await run('slow-test');
    expect(code).toBe(1);
    expect(stdout).toMatch(/slow-test\s+FAILED\s+its test did not end within 1 s/);
    expect(await scenario.tags('slow-test')).toEqual([]);
  }, 60_000);

  it('is given up, if it is a push; the registry is to blame', async () => {
    line.fail({ when: (method, path) => method === 'PUT' && path.endsWith('/manifests/1.0-1'), instead: 'hang' });
    const { code, stdout } = await run('slow-push');
    expect(code).toBe(5);
    expect(stdout).toMatch(/slow-push\s+FAILED\s+the push of \S+\/test\/slow-push:1\.0-1 did not end within 3 s/);
  }, 60_000);
});
