import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createCredentials, runWithInput, type CredentialsOptions } from '../../../../src/adapters/registry/credentials.js';
import { until } from '../../../support/until.js';
import { Fault } from '../../../../src/shared/errors.js';

let dockerConfigDir: string;
beforeEach(() => {
  dockerConfigDir = mkdtempSync(join(tmpdir(), 'credentials-'));
});
afterEach(() => rmSync(dockerConfigDir, { recursive: true, force: true }));

const base64 = (text: string): string => Buffer.from(text).toString('base64');
function store(config: unknown, more: Partial<CredentialsOptions> = {}): ReturnType<typeof createCredentials> {
  if (config !== undefined) writeFileSync(join(dockerConfigDir, 'config.json'), typeof config === 'string' ? config : JSON.stringify(config));
  return createCredentials({ dockerConfigDir, own: undefined, ...more });
}
async function faultOf(promise: Promise<unknown>): Promise<Fault> {
  const error = await promise.then(() => undefined, (reason: unknown) => reason);
  expect(error).toBeInstanceOf(Fault);
  expect((error as Fault).exit).toBe(5);
  return error as Fault;
}

describe('docker\'s config.json', () => {
  it.each([
    ['host:5000', 'host:5000'],
    ['https://host.example.org', 'host.example.org'],
    ['https://host.example.org/v1/', 'host.example.org'],
    ['host.example.org/v2/', 'host.example.org'],
    ['https://index.docker.io/v1/', 'docker.io'],
    ['https://index.docker.io/v1/', ''],
    ['docker.io', 'docker.io'],
  ])('the key %s serves the host "%s"', async (key, host) => {
    const found = await store({ auths: { other: { auth: base64('x:y') }, [key]: { auth: base64('me:p:w') } } }).credentialsFor(host);
    expect(found).toEqual({ username: 'me', password: 'p:w' });
  });

  it.each([
    ['another host', 'example.org'],
    ['another port', 'host:5001'],
    ['a longer name', 'xhost:5000'],
  ])('a login does not serve %s', async (_, host) => {
    expect(await store({ auths: { 'host:5000': { auth: base64('me:pw') } } }).credentialsFor(host)).toBeUndefined();
  });

  it.each<[string, unknown, unknown]>([
    ['username and password', { username: 'me', password: 'pw' }, { username: 'me', password: 'pw' }],
    ['an identity token', { auth: base64('me:'), identitytoken: 'refresh' }, { username: 'me', password: '', identityToken: 'refresh' }],
    ['nothing, as beside a credential program', {}, undefined],
    ['zero bytes behind the password', { auth: base64('me:pw\0\0') }, { username: 'me', password: 'pw' }],
  ])('an entry of %s', async (_, entry, expected) => {
    expect(await store({ auths: { h: entry } }).credentialsFor('h')).toEqual(expected);
  });

  it('a file that is not there holds no login', async () => expect(await store(undefined).credentialsFor('h')).toBeUndefined());
  it('an empty file holds no login', async () => expect(await store('').credentialsFor('h')).toBeUndefined());

  it('a file that is not JSON is one line, without what stands in it', async () => {
    const fault = await faultOf(store('{"auths":{"h":{"auth":"c2VjcmV0').credentialsFor('h'));
    expect(fault.message).toBe(`${join(dockerConfigDir, 'config.json')} is not JSON`);
    expect(JSON.stringify([fault.hints, fault.stack])).not.toContain('c2VjcmV0');
  });

  it('a file that cannot be read is one line that names it', async () => {
    mkdirSync(join(dockerConfigDir, 'config.json'));
    expect((await faultOf(store(undefined).credentialsFor('h'))).message).toBe(`${join(dockerConfigDir, 'config.json')} cannot be read (EISDIR)`);
  });

  it.each<[string, unknown, RegExp]>([
    ['a list', '[]', /holds no JSON object$/],
    ['auths of another kind', { auths: ['c2VjcmV0'] }, /auths is not an object$/],
    ['an auth without a user', { auths: { h: { auth: base64('c2VjcmV0') } } }, /auths\.h\.auth is not base64 of USER:PASSWORD$/],
  ])('%s is one line without a secret', async (_, config, message) => {
    const fault = await faultOf(store(config).credentialsFor('h'));
    expect(fault.message).toMatch(message);
    expect(fault.message).not.toContain('c2VjcmV0');
  });
});

describe('the config\'s own login', () => {
  const own = { registry: 'h:5000/base', username: 'own', password: 'pw' };
  it('wins for its registry, whose path does not matter', async () => {
    expect(await store({ auths: { 'h:5000': { auth: base64('docker:x') } } }, { own }).credentialsFor('h:5000')).toEqual({ username: 'own', password: 'pw' });
  });
  it('serves no other registry', async () => {
    const both = store({ auths: { other: { auth: base64('docker:x') } } }, { own });
    expect(await both.credentialsFor('other')).toEqual({ username: 'docker', password: 'x' });
    expect(await both.credentialsFor('h')).toBeUndefined();
  });
});

