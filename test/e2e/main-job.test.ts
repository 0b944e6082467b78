import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openScenario, type Scenario } from '../support/scenario.js';

describe('the main job', () => {
  let scenario: Scenario;
  beforeAll(async () => {
    scenario = await openScenario();
    scenario.define('base', { versions: ['1.0-1'], lines: ['RUN echo base > /made-by'], test: 'docker run --rm "$1" cat /made-by | grep -q base' });
    scenario.define('web', { versions: ['2.0-1'], from: 'base', lines: ['COPY page.html /page.html'], files: { 'page.html': 'hello\n' } });
    scenario.define('run', { from: 'base', lines: ['RUN cat /made-by > /seen'] });
  }, 120_000);
  afterAll(() => scenario.close());

  it('builds, tests and publishes a tree, moves :latest, and does nothing the second time', async () => {
    const first = await scenario.run([]);
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(first.stdout).toMatch(/base\s+tested/);
    expect(first.stdout).toMatch(/3 published in .*:latest moved for 3 images/);
    for (const [name, tag] of [['base', '1.0-1'], ['web', '2.0-1']] as const) expect(await scenario.digest(name, tag)).toBe(await scenario.digest(name, 'latest'));
    expect(await scenario.fileIn('web', 'latest', '/page.html')).toBe('hello\n');
    expect(await scenario.fileIn('run', 'latest', '/seen')).toBe('base\n');

    const second = await scenario.run([]);
    expect(second.code).toBe(0);
    expect(second.stdout).toMatch(/Nothing to do: 3 up to date\./);
    expect((await scenario.run(['plan', '--check'])).code).toBe(0);
  }, 180_000);
});
