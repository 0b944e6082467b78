import { execFile, execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { makeCertificate } from '../support/certificate.js';
import { SHARED_SOCKET, startEngine, type OwnEngine } from '../support/engine-fixture.js';
import { freePort } from '../support/free-port.js';
import { openScenario, type Scenario } from '../support/scenario.js';
import { startSshd, type SshFixture } from '../support/ssh-fixture.js';
import { until } from '../support/until.js';

const execute = promisify(execFile);
type Env = Readonly<Record<string, string>>;

const isAtWork = (command: string): boolean => execFileSync('ps', ['-eo', 'args='], { encoding: 'utf8' }).split('\n').some((line) => line.trim() === command);
/** The process groups of what has a text on its command line. */
const groupsOf = (text: string): readonly number[] => execFileSync('ps', ['-eo', 'pgid=,args='], { encoding: 'utf8' }).split('\n').flatMap((line) => (line.includes(text) ? [parseInt(line, 10)] : []));

let folder: string;
let sshd: SshFixture;
let relay: Server;
let plain: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'engine-address-'));
  sshd = await startSshd({ DOCKER_HOST: `unix://${SHARED_SOCKET}`, PATH: process.env['PATH']! });
  // The shared engine on a TCP port: an engine of its own would make us wait for its warning against just that.
  relay = createServer((incoming) => {
    const engine = connect(SHARED_SOCKET);
    for (const [from, to] of [[incoming, engine], [engine, incoming]] as const) from.on('error', () => to.destroy()).on('close', () => to.destroy()).pipe(to);
  });
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
  plain = `tcp://127.0.0.1:${(relay.address() as AddressInfo).port}`;
});
afterAll(() => {
  sshd.stop();
  relay.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Two images, one on the other, with a context that takes more than one read, and a test that asks the engine by `docker` alone. */
function defineTree(scenario: Scenario): void {
  scenario.define('base', {
    versions: ['1.0-1'],
    lines: ['COPY big /big', 'RUN wc -c < /big > /size'],
    files: { big: 'x'.repeat(3_000_000) },
    test: 'docker image inspect "$1" > /dev/null && [[ $(docker run --rm --network none "$1" cat /size) == 3000000 ]]',
  });
  scenario.define('web', { versions: ['1.0-1'], from: 'base', lines: ['RUN echo web > /web'], test: 'docker image inspect "$1" > /dev/null' });
}

/** Plan, build, test and push through an engine that the environment names, and a second run. */
async function runMainJob(scenario: Scenario, env: Env): Promise<void> {
  defineTree(scenario);
  const plan = await scenario.run(['plan'], { env });
  expect(plan).toMatchObject({ code: 0, stderr: '' });
  expect(plan.stdout).toMatch(/2 to build/);
  const build = await scenario.run([], { env });
  expect(build).toMatchObject({ code: 0, stderr: '' });
  expect(build.stdout).toMatch(/2 published/);
  expect((await scenario.fileIn('base', '1.0-1', 'size')).trim()).toBe('3000000');
  expect((await scenario.localTags()).filter((tag) => /:(?:untested|run)-/.test(tag))).toEqual([]);
  expect((await scenario.run([], { env })).stdout).toMatch(/Nothing to do/);
}

describe('an engine behind TLS', () => {
  let own: OwnEngine;
  let scenario: Scenario;
  let host: string;
  const tls = (name: string): Env => ({ DOCKER_HOST: host, DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: join(folder, name) });
  beforeAll(async () => {
    for (const name of ['ours', 'others']) {
      mkdirSync(join(folder, name));
      makeCertificate(join(folder, name));
      for (const file of ['cert', 'key']) copyFileSync(join(folder, name, `server.${file === 'key' ? 'key' : 'pem'}`), join(folder, name, `${file}.pem`));
    }
    // What the engine does not trust, with a CA that we do; and no client certificate at all.
    for (const [name, files] of [['intruder', ['cert.pem', 'key.pem']], ['nobody', []]] as const) {
      mkdirSync(join(folder, name));
      copyFileSync(join(folder, 'ours', 'ca.pem'), join(folder, name, 'ca.pem'));
      for (const file of files) copyFileSync(join(folder, 'others', file), join(folder, name, file));
    }
    mkdirSync(join(folder, 'mixed'));
    for (const [from, file] of [['ours', 'ca.pem'], ['ours', 'cert.pem'], ['others', 'key.pem']] as const) copyFileSync(join(folder, from, file), join(folder, 'mixed', file));
    const port = await freePort();
    host = `tcp://127.0.0.1:${port}`;
    const file = (name: string): string => join(folder, 'ours', name);
    own = await startEngine(['--host', host, '--tlsverify', `--tlscacert=${file('ca.pem')}`, `--tlscert=${file('server.pem')}`, `--tlskey=${file('server.key')}`]);
    scenario = await openScenario({ socketPath: own.socketPath });
  }, 90_000);
  afterAll(async () => {
    await scenario.close();
    await own.stop();
  }, 60_000);

  it('does the main job', () => runMainJob(scenario, tls('ours')), 90_000);

  it("of a docker context is reached with the context's certificates, and without looking at the engine's if it says so", async () => {
    scenario.define('new', { versions: ['1.0-1'] });
    const file = (name: string): string => join(folder, 'ours', name);
    const docker = async (name: string, endpoint: string): Promise<unknown> =>
      execute('docker', ['context', 'create', name, '--docker', `host=${host},cert=${file('cert.pem')},key=${file('key.pem')},${endpoint}`], { env: { PATH: process.env['PATH']!, DOCKER_CONFIG: join(scenario.directory, 'docker') } });
    await docker('careful', `ca=${file('ca.pem')}`);
    await docker('mistaken', `ca=${join(folder, 'others', 'ca.pem')}`);
    await docker('careless', `ca=${join(folder, 'others', 'ca.pem')},skip-tls-verify=true`);
    const plan = async (context: string): Promise<string> => (await scenario.run(['plan'], { env: { DOCKER_HOST: '', DOCKER_CONTEXT: context } })).stderr;
    expect(await plan('careful')).toBe('');
    expect(await plan('mistaken')).toMatch(/^the Docker engine at tcp:\S+ \(docker context "mistaken"\) is not trusted/);
    expect(await plan('careless')).toBe('');
  }, 60_000);

  it.each<[string, () => Env, RegExp, RegExp]>([
    ['that is spoken to without TLS', () => ({ DOCKER_HOST: host }), /^the Docker engine at tcp:\/\/127\.0\.0\.1:\d+ does not answer \(it wants TLS\)/, /DOCKER_TLS_VERIFY=1/],
    ['whose CA is another one', () => tls('others'), /^the Docker engine at tcp:\S+ is not trusted \(its certificate is refused: its CA is not one that this machine trusts\)/, /ca\.pem/],
    ['that does not trust our certificate', () => tls('intruder'), /^the Docker engine at tcp:\S+ does not let us in \(it refuses our client certificate\)/, /cert\.pem and key\.pem/],
    ['that wants a certificate', () => tls('nobody'), /^the Docker engine at tcp:\S+ does not let us in \(it wants a client certificate\)/, /cert\.pem and key\.pem/],
    ['that speaks none', () => ({ ...tls('ours'), DOCKER_HOST: plain }), /^the Docker engine at tcp:\S+ does not answer \(it speaks no TLS\)/, /DOCKER_TLS_VERIFY/],
    ['for which our key is of no use', () => tls('mixed'), /^the Docker engine at tcp:\S+ cannot be reached \(cert\.pem and key\.pem are of no use: key values mismatch\)/, /passphrase/],
    ['whose certificates are not there', () => tls('none'), /^DOCKER_TLS_VERIFY is set, but there is no ca\.pem in \S+none/, /DOCKER_CERT_PATH/],
  ])('one %s is said to be so', async (_, env, message, hint) => {
    scenario.define('new', { versions: ['1.0-1'] });
    const { code, stdout, stderr } = await scenario.run(['plan'], { env: env() });
    expect({ code, stdout }).toEqual({ code: stderr.startsWith('DOCKER') ? 2 : 4, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(hint);
    expect(stderr.trim().split('\n').length).toBeLessThanOrEqual(3);
  }, 60_000);
});

describe('another engine', () => {
  let scenario: Scenario;
  beforeAll(async () => {
    scenario = await openScenario();
  }, 60_000);
  afterAll(() => scenario.close(), 60_000);
  const ssh = (env: Env = sshd.env, host = sshd.url): Env => ({ ...env, DOCKER_HOST: host });

  it('over ssh does the main job', () => runMainJob(scenario, ssh()), 90_000);

  it('over ssh is asked on one connection, however much there is to ask', async () => {
    for (const name of ['one', 'two', 'three']) scenario.define(name, { versions: ['1.0-1'], lines: [`RUN echo ${name} > /name`] });
    const before = sshd.logins();
    expect(await scenario.run(['build', '--jobs', '1'], { env: ssh() })).toMatchObject({ code: 0, stderr: '' });
    expect(sshd.logins() - before).toBe(1);
    await until('ssh has taken its sockets away', () => readdirSync(join(scenario.directory, 'cache', 'build-images', 'ssh')).length === 0);
  }, 60_000);

  it('over ssh is left with no tag and no connection by a run that is ended, and with no connection by one that is killed', async () => {
    const nap = `sleep 6.1${process.pid}`;
    scenario.define('slow', { versions: ['1.0-1'], lines: [`RUN ${nap}1 || ${nap}2`] });
    const env = ssh(sshd.envWith('lasting', 'ControlPersist 60'));
    for (const [signal, code] of [['SIGTERM', 143], ['SIGKILL', null]] as const) {
      const run = scenario.start(['build', '--select', '*slow*'], env);
      await run.meets(until('the build is at work', () => isAtWork(`${nap}1`)));
      expect(sshd.connections()).toBeGreaterThan(0);
      // Ctrl-C reaches the whole group, and tidying up needs the connections.
      const [ours] = groupsOf('main.js build --select *slow*');
      expect(ours).toBeGreaterThan(0);
      expect(groupsOf(join(scenario.directory, 'cache'))).not.toContain(ours);
      expect(groupsOf(join(scenario.directory, 'cache'))).not.toEqual([]);
      run.child.kill(signal);
      expect((await run.ended).code).toBe(code);
      if (signal === 'SIGTERM') expect((await scenario.localTags()).filter((tag) => /:(?:untested|run)-/.test(tag))).toEqual([]);
      await until('no connection is left', () => sshd.connections() === 0);
      await until('the build has ended', () => !isAtWork(`${nap}1`));
    }
    await until('ssh has taken its sockets away', () => readdirSync(join(scenario.directory, 'cache', 'build-images', 'ssh')).length === 0);
    rmSync(join(scenario.directory, 'images', 'slow'), { recursive: true });
  }, 90_000);

  it("over ssh leaves sharing to a person's own ssh configuration that does it, and does without what would be in the way", async () => {
    scenario.define('new', { versions: ['1.0-1'] });
    const own = sshd.envWith('sharing', `ControlMaster auto\nControlPath ${sshd.folder}/own-%C\nControlPersist 60\nRemoteCommand uptime\nLocalForward 127.0.0.1:${sshd.port} 127.0.0.1:9\nExitOnForwardFailure yes`);
    expect(await scenario.run(['plan'], { env: ssh(own) })).toMatchObject({ code: 0, stderr: '' });
    expect(readdirSync(sshd.folder).filter((name) => name.startsWith('own-'))).toHaveLength(1);
  }, 60_000);

  describe('that cannot be reached', () => {
    let listener: Server;
    let banner: string;
    beforeAll(async () => {
      scenario.define('new', { versions: ['1.0-1'] });
      listener = createServer((connection) => connection.on('error', () => undefined).end('220 mail.example.org ESMTP\r\n'));
      await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
      banner = `tcp://127.0.0.1:${(listener.address() as AddressInfo).port}`;
    });
    afterAll(() => void listener.close());

    it.each<[string, () => Env | Promise<Env>, number, RegExp, RegExp]>([
      ['whose port is another program\'s', () => ({ DOCKER_HOST: banner }), 4, /^the Docker engine at tcp:\S+ does not answer \(what it answers is not HTTP\)/, /docker info/],
      ['whose host is unknown', () => ({ DOCKER_HOST: 'tcp://no-such-host.invalid:2375' }), 4, /^the Docker engine at tcp:\/\/no-such-host\.invalid:2375 does not answer \((?:no host has that name|connect: its name cannot be looked up now)\)/, /docker info/],
      ['that is named as a web page', () => ({ DOCKER_HOST: 'http://me:secret@127.0.0.1:2375' }), 2, /^DOCKER_HOST is http:\/\/127\.0\.0\.1:2375: an engine is named as tcp:/, /DOCKER_HOST=tcp:\/\/127\.0\.0\.1:2375/],
      ['of a context that is not there', () => ({ DOCKER_HOST: '', DOCKER_CONTEXT: 'farr' }), 2, /^there is no docker context "farr", which DOCKER_CONTEXT names; there is default/, /docker context ls/],
      ['whose key is not ours', () => ssh(sshd.envWith('keyless', 'PubkeyAuthentication no')), 4, /^the Docker engine at ssh:\/\/root@127\.0\.0\.1:\d+ does not let us in \(root@127\.0\.0\.1: Permission denied \(publickey\)\)/, /ssh -p \d+ root@127\.0\.0\.1 docker version/],
      ['whose key is not ours, on a connection of its own,', () => ssh(sshd.envWith('keyless-alone', `PubkeyAuthentication no\nControlPath ${sshd.folder}/alone-%C`)), 4, /^the Docker engine at ssh:\S+ does not let us in \(root@127\.0\.0\.1: Permission denied \(publickey\)\)/, /must work/],
      ['whose host key is not known', () => ({ ...ssh(sshd.envWith('unknown', 'UserKnownHostsFile /dev/null\nStrictHostKeyChecking ask')), ...askpass() }), 4, /^the Docker engine at ssh:\S+ does not answer \(its host key is not known\)/, /must work/],
      ['whose host key has changed', () => ssh(changed()), 4, /^the Docker engine at ssh:\S+ does not answer \(its host key is another one than the known one\)/, /must work/],
      ['whose ssh is not there', async () => ssh(undefined, `ssh://127.0.0.1:${await freePort()}`), 4, /^the Docker engine at ssh:\S+ does not answer \(ssh: connect to host 127\.0\.0\.1 port \d+: Connection refused\)/, /must work/],
      ['whose ssh host is unknown', () => ssh(undefined, 'ssh://no-such-host.invalid'), 4, /^the Docker engine at ssh:\S+ does not answer \(ssh: Could not resolve hostname no-such-host\.invalid: /, /must work/],
      ['whose socket is not there', () => ssh(undefined, `${sshd.url}/nowhere/docker.sock`), 4, /^the Docker engine at ssh:\S+\/nowhere\/docker\.sock does not answer \([^\n]*\/nowhere\/docker\.sock/, /must work/],
      ['for which there is no ssh here', () => ssh({ PATH: folder }), 4, /^the Docker engine at ssh:\S+ cannot be reached \(there is no ssh program on this machine\)/, /openssh-client/],
    ])('one %s is said to be so', async (_, env, exit, message, hint) => {
      const { code, stdout, stderr } = await scenario.run(['plan'], { env: await env() });
      expect({ stderr, code, stdout }).toEqual({ stderr: expect.stringMatching(message), code: exit, stdout: '' });
      expect(stderr).toMatch(hint);
      expect(stderr).not.toMatch(/secret/);
      expect(existsSync(join(folder, 'asked'))).toBe(false);
      expect(stderr.trim().split('\n').length).toBeLessThanOrEqual(3);
    }, 60_000);

    it('one whose ssh takes the connection and is silent is not waited for, and neither is our ssh', async () => {
      const held: Socket[] = [];
      const silent = createServer((connection) => held.push(connection)).listen(0, '127.0.0.1');
      await new Promise((resolve) => silent.once('listening', resolve));
      scenario.write('hasty.yaml', `registry: ${scenario.host}\nnamespace: test\npublish: true\ntimeouts: { idle: 1 }\n`);
      const { code, stderr } = await scenario.run(['plan', '-c', 'hasty.yaml'], { env: ssh(undefined, `ssh://127.0.0.1:${(silent.address() as AddressInfo).port}`) });
      expect(stderr).toMatch(/^the Docker engine at ssh:\S+ does not answer \(no answer in 1 s\)/);
      expect(code).toBe(4);
      await until('ssh has ended', () => groupsOf(join(scenario.directory, 'cache')).length === 0, 10);
      for (const connection of held) connection.destroy();
      silent.close();
    }, 60_000);

    it('one whose machine has no docker is said to be so', async () => {
      const bare = await startSshd({ PATH: '/nonexistent' });
      const { code, stderr } = await scenario.run(['plan'], { env: { ...bare.env, DOCKER_HOST: bare.url } });
      bare.stop();
      expect(stderr).toMatch(/^the Docker engine at ssh:\S+ does not answer \(there is no docker program over there\)/);
      expect(code).toBe(4);
    }, 60_000);
  });

  it('of a docker context does the main job', async () => {
    const docker = async (...args: readonly string[]): Promise<unknown> => execute('docker', args, { env: { PATH: process.env['PATH']!, DOCKER_CONFIG: join(scenario.directory, 'docker') } });
    await docker('context', 'create', 'far', '--docker', `host=${plain}`);
    await docker('context', 'use', 'far');
    scenario.define('app', { versions: ['1.0-1'], lines: ['RUN echo app > /app'], test: 'docker image inspect "$1" > /dev/null' });
    const env = { DOCKER_HOST: '' };
    let carried = 0;
    relay.on('connection', () => carried++);
    expect(await scenario.run(['build', '--select', '*app*'], { env })).toMatchObject({ code: 0, stderr: '' });
    expect((await scenario.fileIn('app', '1.0-1', 'app')).trim()).toBe('app');
    expect(carried).toBeGreaterThan(0);
    // The same through DOCKER_CONTEXT; and the engine's name when it is gone.
    await docker('context', 'create', 'gone', '--docker', `host=tcp://127.0.0.1:${await freePort()}`);
    const gone = await scenario.run(['plan'], { env: { DOCKER_HOST: '', DOCKER_CONTEXT: 'gone' } });
    expect(gone.code).toBe(4);
    expect(gone.stderr).toMatch(/^the Docker engine at tcp:\/\/127\.0\.0\.1:\d+ \(docker context "gone"\) does not answer \(connection refused\)/);
  }, 90_000);
});

/** What ssh asks questions with that it may not ask in a terminal. */
function askpass(): Env {
  writeFileSync(join(folder, 'askpass'), `#!/bin/sh\ntouch ${join(folder, 'asked')}\necho yes\n`, { mode: 0o755 });
  return { SSH_ASKPASS: join(folder, 'askpass'), SSH_ASKPASS_REQUIRE: 'force' };
}

function changed(): Env {
  const known = join(folder, 'known');
  writeFileSync(known, `[127.0.0.1]:${sshd.port} ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ\n`);
  return sshd.envWith('changed', `UserKnownHostsFile ${known}`);
}