describe('credential programs', () => {
  type Call = { readonly command: readonly string[]; readonly input: string };
  function program(answer: (call: Call) => { stdout: string; code: number | null | 'too-late' }): { run: CredentialsOptions['run']; calls: Call[] } {
    const calls: Call[] = [];
    return {
      calls,
      run: (command, input) => {
        calls.push({ command, input });
        return Promise.resolve(answer({ command, input }));
      },
    };
  }
  const found = JSON.stringify({ ServerURL: 'h', Username: 'me', Secret: 'pw' });

  it('credHelpers of the host goes before credsStore', async () => {
    const { run, calls } = program(() => ({ stdout: found, code: 0 }));
    const logins = store({ credsStore: 'all', credHelpers: { h: 'one' } }, { run: run! });
    expect(await logins.credentialsFor('h')).toEqual({ username: 'me', password: 'pw' });
    await logins.credentialsFor('other');
    expect(calls.map(({ command, input }) => [...command, input])).toEqual([['docker-credential-one', 'get', 'h'], ['docker-credential-all', 'get', 'other']]);
  });

  it('a host is asked for once', async () => {
    const { run, calls } = program(() => ({ stdout: found, code: 0 }));
    const logins = store({ credsStore: 'all' }, { run: run! });
    await Promise.all([logins.credentialsFor('h'), logins.credentialsFor('h')]);
    expect(calls).toHaveLength(1);
  });

  it('Docker Hub is asked for by docker\'s name of it, and a host by the name it was stored under', async () => {
    const { run, calls } = program(() => ({ stdout: found, code: 0 }));
    const logins = store({ credsStore: 'all', auths: { 'https://h/v1/': {} } }, { run: run! });
    await logins.credentialsFor('');
    await logins.credentialsFor('h');
    expect(calls.map(({ input }) => input)).toEqual(['https://index.docker.io/v1/', 'https://h/v1/']);
  });

  it('a user of <token> means an identity token', async () => {
    const { run } = program(() => ({ stdout: JSON.stringify({ Username: '<token>', Secret: 'refresh' }), code: 0 }));
    expect(await store({ credsStore: 'all' }, { run: run! }).credentialsFor('h')).toEqual({ username: '', password: '', identityToken: 'refresh' });
  });

  it('a program that knows no login leaves the question to auths', async () => {
    const { run } = program(() => ({ stdout: 'credentials not found in native keychain', code: 1 }));
    const logins = store({ credsStore: 'all', auths: { h: { auth: base64('me:pw') } } }, { run: run! });
    expect(await logins.credentialsFor('h')).toEqual({ username: 'me', password: 'pw' });
    expect(await logins.credentialsFor('other')).toBeUndefined();
  });

  it.each<[string, { stdout: string; code: number | null }, RegExp]>([
    ['fails', { stdout: 'pw leaked', code: 2 }, /^docker-credential-all failed for h \(exit 2\)$/],
    ['prints nonsense', { stdout: 'pw leaked', code: 0 }, /^docker-credential-all answers for h in a way that is not docker's$/],
  ])('a program that %s is one line without what it printed', async (_, answer, message) => {
    const fault = await faultOf(store({ credsStore: 'all' }, { run: () => Promise.resolve(answer) }).credentialsFor('h'));
    expect(fault.message).toMatch(message);
  });

  it('a program with a path in its name is refused', async () => {
    expect((await faultOf(store({ credsStore: '../evil' }).credentialsFor('h'))).message).toMatch(/odd characters/);
  });

  it('a program that is not installed is one line that names it', async () => {
    const fault = await faultOf(store({ credsStore: 'not-installed-anywhere' }).credentialsFor('h'));
    expect(fault.message).toBe('docker-credential-not-installed-anywhere, which docker\'s config.json names for h, cannot be run (ENOENT)');
  });

  it('a real program gets the host on its standard input', async () => {
    const path = join(dockerConfigDir, 'docker-credential-test');
    writeFileSync(path, '#!/bin/sh\nread host\necho "$1 $host"\necho noise >&2\nexit 3\n', { mode: 0o755 });
    expect(await runWithInput([path, 'get'], 'h:5000')).toEqual({ stdout: 'get h:5000\n', code: 3 });
  });

  it('a program that gives no answer is one line, and is ended with what it started', async () => {
    const path = join(dockerConfigDir, 'docker-credential-hangs');
    writeFileSync(path, `#!/bin/sh\necho pw\nsleep 1000 &\necho $! > ${dockerConfigDir}/pid\nwait\n`, { mode: 0o755 });
    expect(await runWithInput([path, 'get'], 'h', 1500)).toEqual({ stdout: '', code: 'too-late' });
    const child = Number(readFileSync(join(dockerConfigDir, 'pid'), 'utf8'));
    // Where nobody reaps orphans, a dead one still has an entry.
    await until('it ends', () => !existsSync(`/proc/${child}/stat`) || readFileSync(`/proc/${child}/stat`, 'utf8').split(' ')[2] === 'Z');
    const fault = await faultOf(store({ credsStore: 'all' }, { run: () => Promise.resolve({ stdout: '', code: 'too-late' }) }).credentialsFor('h'));
    expect([fault.exit, fault.message, fault.hints]).toEqual([5, 'docker-credential-all gives no answer for h (30 s)', ['echo h | docker-credential-all get   (it may wait for a person, or for a keyring that is locked)']]);
  });

  it('a program that prints without end is read up to a limit', async () => {
    const { stdout, code } = await runWithInput(['/bin/sh', '-c', 'yes | head -c 8000000'], 'h');
    expect(code).toBe(0);
    expect(stdout.length).toBeLessThan(1_200_000);
  });

  it('a program that does not read its input is no fault', async () => {
    expect(await runWithInput(['/bin/true'], 'x'.repeat(1_000_000))).toEqual({ stdout: '', code: 0 });
  });
});

it('the source names the folder that was searched', () => {
  expect(store(undefined).source).toBe(join(dockerConfigDir, 'config.json'));
  expect(store(undefined, { own: { registry: 'h', username: 'u', password: 'p' } }).source).toBe(`the config and ${join(dockerConfigDir, 'config.json')}`);
});
