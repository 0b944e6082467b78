import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { openProxiedScenario } from '../support/proxied-scenario.js';
import type { FaultyRegistry } from '../support/faulty-registry.js';
import { openScenario, type Scenario } from '../support/scenario.js';
import { startOnTerminal } from '../support/terminal-run.js';
import type { TinyImage } from '../support/tiny-image.js';

const daysAgo = (days: number): string => new Date(Date.now() - days * 86_400_000).toISOString();
const MANIFESTS = { accept: 'application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json' };

/** Another image for each word, made so many days ago. */
const made = (word: string, days: number | undefined, labels: Readonly<Record<string, string>> = {}): TinyImage => ({ labels: { word, ...labels }, ...(days === undefined ? {} : { created: daysAgo(days) }) });

/** Gives a tag's manifest another tag, as someone else would. */
async function tagAlso({ registry }: Scenario, name: string, tag: string, also: string): Promise<void> {
  const { body, headers } = await registry.send('GET', `/v2/test/${name}/manifests/${tag}`, undefined, MANIFESTS);
  await registry.send('PUT', `/v2/test/${name}/manifests/${also}`, body, { 'content-type': String(headers['content-type']) });
}

/** Three old versions and a current one. */
async function pushVersions(scenario: Scenario): Promise<void> {
  scenario.define('web', { versions: ['1.3', '1.2', '1.1', '1.0'] });
  for (const [tag, days] of [['1.0', 90], ['1.1', 60], ['1.2', 30], ['1.3', 1]] as const) await scenario.registry.pushImage('test/web', tag, made(tag, days));
  await tagAlso(scenario, 'web', '1.3', 'latest');
}

type Step = { readonly image: string; readonly action: string; readonly digest: string; readonly refs: readonly string[]; readonly reasons: readonly { readonly why: string }[] };
/** `name tag,tag` → what happens, or why it stays. */
const fates = (json: string) =>
  Object.fromEntries((JSON.parse(json) as { steps: readonly Step[] }).steps.map(({ image, action, refs, reasons }) => [`${image.slice('test/'.length)} ${refs.map((ref) => ref.slice(ref.lastIndexOf(':') + 1)).sort().join()}`, action === 'keep' ? reasons[0]!.why : action]));

