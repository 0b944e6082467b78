import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { openProxiedScenario } from '../support/proxied-scenario.js';
import type { FaultyRegistry } from '../support/faulty-registry.js';
import { changelog, openScenario, type Ended, type Scenario } from '../support/scenario.js';

const LATER = 180_000;
jest.setTimeout(60_000);

let scenario: Scenario;
const latest = (...names: readonly string[]): Promise<readonly (string | undefined)[]> => Promise.all(names.map((name) => scenario.digest(name, 'latest')));
/** The run's name, of one that took `:latest` away from something. */
const undo = (ended: Ended): string => /To undo: build-images rollback (\S+)\n/.exec(ended.stdout)![1]!;
/** Another machine: the same tree and registry, nothing in its state directory, nothing in its cache. */
const elsewhere = (): Readonly<Record<string, string>> => ({ XDG_STATE_HOME: join(scenario.directory, 'elsewhere'), XDG_CACHE_HOME: join(scenario.directory, 'elsewhere-cache') });
const plan = async (env: Readonly<Record<string, string>> = {}): Promise<Readonly<Record<string, string>>> => {
  const { steps } = JSON.parse((await scenario.run(['plan', '--json'], { env })).stdout) as { steps: { image: string; action: string; reasons: { why: string }[] }[] };
  return Object.fromEntries(steps.map(({ image, action, reasons }) => [image.replace(/^test\//, ''), `${action} ${reasons.map(({ why }) => why).join()}`]));
};

describe('rollback of a run', () => {
  let run: string;
  let before: readonly (string | undefined)[];
  const images = ['base', 'roll', 'web'] as const;
  const define = (word: string, versions: readonly string[]): void => {
    scenario.define('base', { lines: [`RUN echo ${word} > /base`] });
    scenario.define('roll', { from: 'base', lines: ['RUN echo roll > /roll'] });
    scenario.define('web', { versions, lines: [`RUN echo ${word} > /web`] });
  };
  beforeAll(async () => {
    scenario = await openScenario();
    define('one', ['1.0']);
    expect((await scenario.run([])).code).toBe(0);
    before = await latest(...images);
    define('two', ['1.1', '1.0']);
    const ended = await scenario.run([]);
    expect(ended.code).toBe(0);
    run = undo(ended);
  }, LATER);
  afterAll(() => scenario.close(), LATER);

  it('shows with --dry-run what would go back, children first, and writes nothing', async () => {
    const tags = await scenario.tags('web');
    const { code, stdout } = await scenario.run(['rollback', run, '--dry-run', '--json']);
    const { steps } = JSON.parse(stdout) as { steps: readonly { image: string; action: string; withdraws: string; reasons: readonly unknown[] }[] };
    expect([code, steps.map(({ image, action, withdraws, reasons }) => [image, action, withdraws.replace(/\d{8}/, 'DAY'), reasons])]).toEqual([
      0,
      [
        ['test/web', 'promote', 'withdrawn-1.1', [{ why: 'taken-back', run }]],
        ['test/roll', 'promote', 'withdrawn-DAY-2', [{ why: 'taken-back', run }]],
        ['test/base', 'promote', 'withdrawn-DAY-2', [{ why: 'taken-back', run }]],
      ],
    ]);
    expect([await scenario.tags('web'), (await latest('web'))[0] === before[2]]).toEqual([tags, false]);
  });

  it('takes :latest of all back, and withdraws what it leaves', async () => {
    const left = await latest(...images);
    const ended = await scenario.run(['rollback', run]);
    expect([ended.code, ended.stderr]).toEqual([0, '']);
    expect(ended.stdout).toMatch(/web +withdrawn as withdrawn-1\.1\n.*web +:latest +→ 1\.0 \(was 1\.1\)\n.*roll +withdrawn as withdrawn-\d{8}-2\n.*roll +:latest +→ \d{8} \(was \d{8}-2\)\n/);
    expect(ended.stdout).toMatch(/3 promoted in .* :latest moved for 3 images\. {3}To undo: build-images rollback \d{8}-\d{4}[a-z]?\n$/);
    expect(await latest(...images)).toEqual(before);
    expect(await scenario.digest('web', 'withdrawn-1.1')).toBe(left[2]);
  });

  it.each([['here', false], ['on another machine', true]])('nothing moves back %s, and the plan says why', async (_, other) => {
    const env = other ? elsewhere() : {};
    expect(await plan(env)).toEqual({ base: 'keep withdrawn-latest', roll: 'keep published', web: 'keep withdrawn-latest' });
    const ended = await scenario.run([], { env });
    expect([ended.code, ended.stdout]).toEqual([0, expect.stringMatching(/web +1\.0 +1\.0 +keep +withdrawn-1\.1 says that it was withdrawn: it waits for a newer changelog version/)]);
    expect(await latest(...images)).toEqual(before);
    expect((await scenario.run(['plan', '--check'], { env })).code).toBe(0);
  });

  it('again, there is nothing left to do', async () => {
    const ended = await scenario.run(['rollback', run]);
    expect([ended.code, ended.stdout.match(/it is there already/g)]).toEqual([0, ['it is there already', 'it is there already', 'it is there already']]);
  });

  it('a newer version moves, a new child of the older one stands on that', async () => {
    scenario.define('api', { versions: ['1'], from: 'web' });
    const ended = await scenario.run([]);
    expect(ended.stdout).toMatch(/base +kept +withdrawn-\d{8}-2 says that it was withdrawn/);
    expect(JSON.parse((await scenario.labels('api', '1'))['build-images.parents']!)).toEqual({ [`${scenario.host}/test/web:1.1`]: before[2] });
    expect(await plan()).toMatchObject({ api: 'keep published' });
    define('two', ['1.2', '1.1', '1.0']);
    expect((await scenario.run([])).code).toBe(0);
    expect(await latest('web')).toEqual([await scenario.digest('web', '1.2')]);
    expect(await latest('base')).toEqual([before[0]]);
  }, LATER);

  it('a changed definition of a rolling image moves, and what stands on it', async () => {
    define('three', ['1.2', '1.1', '1.0']);
    expect((await scenario.run([])).code).toBe(0);
    expect(await scenario.fileIn('roll', 'latest', '/base')).toBe('three\n');
    expect((await scenario.tags('roll')).filter((tag) => /^\d{8}-3$/.test(tag))).toHaveLength(1);
  }, LATER);

  it('leaves what somebody moved on since, and says so', async () => {
    const ended = await scenario.run(['rollback', run]);
    expect([ended.code, ended.stdout.match(/it was moved on since run \S+ \(to sha256:\S+\): left/g)?.length]).toEqual([1, 3]);
  });
});

describe('rollback of one image', () => {
  const make = async (name: string, ...versions: readonly string[]): Promise<Ended> => {
    scenario.define(name, { versions, lines: [`RUN echo ${versions[0]!} > /made`] });
    const ended = await scenario.run(['--select', `*/${name}:*`]);
    expect(ended.code).toBe(0);
    return ended;
  };
  beforeAll(async () => {
    scenario = await openScenario();
    await make('web', '1.0');
    await make('web', '1.1', '1.0');
    await make('web', '1.2', '1.1', '1.0');
  }, LATER);
  afterAll(() => scenario.close(), LATER);

  it('takes it back to what it was before it last moved; again changes nothing', async () => {
    for (const said of [/web +:latest +→ 1\.1 \(was 1\.2\)/, /it is there already/]) {
      const ended = await scenario.run(['rollback', 'web']);
      expect([ended.code, ended.stdout, await latest('web')]).toEqual([0, expect.stringMatching(said), [await scenario.digest('web', '1.1')]]);
    }
    expect(await plan()).toEqual({ web: 'keep withdrawn-latest' });
  });

  it('promote lifts that: from then on it is the current one again, everywhere', async () => {
    const ended = await scenario.run(['promote', 'web']);
    expect([ended.code, ended.stdout]).toEqual([0, expect.stringMatching(/web +lifted +withdrawn-1\.2\n.*web +:latest +→ 1\.2 \(was 1\.1\)/)]);
    expect([await plan(elsewhere()), await scenario.digest('web', 'withdrawn-1.2')]).toEqual([{ web: 'keep published' }, await scenario.digest('web', '1.1')]);
  });

  it.each([
    ['a version', () => Promise.resolve('1.0'), '1.0'],
    ['a digest', () => scenario.digest('web', '1.1'), '1.1'],
  ])('with --to takes it to %s, on a machine without a journal', async (_, to, version) => {
    const ended = await scenario.run(['rollback', 'web', '--to', (await to())!], { env: elsewhere() });
    expect([ended.code, ended.stdout]).toEqual([0, expect.stringMatching(new RegExp(`web +:latest +→ ${version}`))]);
    expect(await latest('web')).toEqual([await scenario.digest('web', version)]);
    expect(await plan()).toEqual({ web: 'keep withdrawn-latest' });
  });

  it('a rollback is undone by its own run\'s name, which withdraws nothing', async () => {
    await scenario.run(['promote', 'web']);
    const back = undo(await scenario.run(['rollback', 'web', '--to', '1.0']));
    const ended = await scenario.run(['rollback', back]);
    expect([ended.code, ended.stdout]).toEqual([0, expect.stringMatching(/web +lifted +withdrawn-1\.2\n.*web +:latest +→ 1\.2 \(was 1\.0\)/)]);
    expect([await plan(), ended.stdout]).toEqual([{ web: 'keep published' }, expect.not.stringMatching(/web +withdrawn/)]);
  });

  it('cannot take back what was published for the first time, nor to what was pruned, and says so before anything moves', async () => {
    const first = await make('first', '1');
    expect(await scenario.run(['rollback', /\. {3}run (\S+)\n$/.exec(first.stdout)![1]!])).toMatchObject({ code: 1, stdout: expect.stringMatching(/first +1 +– +blocked +it was published for the first time: there is nothing to go back to/) });
    const second = await make('first', '2', '1');
    await scenario.registry.send('DELETE', `/v2/test/first/manifests/${(await scenario.digest('first', '1'))!}`);
    expect(await scenario.run(['rollback', undo(second)])).toMatchObject({ code: 1, stdout: expect.stringMatching(/blocked +what it was before, sha256:\S+, is gone from the registry/) });
    expect([await scenario.tags('first'), await latest('first')]).toEqual([['2', 'latest'], [await scenario.digest('first', '2')]]);
  }, LATER);

  it.each<[string, readonly string[], RegExp]>([
    ['an image that is not there', ['wev'], /there is no image "wev" in the tree \(near: web\)/],
    ['a run that is not there', ['20200101-0000'], /there is no run 20200101-0000 in \S+ \(the last that moved :latest here: \d{8}-\d{4}\S*, /],
    ['a run with --to', ['20200101-0000', '--to', '1.0'], /--to names what one image goes to, not a run/],
    ['a tag that is not there', ['web', '--to', '1.9'], /test\/web has no 1\.9 in the registry \(near: 1\.0, 1\.1, 1\.2\); nothing was moved/],
    ['what is no tag', ['web', '--to', '1 0'], /--to takes a tag or a digest, not "1 0"/],
    ['another image', ['web', '--to', 'other'], /other is none that :latest of test\/web may be/],
    ['nothing', [], /roll back which run, or which image\?/],
  ])('naming %s is a mistake of the command line', async (_, args, said) => {
    await scenario.registry.pushImage('test/web', 'other', { labels: { a: 'b' } });
    expect(await scenario.run(['rollback', ...args])).toMatchObject({ code: 2, stderr: expect.stringMatching(said) });
  });

  it('that no run here moved asks for --to', async () => {
    expect(await scenario.run(['rollback', 'web'], { env: { XDG_STATE_HOME: join(scenario.directory, 'empty') } })).toMatchObject({ code: 2, stderr: expect.stringMatching(/no run in \S+ moved :latest of test\/web\n +try: build-images rollback IMAGE --to TAG/) });
  });
});

describe('rollback of a rolling image', () => {
  const define = (word: string): void => scenario.define('roll', { lines: [`RUN echo ${word} > /roll`] });
  const dates = async (): Promise<readonly string[]> => (await scenario.tags('roll')).filter((tag) => /^\d{8}/.test(tag)).map((tag) => tag.slice(8));
  beforeAll(async () => {
    scenario = await openScenario();
    // Children stand on :latest, which is a parent by name.
    scenario.define('child', { from: 'roll', lines: ['RUN cat /roll > /child'] });
    for (const word of ['one', 'two']) {
      define(word);
      expect((await scenario.run([])).code).toBe(0);
    }
  }, LATER);
  afterAll(() => scenario.close(), LATER);

  it('by its name takes its children back with the next run, to what was built on it then', async () => {
    const ended = await scenario.run(['rollback', 'roll', '--dry-run']);
    expect(ended.stdout).toMatch(/it undoes run \S+; child stands on what it leaves: a rolling one is built anew by the next run, a version has to be taken back, too/);
    expect((await scenario.run(['rollback', 'roll'])).code).toBe(0);
    expect(await plan()).toEqual({ roll: 'keep withdrawn-latest', child: 'promote promoted,parent-moved' });
    expect((await scenario.run([])).code).toBe(0);
    expect([await plan(), await dates()]).toEqual([{ roll: 'keep withdrawn-latest', child: 'keep published' }, ['', '-2']]);
    expect(await scenario.fileIn('child', 'latest', '/child')).toBe('one\n');
  }, LATER);

  it('--rebuild builds it all the same, under a date of its own', async () => {
    expect((await scenario.run(['--rebuild', '--select', '*/roll:*'])).code).toBe(0);
    expect([await dates(), await latest('roll')]).toEqual([['', '-2', '-3'], [await scenario.digest('roll', (await scenario.tags('roll')).find((tag) => /^\d{8}-3$/.test(tag))!)]]);
  }, LATER);

  it('what was withdrawn and lifted is not withdrawn when its definition comes back', async () => {
    await scenario.run(['rollback', 'roll', '--to', (await scenario.tags('roll')).find((tag) => /^\d{8}$/.test(tag))!]);
    await scenario.run(['promote', 'roll']);
    define('three');
    expect((await scenario.run(['--select', '*/roll:*'])).code).toBe(0);
    define('two');
    expect((await plan())['roll']).toMatch(/^promote promoted/);
  }, LATER);
});

describe('rollback, elsewhere', () => {
  afterEach(() => scenario.close(), LATER);

  it('moves the tag that moves in the layout of Toolforge, and asks no engine', async () => {
    scenario = await openScenario();
    scenario.write('config.yaml', `registry: ${scenario.host}/test\nlayout: toolforge\ntag: testing\npublish: true\nallowed_sources: ["*"]\n`);
    let run = '';
    for (const word of ['one', 'two']) {
      scenario.write('images/base/Dockerfile.template', `FROM ${scenario.base}\nRUN echo ${word} > /word\n`);
      const ended = await scenario.run([]);
      expect(ended.code).toBe(0);
      if (word === 'two') run = undo(ended);
    }
    const ended = await scenario.run(['rollback', run], { env: { DOCKER_HOST: 'unix:///nowhere/docker.sock' } });
    expect([ended.code, ended.stdout]).toEqual([0, expect.stringMatching(/toolforge-base +:testing +→ \d{8} \(was \d{8}-2\)/)]);
    // The same repository with another tag that moves is not what the run moved.
    const config = (tag: string): void => scenario.write('config.yaml', `registry: ${scenario.host}/test\nlayout: toolforge\ntag: ${tag}\npublish: true\nallowed_sources: ["*"]\n`);
    config('other');
    expect(await scenario.run(['rollback', run])).toMatchObject({ code: 2, stderr: expect.stringMatching(/moved :latest of what this tree does not have/) });
    config('testing');
    const tags = await scenario.tags('toolforge-base');
    expect(await scenario.digest('toolforge-base', 'testing')).toBe(await scenario.digest('toolforge-base', tags.find((tag) => /^\d{8}$/.test(tag))!));
    expect(await plan()).toEqual({ 'toolforge-base': 'keep withdrawn-latest' });
  }, LATER);

  it('takes back what a run of two trees moved, or of one tree what is its own', async () => {
    scenario = await openScenario();
    scenario.write('trees.yaml', 'trees:\n  - { name: ours, directory: images, config: config.yaml }\n  - { name: theirs, directory: their/images, config: their.yaml }\n');
    scenario.write('their.yaml', `registry: ${scenario.host}\nnamespace: test/theirs\npublish: true\nallowed_sources: ["*"]\n`);
    let run = '';
    for (const versions of [['1'], ['2', '1']]) {
      scenario.define('web', { versions, lines: [`RUN echo ${versions[0]!} > /made`] });
      scenario.write('their/images/web/Dockerfile.template', `FROM ${scenario.base}\nRUN echo their ${versions[0]!} > /made\n`);
      scenario.write('their/images/web/changelog', changelog('web', versions));
      const ended = await scenario.run(['-c', 'trees.yaml']);
      expect([ended.code, ended.stderr]).toEqual([0, '']);
      if (versions.length > 1) run = undo(ended);
    }
    const alone = await scenario.run(['rollback', run]);
    expect([alone.code, alone.stderr]).toEqual([0, expect.stringMatching(/run \S+ also moved :latest of what this tree does not have, and it is left: \S+\/test\/theirs\/web\n/)]);
    const all = ['web', 'theirs/web'];
    expect(await latest(...all)).toEqual([await scenario.digest('web', '1'), await scenario.digest('theirs/web', '2')]);
    expect((await scenario.run(['rollback', run, '-c', 'trees.yaml'])).code).toBe(0);
    expect(await latest(...all)).toEqual([await scenario.digest('web', '1'), await scenario.digest('theirs/web', '1')]);
    scenario.write('other/config.yaml', `registry: ${scenario.host}\nnamespace: other\n`);
    expect(await scenario.run(['rollback', run, '-c', 'other/config.yaml'])).toMatchObject({ code: 2, stderr: expect.stringMatching(/moved :latest of what this tree does not have/) });
  }, LATER);
});

describe('rollback that is cut off', () => {
  let line: FaultyRegistry;
  let run: string;
  let before: readonly (string | undefined)[];
  const ID = 'org.example.stack.tiny1';
  const NAMES = ['tiny1-run', 'tiny1-build'] as const;
  const define = (word: string): void => {
    for (const role of ['run', 'build'] as const) {
      const uid = role === 'run' ? 1001 : 1000;
      scenario.define(`tiny1-${role}`, { lines: ['COPY etc /etc/', `COPY --chown=${uid}:1000 home /home/app/`], files: { 'etc/os-release': 'ID=tiny\nVERSION_ID="1"\n', 'etc/passwd': `app:x:${uid}:1000::/home/app:/bin/sh\n`, 'etc/group': 'app:x:1000:\n', 'home/hello': word } });
      scenario.write(`images/tiny1-${role}/stack.yaml`, `id: ${ID}\nrole: ${role}\nuid: ${uid}\ngid: 1000\ndistro: { name: tiny, version: "1" }\n`);
    }
  };
  beforeAll(async () => {
    ({ scenario, line } = await openProxiedScenario());
    define('one');
    expect((await scenario.run([])).code).toBe(0);
    before = await latest(...NAMES);
    define('two');
    run = undo(await scenario.run([]));
  }, LATER);
  afterAll(async () => {
    await scenario.close();
    await line.stop();
  }, LATER);
  afterEach(() => line.mend());
  const isMove = (name: string, tag: string) => (method: string, path: string): boolean => method === 'PUT' && path === `/v2/test/${name}/manifests/${tag}`;

  /** Kills a run that waits for the answer to a request. */
  const killedAt = async (isIt: (method: string, path: string) => boolean, args: readonly string[]): Promise<void> => {
    line.fail({ when: isIt, times: 1, instead: 'hang' });
    const asked = line.requests.length;
    const running = scenario.start(args);
    await running.meets(line.saw((method, path) => line.requests.length > asked && isIt(method, path)));
    running.child.kill('SIGKILL');
    await running.ended;
    line.mend();
  };

  it.each([
    ['refuses the mark', 1, { status: 412, body: '{"errors":[{"code":"PRECONDITION","message":"configured as immutable"}]}' }, /FAILED +\S+ refuses to set test\/tiny1-\S+:withdrawn-\d{8}-2: the tag is immutable there/],
    ['is gone', 5, { status: 503 }, /FAILED +\S+ answers 503 Service Unavailable \(4 tries/],
  ])('moves nothing where the registry %s', async (_, code, instead, said) => {
    const two = await latest(...NAMES);
    line.fail({ when: (method, path) => method === 'PUT' && path.includes('/withdrawn-'), instead });
    const ended = await scenario.run(['rollback', run]);
    expect([ended.code, ended.stdout, await latest(...NAMES)]).toEqual([code, expect.stringMatching(said), two]);
  }, LATER);

  it('moves the images of a stack together: what moved is put back when the other is refused', async () => {
    const two = await latest(...NAMES);
    line.fail({ when: isMove('tiny1-build', 'latest'), instead: { status: 400, body: '{"errors":[{"code":"DENIED","message":"not now"}]}' } });
    const ended = await scenario.run(['rollback', 'tiny1-run']);
    expect([ended.code, ended.stdout]).toEqual([1, expect.stringMatching(/FAILED.*not now/)]);
    expect(await latest(...NAMES)).toEqual(two);
    line.mend();
    expect(await plan()).toEqual({ 'tiny1-build': 'keep published', 'tiny1-run': 'keep published' });
  }, LATER);

  it('with kill -9 after it withdrew, and before the last move, goes on when it is run again', async () => {
    for (const [tag, name] of [['latest', 'tiny1-run'], ['latest', 'tiny1-build']] as const) {
      await killedAt(isMove(name, tag), ['rollback', run]);
      // Nothing else moves anything meanwhile.
      expect((await scenario.run(['build'])).stdout).not.toMatch(/:latest +→/);
    }
    expect((await scenario.run(['rollback', run])).code).toBe(0);
    expect(await latest(...NAMES)).toEqual(before);
    expect(await plan()).toEqual({ 'tiny1-build': 'keep withdrawn-latest', 'tiny1-run': 'keep withdrawn-latest' });
  }, LATER);

  it('takes back what a run moved that was killed before it could say so', async () => {
    define('three');
    await killedAt(isMove('tiny1-run', 'latest'), []);
    expect((await latest(...NAMES)).map((digest, at) => digest === before[at])).toEqual([true, false]);
    const killed = String(scenario.journal().findLast(({ type }) => type === 'run-started')!['run']);
    const ended = await scenario.run(['rollback', killed]);
    expect([ended.code, ended.stdout, await latest(...NAMES)]).toEqual([0, expect.stringMatching(/tiny1-build +:latest +→ \d{8} \(was \d{8}-3\)/), before]);
  }, LATER);

  it('of an image passes over what a killed run only meant to move', async () => {
    for (const version of ['1', '2', '3']) {
      scenario.define('solo', { versions: ['3', '2', '1'].slice(3 - Number(version)), lines: [`RUN echo ${version} > /made`] });
      const args = ['--select', '*/solo:*'];
      if (version === '3') await killedAt(isMove('solo', 'latest'), args);
      else expect((await scenario.run(args)).code).toBe(0);
    }
    expect(await scenario.run(['rollback', 'solo'])).toMatchObject({ code: 0, stdout: expect.stringMatching(/solo +:latest +→ 1 \(was 2\)/) });
  }, LATER);
});
