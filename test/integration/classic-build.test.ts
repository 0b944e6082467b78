import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { BuildFailure, type BuildRequest } from '../../src/execute/build-engine.js';
import { EngineError } from '../../src/shared/errors.js';
import { buildRequest, contextFile, engineAt, importBase, removeImages, SHARED_SOCKET, startEngine, uniqueName, type OwnEngine } from '../support/engine-fixture.js';
import { startEngineProxy, type EngineProxy } from '../support/engine-proxy.js';

const run = promisify(execFile);
const prefix = uniqueName('classic');
const base = `${prefix}/base:1`;
const engine = engineAt();
const never = new AbortController().signal;
let serial = 0;
jest.setTimeout(30_000);

beforeAll(() => importBase(base), 60_000);
afterAll(async () => {
  engine.close();
  await removeImages(prefix);
}, 60_000);

type Built = { readonly id: string; readonly tag: string; readonly printed: readonly string[] };

async function build(lines: string, rest: Partial<BuildRequest> = {}, on = engine): Promise<Built> {
  const tag = `${prefix}/image:${++serial}`;
  const printed: string[] = [];
  const { id } = await on.build(buildRequest(tag, `FROM ${base}\n${lines}\n`, { limits: { cpushares: 1024 }, noCache: true, onLine: (line) => printed.push(line), ...rest }), never);
  return { id, tag, printed };
}

const failureOf = (lines: string, rest: Partial<BuildRequest> = {}, on = engine): Promise<unknown> => build(lines, rest, on).catch((error: unknown) => error);
const docker = async (...args: readonly string[]): Promise<string> => (await run('docker', ['--host', `unix://${SHARED_SOCKET}`, ...args])).stdout.trim();