describe('prune --registry', () => {
  let scenario: Scenario;
  beforeAll(async () => {
    scenario = await openScenario();
    const { registry, host } = scenario;
    await pushVersions(scenario);
    await tagAlso(scenario, 'web', '1.1', 'prod');
    scenario.define('multi', { versions: ['2', '1', '0'] });
    const part: TinyImage = { ...made('part', 90), platform: 'linux/amd64', format: 'oci' };
    await registry.pushImage('test/multi', '1', part);
    await registry.pushImage('test/multi', '0', made('multi 0', 90));
    await registry.pushIndex('test/multi', '2', [part, { ...made('arm', 90), platform: 'linux/arm64' }]);
    scenario.define('roll');
    const parent = await registry.pushImage('test/roll', '20260101', made('roll 1', 90));
    const runImage = await registry.pushImage('test/roll', '20260102', made('roll 2', 90));
    for (const [tag, word] of [['20260103', 'roll 3'], ['20260104', 'roll 4'], ['nightly-20260101', 'roll 5']] as const) await registry.pushImage('test/roll', tag, made(word, 90));
    await registry.pushImage('test/roll', '20260105', made('undated', undefined));
    await registry.pushImage('test/roll', '20260106', made('roll 6', 1));
    await tagAlso(scenario, 'roll', '20260106', 'latest');
    await tagAlso(scenario, 'roll', '20260103', 'withdrawn-20260103');
    scenario.define('child', { versions: ['1'], from: 'roll' });
    const labels = { 'org.opencontainers.image.title': 'child', 'build-images.definition': `sha256:${'a'.repeat(64)}`, 'build-images.parents': JSON.stringify({ [`${host}/test/roll:latest`]: parent }) };
    await registry.pushImage('test/child', '1', made('child', 1, labels));
    await registry.pushImage('test/tool-a/app', 'latest', made('app', 1, { 'io.buildpacks.lifecycle.metadata': JSON.stringify({ runImage: { reference: `${host}/test/roll@${runImage}` } }) }));
  }, 60_000);
  afterAll(() => scenario.close());

  it('plans to delete what is old and nothing holds on to; shows it, and changes nothing, under --dry-run', async () => {
    const ended = await scenario.run(['prune', '--registry', '--older-than', '45d', '--dry-run', '--json']);
    expect(ended.code).toBe(0);
    expect(fates(ended.stdout)).toEqual({
      'web 1.0': 'delete-digest',
      'web 1.1,prod': 'strange-tag',
      'web 1.2': 'too-young',
      'web 1.3,latest': 'current',
      'multi 0': 'delete-digest',
      'multi 1': 'in-index',
      'multi 2': 'current',
      'roll 20260101': 'parent-of',
      'roll 20260102': 'run-image-of',
      'roll 20260103,withdrawn-20260103': 'withdrawn',
      'roll 20260104': 'delete-digest',
      'roll 20260105': 'made-unknown',
      'roll 20260106,latest': 'current',
      'roll nightly-20260101': 'delete-digest',
      'child 1': 'current',
    });
    expect(await scenario.tags('web')).toEqual(['1.0', '1.1', '1.2', '1.3', 'latest', 'prod']);
  });

  it('shows the list and deletes nothing where nobody can be asked, without --yes', async () => {
    const ended = await scenario.run(['prune', '--registry', '--older-than', '45d']);
    expect(ended.code).toBe(2);
    expect(ended.stdout).toMatch(/^pruning \S+\/test: what is deleted there cannot be brought back\n\n {2}image +tags +made +action +why\n/);
    expect(ended.stdout).toMatch(/\n4 to delete, with 4 names of 3 images, 11 kept \(5 not shown; --verbose shows them\)\.\n$/);
    expect(ended.stderr).toMatch(/what is to be deleted is shown above; where nobody can be asked, --yes deletes it/);
    expect(await scenario.tags('multi')).toEqual(['0', '1', '2']);
  });

  it('asks on a terminal: only a yes deletes', async () => {
    const args = ['prune', '--registry', '--older-than', '45d', '--select', '*/multi:*'];
    const refused = startOnTerminal(scenario, args, { columns: 160 });
    await refused.waitFor('it asks', ({ lines }) => lines.at(-1)?.startsWith('Delete it? [y/N]') === true);
    refused.type('\r');
    const no = await refused.ended;
    expect([no.code, no.lines.at(-1)]).toEqual([0, 'Nothing was deleted.']);
    const interrupted = startOnTerminal(scenario, args, { columns: 160 });
    await interrupted.waitFor('it asks', ({ lines }) => lines.at(-1)?.startsWith('Delete it? [y/N]') === true);
    interrupted.type('\u0003');
    expect((await interrupted.ended).code).toBe(130);
    expect(await scenario.tags('multi')).toEqual(['0', '1', '2']);

    const agreed = startOnTerminal(scenario, args, { columns: 160 });
    await agreed.waitFor('it asks', ({ lines }) => lines.at(-1)?.startsWith('Delete it? [y/N]') === true);
    agreed.type('y\r');
    const yes = await agreed.ended;
    expect([yes.code, yes.lines.find((line) => /multi +deleted /.test(line))]).toEqual([0, expect.stringMatching(/multi +deleted +0$/)]);
    expect(await scenario.tags('multi')).toEqual(['1', '2']);
  }, 60_000);

  it('deletes with --yes, and a part of an index is still there', async () => {
    const ended = await scenario.run(['prune', '--registry', '--older-than', '45d', '--yes']);
    expect(ended.code).toBe(0);
    expect(ended.stdout).toMatch(/\n3 names deleted in \S+\. {3}run /);
    expect(await scenario.tags('web')).toEqual(['1.1', '1.2', '1.3', 'latest', 'prod']);
    expect(await scenario.tags('roll')).toEqual(['20260101', '20260102', '20260103', '20260105', '20260106', 'latest', 'withdrawn-20260103']);
    expect(await scenario.digest('multi', '1')).toBeDefined();
    expect(scenario.journal().filter(({ type }) => type === 'deleted').map(({ image }) => image).sort()).toEqual(['test/multi', 'test/roll', 'test/roll', 'test/web']);
  });

  it('keeps the newest by --keep, and finds nothing more to do', async () => {
    const ended = await scenario.run(['prune', '--registry', '--keep', '1', '--select', '*/web:*']);
    expect([ended.code, ended.stdout]).toEqual([0, expect.stringMatching(/\nNothing to delete: 3 kept\.\n$/)]);
  });

  it('keeps what :latest was before the last run that moved it', async () => {
    scenario.define('moved', { versions: ['1'] });
    expect((await scenario.run(['--select', '*/moved:*'])).code).toBe(0);
    for (const versions of [['2', '1'], ['3', '2', '1']]) {
      scenario.define('moved', { versions, lines: [`RUN echo ${versions[0]!} > /made`] });
      expect((await scenario.run(['--select', '*/moved:*'])).code).toBe(0);
    }
    expect(fates((await scenario.run(['prune', '--registry', '--older-than', '0d', '--select', '*/moved:*', '--dry-run', '--json'])).stdout)).toEqual({ 'moved 1': 'delete-digest', 'moved 2': 'rollback-target', 'moved 3,latest': 'current' });
  }, 60_000);

  it.each([
    [['--registry'], /--registry needs --keep or --older-than: what is deleted there cannot be brought back/],
    [['--registry', '--keep', '1', '--nightly', '20261120'], /--nightly is about this engine: in a registry the versions stay/],
    [['--yes'], /--yes needs --registry: nothing else asks/],
  ])('prune %j is a mistake of the command line', async (args, said) => {
    const ended = await scenario.run(['prune', ...args]);
    expect([ended.code, ended.stderr]).toEqual([2, expect.stringMatching(said)]);
  });
});

