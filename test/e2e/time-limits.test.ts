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
    // Less would not be enough for an engine that has more to do.
    scenario.write('hasty.yaml', `registry: ${scenario.host}\nnamespace: test\npublish: true\nallowed_sources: ["*"]\ntimeouts: { connect: 1, idle: 3, test: 2, build: 6 }\n`);
    scenario.define('slow-build', { versions: ['1.0-1'], lines: [`RUN sleep 600.${process.pid}`] });
    scenario.define('slow-test', { versions: ['1.0-1'], test: 'sleep 603' });
    scenario.define('slow-move', { versions: ['1.0-1'], lines: ['RUN echo move > /move'] });
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
    expect(stdout).toMatch(/slow-build\s+FAILED\s+its build did not end within 6 s/);
    await until('the build has ended on the engine', () => !execFileSync('ps', ['-eo', 'args='], { encoding: 'utf8' }).includes(`\nsleep 600.${process.pid}\n`), 10);
  }, 60_000);

  it('is stopped, if it is a test; the image has failed and is not published', async () => {
    const { code, stdout } = await run('slow-test');
    expect(code).toBe(1);
    expect(stdout).toMatch(/slow-test\s+FAILED\s+its test did not end within 2 s/);
    expect(await scenario.tags('slow-test')).toEqual([]);
  }, 60_000);

  it('is given up, if :latest is to move; the image is published, and the next run moves it', async () => {
    const isPromotion = (method: string, path: string): boolean => method === 'PUT' && path.endsWith('/test/slow-move/manifests/latest');
    line.fail({ when: isPromotion, times: 4, instead: 'hang' });
    const { code, stdout } = await run('slow-move');
    expect(code).toBe(5);
    expect(stdout).toMatch(/slow-move\s+published 1\.0-1/);
    expect(stdout).toMatch(/slow-move\s+FAILED\s+127\.0\.0\.1:\d+ does not answer \(no byte for 3s, 4 tries in \d+s\)/);
    expect(await scenario.tags('slow-move')).toEqual(['1.0-1']);
    expect(await run('slow-move')).toMatchObject({ code: 0, stdout: expect.stringMatching(/slow-move\s+:latest\s+→ 1\.0-1/) });
  }, 90_000);

  it('is given up, if it is a push; the registry is to blame', async () => {
    line.fail({ when: (method, path) => method === 'PUT' && path.endsWith('/manifests/1.0-1'), instead: 'hang' });
    expect(await run('slow-push')).toMatchObject({ code: 5, stdout: expect.stringMatching(/slow-push\s+FAILED\s+the push of \S+\/test\/slow-push:1\.0-1 did not end within 6 s/) });
  }, 60_000);
});