describe('limits', () => {
  it('are those of the containers that instructions run in', async () => {
    // Version 1 of control groups, or version 2.
    const read = (one: string, two: string): string => `cat /sys/fs/cgroup/${one} /sys/fs/cgroup/${two} 2> /tmp/none || true`;
    const { printed } = await build(`RUN ${read('memory/memory.limit_in_bytes', 'memory.max')}; ${read('cpu/cpu.shares', 'cpu.weight')}; ${read('cpuset/cpuset.cpus', 'cpuset.cpus')}`, { limits: { memory: 64 * 1024 ** 2, memswap: -1, cpushares: 512, cpusetcpus: '0' } });
    const output = printed.filter((line) => /^#2 \d+$/.test(line)).map((line) => line.slice(3));
    expect(output).toEqual(['67108864', expect.stringMatching(/^(?:512|20)$/), '0']);
  });

  it('kill what needs more memory, and that is said', async () => {
    const error = await failureOf('RUN true\nRUN dd if=/dev/zero of=/dev/null bs=100M count=1', { limits: { memory: 32 * 1024 ** 2, memswap: 32 * 1024 ** 2 } });
    expect(error).toBeInstanceOf(BuildFailure);
    expect(error).toMatchObject({ message: 'RUN dd if=/dev/zero of=/dev/null bs=100M count=1: killed (137): out of memory? container_limits allows 32 MB', line: 3 });
  });

  it('that the engine cannot apply are no build without them', async () => {
    const proxy = await startEngineProxy({ 'GET /info': { status: 200, body: { MemoryLimit: false, CPUShares: true, CPUSet: false } } });
    const unable = engineAt(proxy.socketPath);
    const error = await failureOf('RUN true', { limits: { memory: 64 * 1024 ** 2, cpushares: 2, cpusetcpus: '0' } }, unable);
    unable.close();
    await proxy.stop();
    expect(error).toBeInstanceOf(EngineError);
    expect((error as Error).message).toBe('the engine cannot limit memory, cpusetcpus on this machine, as container_limits asks');
    expect(proxy.requests).not.toContain('POST /build');
  });

  it.each([
    ['RUN --mount=type=cache,target=/x true', 'RUN --mount'],
    ['RUN --mount=target=/x,id=npm,type=secret true', 'RUN --mount=type=secret'],
    ['RUN --network=none \\\n  --mount=type=ssh true', 'RUN --mount=type=ssh'],
  ])('%j is refused before anything is built', async (line, what) => {
    const printed: string[] = [];
    const error = await failureOf(`RUN true\n${line}`, { onLine: (text) => printed.push(text) });
    expect(error).toMatchObject({ message: `${what} needs BuildKit, which applies no limits: take out the mount, or container_limits of the config`, line: 3 });
    expect(error).toBeInstanceOf(BuildFailure);
    expect(printed).toEqual([]);
  });

  it('a flag of another instruction that needs BuildKit is named when the engine comes to it', async () => {
    expect(await failureOf('COPY --chmod=755 a /a', { context: [contextFile('a', '')] })).toMatchObject({ message: 'COPY a /a: --chmod needs BuildKit', line: 2 });
  });
});

describe('an engine that opens no sessions', () => {
  let proxy: EngineProxy;
  afterEach(() => proxy.stop());

  it.each([400, 403, 404])('and answers %d builds with its classic builder, and is asked for a session once', async (status) => {
    proxy = await startEngineProxy({ 'POST /session': { status, body: { message: 'page not found' } } });
    const old = engineAt(proxy.socketPath);
    const first = await build('COPY a /a\nRUN cat /a', { limits: undefined, context: [contextFile('a', 'hello\n')] }, old);
    const refused = await failureOf('RUN --mount=type=cache,target=/x true', { limits: undefined }, old);
    old.close();
    expect(first.printed).toEqual(expect.arrayContaining(['this engine opens no build session (page not found): its classic builder builds this', '#3 hello']));
    expect(await engine.inspect(first.tag, never)).toMatchObject({ id: first.id });
    expect(refused).toMatchObject({ message: 'RUN --mount needs BuildKit, and this engine opens no build session (page not found)', line: 2 });
    expect(proxy.requests.filter((request) => request === 'POST /session')).toHaveLength(1);
  });

  it('because it is broken is a fault', async () => {
    proxy = await startEngineProxy({ 'POST /session': { status: 500, body: { message: 'out of luck' } } });
    const broken = engineAt(proxy.socketPath);
    const error = await failureOf('RUN true', { limits: undefined }, broken);
    broken.close();
    expect(error).toBeInstanceOf(EngineError);
    expect((error as Error).message).toBe(`the engine at ${proxy.socketPath} opens no build session: out of luck`);
  });
});

describe('a classic build', () => {
  it('keeps every label, whatever is in it, and makes one instruction of them', async () => {
    const labels = { plain: 'x', empty: '', 'with.quotes': `Debian's "own" \`$HOME\` \\ ${'${x}'}`, lines: 'one\ntwo', 'org.example/key': '{"a":"b"}' };
    const { tag, printed } = await build('RUN true', { labels });
    expect((await engine.inspect(tag, never))!.labels).toEqual(labels);
    expect(printed.filter((line) => / LABEL /.test(line))).toHaveLength(2);
  });

  it('keeps labels of a Dockerfile that ends in the middle of a line', async () => {
    const { tag } = await build('RUN true \\', { labels: { a: 'b' } });
    expect((await engine.inspect(tag, never))!.labels).toEqual({ a: 'b' });
  });

  it('copies the context and nothing of ours', async () => {
    const { printed } = await build('COPY . /c\nRUN cd /c; echo $(ls -a)', { context: [contextFile('a', 'a')] });
    expect(printed).toContain('#3 . .. a');
  });

  it('copies a .dockerignore that is part of the context, and what it would leave out', async () => {
    const { printed } = await build('COPY . /c\nRUN cd /c; echo $(ls -a); cat .dockerignore', { context: [contextFile('.dockerignore', 'a\n'), contextFile('a', ''), contextFile('.build-images.Dockerfile', '')] });
    expect(printed).toEqual(expect.arrayContaining(['#3 . .. .build-images.Dockerfile .dockerignore a', '#3 a']));
  });

  it('prints whole lines, of both streams, and is not led astray by a step that prints steps', async () => {
    const { printed } = await build("RUN echo 'Step 3/3 : FROM x' >&2; echo 'Step 9/9 : FROM y'; echo ' ---> Using cache!'; echo end");
    expect(printed.filter((line) => line.startsWith('#2 ') && !line.includes('RUN'))).toEqual(expect.arrayContaining(['#2 Step 9/9 : FROM y', '#2  ---> Using cache!', '#2 end', expect.stringMatching(/^#2 done in \d/)]));
  });

  it('leaves no container behind, whether it went well or not', async () => {
    const mark = prefix.replace(/.*\//, '');
    await build(`ENV MARK=${mark}\nRUN true`);
    await failureOf(`ENV MARK=${mark}\nRUN exit 3`);
    const containers = (await docker('ps', '--all', '--quiet', '--no-trunc')).split('\n').filter((id) => id !== '');
    const marked = await Promise.all(containers.map((id) => docker('inspect', '--format', '{{.Config.Env}}', id).catch(() => '')));
    expect(marked.filter((env) => env.includes(mark))).toEqual([]);
  });
});

describe('an engine that goes away in the middle of a classic build', () => {
  let own: OwnEngine;
  afterEach(() => own.stop(), 60_000);

  it('is not blamed on the Dockerfile', async () => {
    own = await startEngine();
    await importBase(base, own.socketPath);
    const going = engineAt(own.socketPath);
    const error = await failureOf('RUN echo started; sleep 60', { onLine: (line) => line.endsWith(' started') && process.kill(own.pid, 'SIGTERM') }, going);
    going.close();
    expect(error).toBeInstanceOf(EngineError);
    expect((error as Error).message).toMatch(/does not answer/);
  }, 90_000);
});
