import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SHARED_SOCKET } from '../support/engine-fixture.js';
import { openScenario, type Ended, type Scenario } from '../support/scenario.js';

const LATER = 120_000;
const TOKEN = 'f1le-t0ken-92b1';
const KEY = '-----BEGIN KEY-----\nMIIB-first-l1ne\nMIIB-sec0nd-line\n-----END KEY-----\n';
const SECRETS = [TOKEN, 'MIIB-first-l1ne', 'MIIB-sec0nd-line'];

let scenario: Scenario;
beforeAll(async () => {
  scenario = await openScenario({ config: 'build_secrets:\n  - id=token,src=./keys/token\n  - id=key,env=THE_KEY\n  - id=lost,src=./keys/lost\n' });
  scenario.write('keys/token', `${TOKEN}\n`);
}, LATER);
afterAll(() => scenario.close());

const run = (...args: readonly string[]): Promise<Ended> => scenario.run(args, { env: { THE_KEY: KEY } });
const secretsIn = (text: string): readonly string[] => SECRETS.filter((secret) => text.includes(secret));

/** Every byte of an image: its config, its history and its layers, unpacked. */
async function bytesOf(ref: string): Promise<string> {
  const save = 'docker --host "$1" save "$2" | tar -xC "$3" && cd "$3" && for file in $(find . -type f); do gunzip -c "$file" 2> /dev/null || cat "$file"; done';
  const folder = `${scenario.directory}/saved`;
  const { stdout } = await promisify(execFile)('/bin/sh', ['-c', `mkdir -p "$3" && ${save}`, 'sh', `unix://${SHARED_SOCKET}`, ref, folder], { encoding: 'latin1', maxBuffer: 256 * 1024 * 1024 });
  return stdout;
}

describe('a secret of a build', () => {
  it('is there for the instruction that mounts it, and nowhere else', async () => {
    scenario.define('mounts', {
      lines: [
        'RUN --mount=type=secret,id=token --mount=type=secret,id=key wc -c < /run/secrets/token > /sizes; wc -c < /run/secrets/key >> /sizes; cat /run/secrets/token /run/secrets/key',
        'RUN ls /run/secrets/token || echo gone > /gone',
      ],
      test: 'echo "$THE_KEY" in the test',
    });
    const ended = await run('--verbose');
    expect(ended).toMatchObject({ code: 0, stderr: 'config.yaml:9: secret "lost": there is no file ./keys/lost  [warning]\n' });
    expect(await scenario.fileIn('mounts', 'latest', '/sizes')).toBe(`${TOKEN.length + 1}\n${KEY.length}\n`);
    expect(await scenario.fileIn('mounts', 'latest', '/gone')).toBe('gone\n');
    const ref = `${scenario.host}/test/mounts:latest`;
    const image = await bytesOf(ref);
    expect(image.includes('RUN /bin/sh -c wc -c')).toBe(true);
    const seen = [image, await scenario.docker('history', '--no-trunc', ref), JSON.stringify(await scenario.labels('mounts', 'latest')), ended.stdout, scenario.kept()];
    expect(seen.map(secretsIn)).toEqual([[], [], [], [], []]);
    expect(scenario.kept()).toMatch(/#\d+ \*\*\*\n#\d+ \*\*\*\n/);
  }, LATER);

  it('that changes is no reason to build', async () => {
    scenario.write('keys/token', 'another-t0ken\n');
    expect((await run()).stdout).toContain('Nothing to do: 1 up to date');
    scenario.write('keys/token', `${TOKEN}\n`);
  }, LATER);

  it('is in no message of a build that fails', async () => {
    scenario.define('fails', { lines: ['RUN --mount=type=secret,id=token echo "see $(cat /run/secrets/token)"; exit 3'] });
    const ended = await run();
    expect(ended.code).toBe(1);
    expect(ended.stdout).toMatch(/^ +see \*\*\*$/m);
    expect([ended.stdout, ended.stderr, scenario.kept()].map(secretsIn)).toEqual([[], [], []]);
  }, LATER);

  it('that is not there fails the image that cannot do without, and says which', async () => {
    scenario.define('fails', { lines: ['RUN --mount=type=secret,id=lost,required=true true'] });
    scenario.define('other', { lines: ['RUN --mount=type=secret,id=nobodys cat /run/secrets/nobodys'] });
    scenario.define('goes-on', { lines: ['RUN --mount=type=secret,id=lost true'] });
    const ended = await run();
    expect(ended.code).toBe(1);
    expect(ended.stdout).toContain('RUN true: secret "lost": there is no file ./keys/lost');
    expect(ended.stdout).toContain('RUN cat /run/secrets/nobodys: exit 1 (secret "nobodys": build_secrets of the config does not have it)');
    expect(ended.stdout).toMatch(/goes-on +published/);
  }, LATER);

  it('that cannot be used fails the image that mounts it', async () => {
    scenario.write('keys/lost/a', '');
    const ended = await run('--select', '*/goes-on:*', '--select', '*/fails:*', '--rebuild');
    expect(ended.code).toBe(1);
    expect(ended.stderr).toBe('config.yaml:9: secret "lost": ./keys/lost is no file  [warning]\n');
    expect(ended.stdout).toMatch(/goes-on +FAILED +secret "lost": \.\/keys\/lost is no file/);
  }, LATER);

  it('is none of the classic builder', async () => {
    scenario.define('fails', { lines: ['RUN true', 'RUN --mount=type=secret,id=token true'] });
    scenario.define('limited', { lines: ['RUN cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max > /limit 2> /dev/null || true'] });
    scenario.configure('container_limits: {memory: 64m}');
    const ended = await run('--select', '*/limited:*', '--select', '*/fails:*');
    expect(ended.code).toBe(1);
    expect(ended.stdout).toContain('RUN --mount=type=secret needs BuildKit, which applies no limits: take out the mount, or container_limits of the config');
    expect(ended.stdout).toContain('images/fails/Dockerfile.template (line 3 of the rendered Dockerfile)');
    expect(await scenario.fileIn('limited', 'latest', '/limit')).toBe('67108864\n');
  }, LATER);
});
