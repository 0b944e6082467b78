import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { digestOf } from '../../src/shared/digest.js';
import { openScenario, type Scenario } from '../support/scenario.js';

describe('prune, on the engine', () => {
  let scenario: Scenario;
  let byDigest: string;
  const ref = (name: string, tag: string): string => `${scenario.host}/test/${name}:${tag}`;
  /** Tags of this tree's images on the engine, and of others with this registry's name. */
  const tags = async (): Promise<readonly string[]> => (await scenario.localTags()).map((tag) => tag.slice(scenario.host.length + 1)).filter((tag) => !tag.startsWith('test-base/'));
  beforeAll(async () => {
    scenario = await openScenario();
    scenario.define('parent', { versions: ['2', '1'], lines: ['RUN echo two > /made'] });
    scenario.define('child', { versions: ['2', '1'], from: 'parent', lines: ['RUN echo two > /own'] });
    expect((await scenario.run(['--no-publish'])).code).toBe(0);
    for (const version of ['1', '1.5']) {
      for (const name of ['parent', 'child']) {
        scenario.write('old/Dockerfile', `FROM ${ref('parent', '2')}\nRUN echo ${name} ${version} > /old\n`);
        await scenario.docker('build', '--quiet', '--tag', ref(name, version), join(scenario.directory, 'old'));
      }
    }
    await scenario.docker('tag', ref('parent', '1'), ref('stranger', '1'));
    byDigest = `${scenario.host}/test/child@${await scenario.registry.pushImage('test/child', 'elsewhere')}`;
    await scenario.docker('pull', '--quiet', byDigest);
    const state = join(scenario.directory, 'state', 'build-images');
    mkdirSync(state, { recursive: true });
    await scenario.docker('tag', ref('parent', '2'), ref('parent', `run-20200101-0000.${digestOf(state).slice(7, 13)}`));
    await scenario.docker('tag', ref('parent', '2'), ref('parent', 'run-20200101-0000.000000'));
  }, 120_000);
  afterAll(() => scenario.close());

  it('shows what would go, and changes nothing, under --dry-run', async () => {
    const before = await tags();
    const ended = await scenario.run(['prune', '--dry-run', '--json', '--select', '*/child:*']);
    expect(ended.code).toBe(0);
    const { pruning, steps } = JSON.parse(ended.stdout) as { pruning: object; steps: { image: string; action: string; refs: string[]; reasons: object[] }[] };
    expect(pruning).toEqual({ where: 'engine', of: `this engine: images of ${scenario.host}/test` });
    expect(steps.filter(({ action }) => action === 'delete-local').map(({ image }) => image)).toEqual(['test/child', 'test/child', 'test/child']);
    expect(await tags()).toEqual(before);
    expect(scenario.journal().some(({ type }) => type === 'prune-started')).toBe(false);
  });

  it('takes what is not current away, children first; what a container stands on stays, with a note, and so does what has another name', async () => {
    const container = await scenario.docker('create', ref('child', '1'), 'true');
    try {
      const ended = await scenario.run(['prune']);
      expect(ended.code).toBe(0);
      expect(ended.stdout).toMatch(/^\S+ pruning this engine: images of \S+\/test\n\S+ child +kept +1: container \S+ uses it\n/);
      const order = ended.stdout.split('\n').flatMap((line) => /^\S+ (\w+) +deleted +(\S+)/.exec(line)?.slice(1, 3).join(' ') ?? []);
      expect(order.findLastIndex((one) => one.startsWith('child'))).toBeLessThan(order.findIndex((one) => one.startsWith('parent')));
      expect(ended.stdout).toMatch(/\n5 names deleted in \S+\. {3}run /);
      expect(await tags()).toEqual(['test/child:1', 'test/child:2', 'test/parent:2', 'test/parent:run-20200101-0000.000000', 'test/stranger:1']);
      expect(scenario.journal().filter(({ type }) => type === 'deleted')).toHaveLength(5);
      await expect(scenario.docker('image', 'inspect', byDigest)).rejects.toThrow(/No such image/);
    } finally {
      await scenario.docker('rm', '-f', container);
    }
  }, 60_000);

  it('finds nothing more to do once that is gone; the current images are built on as ever', async () => {
    expect((await scenario.run(['prune'])).stdout).toMatch(/child +deleted +1\n/);
    expect((await scenario.run(['prune'])).stdout).toMatch(/\nNothing to delete: 2 kept\.\n$/);
    expect((await scenario.run(['--no-publish'])).stdout).toMatch(/Nothing to do/);
  }, 60_000);

  it.each([
    [['prune', '--older-than', 'soon'], /--older-than takes hours, days or weeks \(12h, 30d, 4w\), not "soon"/],
    [['prune', '--keep', '0'], /--keep takes a whole number from 1/],
    [['prune', '--nightly', 'a b'], /--nightly takes what follows the version in its tag \(20261120\), not "a b"/],
    [['prune', '--select', 'nothing'], /--select 'nothing' matches no image/],
  ])('%j is a mistake of the command line', async (args, said) => {
    const ended = await scenario.run(args);
    expect([ended.code, ended.stderr]).toEqual([2, expect.stringMatching(said)]);
  });

  it('leaves the nightly build that is named, and nothing else', async () => {
    await scenario.docker('rmi', ref('parent', 'run-20200101-0000.000000'));
    await scenario.docker('tag', ref('child', '2'), ref('child', '2-20261120'));
    await scenario.docker('tag', ref('stranger', '1'), ref('parent', '2-20261120'));
    const ended = await scenario.run(['prune', '--nightly', '20261120']);
    expect(ended.code).toBe(0);
    expect(await tags()).toEqual(['test/child:2', 'test/child:2-20261120', 'test/parent:2-20261120', 'test/stranger:1']);
  }, 60_000);

  it('is refused while another run is at work, and without an engine', async () => {
    scenario.define('slow', { versions: ['1'], lines: ['RUN sleep 20'] });
    const running = scenario.start(['--no-publish', '--select', '*/slow:*']);
    await running.waitFor(/slow +build/);
    const ended = await scenario.run(['prune']);
    expect([ended.code, ended.stderr]).toEqual([75, expect.stringMatching(/another run is at work on/)]);
    running.child.kill('SIGINT');
    expect((await running.ended).code).toBe(130);
    const gone = await scenario.run(['prune'], { env: { DOCKER_HOST: 'unix:///nowhere/docker.sock' } });
    expect([gone.code, gone.stderr]).toEqual([4, expect.stringMatching(/Nothing was built or changed\./)]);
  }, 60_000);
});
