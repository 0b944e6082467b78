import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openScenario, type Scenario } from '../support/scenario.js';

const LATER = 180_000;
const ID = 'org.example.stack.tiny1';

/** A stack image on the test's base: its system files come from its folder. */
function defineStack(scenario: Scenario, role: 'run' | 'build', { lines = [] as readonly string[], version = '1' } = {}): void {
  const uid = role === 'run' ? 1001 : 1000;
  scenario.define(`tiny1-${role}`, {
    lines: ['COPY etc /etc/', `COPY --chown=${uid}:1000 home /home/app/`, ...lines],
    files: { 'etc/os-release': 'ID=tiny\nVERSION_ID="1"\n', 'etc/passwd': `app:x:${uid}:1000::/home/app:/bin/sh\n`, 'etc/group': 'app:x:1000:\n', 'home/hello': role },
    control: [`Description: the ${role} image`, 'Maintainer: A Person <a@example.org>'],
  });
  scenario.write(`images/tiny1-${role}/stack.yaml`, `id: ${ID}\nrole: ${role}\nuid: ${uid}\ngid: 1000\ndistro: { name: tiny, version: "${version}" }\n`);
}

describe('a run image and a build image', () => {
  let scenario: Scenario;
  const latest = async (): Promise<readonly (string | undefined)[]> => [await scenario.digest('tiny1-run', 'latest'), await scenario.digest('tiny1-build', 'latest')];
  beforeAll(async () => {
    scenario = await openScenario();
    defineStack(scenario, 'run');
    defineStack(scenario, 'build');
  }, LATER);
  afterAll(() => scenario.close());

  it('are published with the labels of both generations, as their users, and their :latest moves together', async () => {
    const ended = await scenario.run([]);
    expect([ended.code, ended.stderr]).toEqual([0, '']);
    expect(await scenario.labels('tiny1-run', 'latest')).toMatchObject({ 'io.buildpacks.stack.id': ID, 'io.buildpacks.stack.mixins': '[]', 'io.buildpacks.base.id': ID, 'io.buildpacks.base.distro.name': 'tiny', 'io.buildpacks.stack.distro.version': '1', 'io.buildpacks.rebasable': 'true', 'io.buildpacks.base.maintainer': 'A Person <a@example.org>' });
    const build = await scenario.labels('tiny1-build', 'latest');
    expect(build).toMatchObject({ 'io.buildpacks.stack.id': ID, 'io.buildpacks.base.description': 'the build image' });
    expect([build['io.buildpacks.base.id'], build['io.buildpacks.rebasable']]).toEqual([undefined, undefined]);
    const moves = scenario.journal().filter(({ type }) => /^promot/.test(String(type))).map(({ type }) => type);
    expect(moves).toEqual(['promotion-intended', 'promotion-intended', 'promoted', 'promoted']);
    const inspected = await scenario.docker('image', 'inspect', '--format', '{{.Config.User}} {{json .Config.Env}}', `${scenario.host}/test/tiny1-build:latest`);
    expect(inspected).toBe(`1000:1000 ["PATH=/bin","CNB_USER_ID=1000","CNB_GROUP_ID=1000","CNB_STACK_ID=${ID}"]`);
    expect(await scenario.docker('run', '--rm', '--network', 'none', `${scenario.host}/test/tiny1-run:latest`, 'sh', '-c', 'cat ~/hello; echo > ~/mine; stat -c " %u" ~/mine')).toBe('run 1001');
    expect((await scenario.run(['plan', '--check'])).code).toBe(0);
  }, LATER);

  it('are listed as what they are', async () => {
    const listed = JSON.parse((await scenario.run(['list', '--json'])).stdout) as readonly { image: string; kind: string; ref: string }[];
    expect(listed.map(({ image, kind, ref }) => [image, kind, ref.slice(ref.lastIndexOf(':'))])).toEqual([['test/tiny1-build', 'stack', ':latest'], ['test/tiny1-run', 'stack', ':latest']]);
  }, LATER);

  it('are not published when they are not what stack.yaml promises: all is said, and the other one stays, too', async () => {
    const before = await latest();
    defineStack(scenario, 'run', { lines: ['COPY extra /extra'] });
    scenario.write('images/tiny1-run/extra', 'extra');
    defineStack(scenario, 'build', { lines: ['WORKDIR /tmp'] });
    scenario.write('images/tiny1-build/etc/passwd', 'app:x:1000:7::/home/other:/bin/sh\n');
    const ended = await scenario.run([]);
    expect(ended.code).toBe(1);
    expect(ended.stdout).toMatch(/tiny1-build +FAILED +it is not the build image that stack\.yaml promises/);
    expect(ended.stdout).toMatch(/user app \(1000\) has the primary group 7, and stack\.yaml says gid 1000\n.*no home: there is no folder \/home\/other\n.*layer 4 of 4 is empty \(WORKDIR \/tmp\): leave that instruction out/s);
    expect(ended.stdout).toMatch(/tiny1-run +note +:latest was not moved: it moves together with tiny1-build, which did not get that far/);
    expect(await latest()).toEqual(before);
    expect((await scenario.run(['plan', '--check'])).code).toBe(10);
  }, LATER);

  it('both move once both are good: what is published already is not built again', async () => {
    const before = await latest();
    defineStack(scenario, 'build', { lines: ['COPY extra /extra'] });
    scenario.write('images/tiny1-build/extra', 'extra');
    const ended = await scenario.run([]);
    expect(ended.code).toBe(0);
    expect(ended.stdout).toMatch(/tiny1-run +:latest/);
    expect(ended.stdout).not.toMatch(/tiny1-run +built/);
    const after = await latest();
    expect(after.every((digest, index) => digest !== undefined && digest !== before[index])).toBe(true);
  }, LATER);

  it('that do not fit are refused before anything is built', async () => {
    defineStack(scenario, 'build', { version: '2' });
    const ended = await scenario.run([]);
    expect(ended.code).toBe(3);
    expect(ended.stderr + ended.stdout).toContain('images/tiny1-run/stack.yaml:5: distro is tiny 1, but that of tiny1-build is tiny 2: what is built on one would not run on the other');
  }, LATER);
});
