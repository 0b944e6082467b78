import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { dayOf } from '../../src/state/dated-tag.js';
import { openScenario, type Scenario } from '../support/scenario.js';

describe('a nightly build', () => {
  let scenario: Scenario;
  let night: string;
  let before: readonly (string | undefined)[];
  const NAMES = ['parent', 'child', 'literal', 'roll'];
  const latest = () => Promise.all(NAMES.map((name) => scenario.digest(name, 'latest')));
  const parentsOf = async (name: string, tag: string) => JSON.parse((await scenario.labels(name, tag))['build-images.parents']!) as Record<string, string>;
  const ref = (name: string, tag: string): string => `${scenario.host}/test/${name}:${tag}`;
  beforeAll(async () => {
    scenario = await openScenario();
    scenario.define('parent', { versions: ['1'], lines: ['RUN cat /proc/sys/kernel/random/uuid > /made'] });
    scenario.define('child', { versions: ['2'], from: 'parent', lines: ['RUN cat /made > /seen'], test: 'case $1 in *untested-*) exit 0;; *) exit 1;; esac' });
    scenario.define('literal', { versions: ['3'], lines: [`FROM ${ref('parent', '1')}`, 'RUN cat /made > /seen'] });
    scenario.define('roll', { from: 'parent' });
    expect((await scenario.run([])).code).toBe(0);
    before = await latest();
    // The day is that of the run's start; what began just before midnight is of the day before.
    const days = [dayOf(Date.now())];
    const ended = await scenario.run(['--nightly']);
    expect(ended.code).toBe(0);
    days.push(dayOf(Date.now()));
    expect(ended.stdout).toMatch(/^\S+ publishing to \S+\n\S+ nightly build: tags end in -\d{8}; versions, dated tags and :latest stay as they are\n/);
    expect(ended.stdout).toMatch(/child +build +a nightly build was asked for/);
    night = /tags end in -(\d{8});/.exec(ended.stdout)![1]!;
    expect(days).toContain(night);
  }, 240_000);
  afterAll(() => scenario.close());

  it('sets its own tag and no other, and moves no :latest', async () => {
    expect(await scenario.tags('parent')).toEqual(['1', `1-${night}`, 'latest']);
    expect(await scenario.tags('child')).toEqual(['2', `2-${night}`, 'latest']);
    expect((await scenario.tags('roll')).filter((tag) => !/^\d{8}$/.test(tag))).toEqual(['latest', `nightly-${night}`]);
    expect(await latest()).toEqual(before);
    expect(scenario.journal().filter(({ type }) => type === 'run-started').at(-1)).toMatchObject({ nightly: { build: 'nightly', suffix: night } });
  });
  it('stands on its parents of the same night, however they are named', async () => {
    const parent = await scenario.digest('parent', `1-${night}`);
    for (const [name, tag] of [['child', `2-${night}`], ['literal', `3-${night}`], ['roll', `nightly-${night}`]] as const) expect(await parentsOf(name, tag)).toEqual({ [ref('parent', `1-${night}`)]: parent });
    expect(await scenario.fileIn('child', `2-${night}`, '/seen')).toBe(await scenario.fileIn('parent', `1-${night}`, '/made'));
  }, 60_000);
  it('is the same definition, and says which build it is', async () => {
    const [version, tonight] = await Promise.all(['2', `2-${night}`].map((tag) => scenario.labels('child', tag)));
    expect(tonight!['build-images.definition']).toBe(version!['build-images.definition']);
    expect([version, tonight].map((labels) => labels!['org.opencontainers.image.version'])).toEqual(['2', `2-${night}`]);
    expect((await scenario.labels('roll', `nightly-${night}`))['org.opencontainers.image.version']).toBe('');
  });
  it('is no news for an ordinary plan, and is kept when it is asked for again', async () => {
    expect((await scenario.run(['plan', '--check'])).code).toBe(0);
    const again = await scenario.run(['plan', '--nightly', '--json']);
    const { nightly, steps } = JSON.parse(again.stdout) as { nightly: { suffix: string }; steps: { ref: string; action: string }[] };
    // After midnight UTC it is the next night's.
    const same = nightly.suffix === night;
    expect(steps.map(({ action }) => action)).toEqual(same ? ['keep', 'keep', 'keep', 'keep'] : ['build', 'build', 'build', 'build']);
    expect(steps[0]!.ref).toBe(ref('parent', `1-${nightly.suffix}`));
  }, 60_000);
  it('of a second is a snapshot; what stays here is no version of the next run', async () => {
    scenario.define('parent', { versions: ['2', '1'], lines: ['RUN cat /proc/sys/kernel/random/uuid > /made'] });
    const ended = await scenario.run(['--snapshot', '--no-publish', '--select', '*/roll:*']);
    expect(ended.code).toBe(0);
    expect(ended.stdout).toMatch(/parent +kept here +as 2-\d{8}-\d{6} \(not publishing\)/);
    expect(ended.stdout).toMatch(/roll +kept here +as snapshot-\d{8}-\d{6} /);
    const { steps } = JSON.parse((await scenario.run(['plan', '--json'])).stdout) as { steps: { image: string; action: string }[] };
    expect(Object.fromEntries(steps.map(({ image, action }) => [image.slice('test/'.length), action]))).toEqual({ parent: 'build', child: 'keep', literal: 'keep', roll: 'build' });
  }, 120_000);
  it.each([
    [['--nightly', '--snapshot'], /--nightly and --snapshot are two builds: ask for one of them/],
    [['--nightly', '--rebuild', '--select', '*roll*'], /--rebuild makes new dated tags, and --nightly makes tags of its own: ask for one of them/],
    [['promote', 'parent', '--nightly'], /--nightly is no option of promote/],
  ])('%j is a mistake of the command line', async (args, said) => {
    const ended = await scenario.run(args);
    expect([ended.code, ended.stderr]).toEqual([2, expect.stringMatching(said)]);
  });
  it('a version that leaves no room for the suffix is a fault of its changelog', async () => {
    scenario.define('long', { versions: ['v'.repeat(125)] });
    const ended = await scenario.run(['plan', '--nightly']);
    expect(ended.code).toBe(3);
    expect(ended.stderr).toMatch(/images\/long\/changelog:1: version "v+" is too long for a nightly build/);
  });
});