describe('prune --registry, when somebody else writes there', () => {
  let scenario: Scenario;
  let line: FaultyRegistry;
  beforeAll(async () => void ({ scenario, line } = await openProxiedScenario()), 60_000);
  afterAll(async () => {
    await scenario.close();
    await line.stop();
  });
  afterEach(() => line.mend());

  it.each<[string, () => Promise<unknown>, RegExp]>([
    ['sets another tag to what was to be deleted', () => tagAlso(scenario, 'web', '1.0', 'latest'), /web +kept +1\.0: latest moved since this was planned; run it again/],
    ['publishes a version', () => scenario.registry.pushImage('test/web', '1.4', made('1.4', 1)), /web +kept +1\.0: there is a new tag 1\.4 since this was planned; run it again/],
  ])('leaves all of an image of which, meanwhile, somebody %s', async (_, meanwhile, said) => {
    await pushVersions(scenario);
    // All tags have been read by then.
    let open = (): void => undefined;
    const isCatalogue = (_method: string, path: string): boolean => path.startsWith('/v2/_catalog');
    line.fail({ when: isCatalogue, times: 1, instead: { until: new Promise<void>((resolve) => (open = resolve)) } });
    const asked = line.requests.length;
    const running = scenario.start(['prune', '--registry', '--older-than', '45d', '--yes']);
    await running.meets(new Promise<void>((resolve) => void line.saw((method, path) => line.requests.length > asked && isCatalogue(method, path)).then(() => resolve())));
    await meanwhile();
    open();
    const ended = await running.ended;
    expect([ended.code, ended.stdout]).toEqual([0, expect.stringMatching(said)]);
    expect(await scenario.tags('web')).toEqual(expect.arrayContaining(['1.0', '1.1', '1.2', '1.3']));
  }, 60_000);

  it('says of what is deleted already that it is gone', async () => {
    await pushVersions(scenario);
    line.fail({ when: (method) => method === 'DELETE', times: 1, instead: { status: 404, body: '{"errors":[{"code":"MANIFEST_UNKNOWN"}]}' } });
    const ended = await scenario.run(['prune', '--registry', '--older-than', '45d', '--yes']);
    expect([ended.code, ended.stdout]).toEqual([0, expect.stringMatching(/web +kept +1\.\d: sha256:\S+ is gone already\n/)]);
  });

  it.each([
    ['refuses one manifest', { status: 400, body: '{"errors":[{"code":"DENIED","message":"it is signed"}]}' }, 1, /web +FAILED +\S+ refuses to delete test\/web@\S+: 400 Bad Request \(DENIED: it is signed\)/],
    ['does not answer any more', { status: 503 }, 5, /web +FAILED +\S+ answers 503 Service Unavailable \(4 tries/],
  ])('goes on, or stops, when the registry %s', async (_, instead, code, said) => {
    await pushVersions(scenario);
    line.fail({ when: (method) => method === 'DELETE', times: code === 1 ? 1 : 1000, instead });
    const ended = await scenario.run(['prune', '--registry', '--older-than', '45d', '--yes']);
    expect([ended.code, ended.stdout]).toEqual([code, expect.stringMatching(said)]);
    expect(await scenario.tags('web')).toHaveLength(code === 1 ? 5 : 6);
  }, 60_000);

  it('deletes nothing that somebody tagged while a person was thinking', async () => {
    await pushVersions(scenario);
    const run = startOnTerminal(scenario, ['prune', '--registry', '--older-than', '45d'], { columns: 160 });
    await run.waitFor('it asks', ({ lines }) => lines.at(-1)?.startsWith('Delete it? [y/N]') === true);
    for (const version of ['1.0', '1.1']) await tagAlso(scenario, 'web', version, `keep-${version}`);
    run.type('yes\r');
    const { code, lines } = await run.ended;
    expect([code, lines.at(-1)]).toEqual([0, expect.stringMatching(/^Nothing to delete: \d+ kept\.$/)]);
    expect(lines.filter((line) => /its tag keep-1\.\d is none that this tree makes$/.test(line))).toHaveLength(2);
    expect(await scenario.tags('web')).toEqual(expect.arrayContaining(['1.0', '1.1']));
  }, 60_000);
});

describe('prune --registry, where deleting', () => {
  let scenario: Scenario | undefined;
  afterEach(() => scenario?.close());

  it('is switched off, says so, and tries nothing more', async () => {
    scenario = await openScenario({ registry: { deletion: false } });
    await pushVersions(scenario);
    const ended = await scenario.run(['prune', '--registry', '--older-than', '45d', '--yes']);
    expect(ended.code).toBe(5);
    expect(ended.stdout).toMatch(/web +FAILED +\S+ deletes nothing: 405 Method Not Allowed \(UNSUPPORTED[^\n]*\)\n +try: REGISTRY_STORAGE_DELETE_ENABLED=true/);
    expect(ended.stdout.match(/FAILED/g)).toHaveLength(1);
    expect(await scenario.tags('web')).toHaveLength(5);
  }, 60_000);

  it('is not allowed to this login, says so; and a registry that does not tell its repositories keeps what apps may run on', async () => {
    const may = (user: string | undefined, _repository: string, action: string): boolean => user !== undefined && action !== 'delete' && action !== '*';
    scenario = await openScenario({ registry: { users: { builder: 's3cret' }, tokens: { may } } });
    await pushVersions(scenario);
    await scenario.registry.pushImage('test/web', '1.1', made('run', 90, { 'io.buildpacks.stack.id': 'org.example' }));
    const planned = await scenario.run(['prune', '--registry', '--older-than', '45d', '--dry-run', '--json']);
    expect(fates(planned.stdout)).toEqual({ 'web 1.0': 'delete-digest', 'web 1.1': 'apps-unknown', 'web 1.2': 'too-young', 'web 1.3,latest': 'current' });
    const ended = await scenario.run(['prune', '--registry', '--older-than', '45d', '--yes']);
    expect([ended.code, ended.stdout]).toEqual([5, expect.stringMatching(/web +FAILED +\S+ does not allow builder to delete in test\/web \(401, insufficient scope\)/)]);
  }, 60_000);
});
