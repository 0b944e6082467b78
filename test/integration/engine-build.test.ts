import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { ContextEntry } from '../../src/definition/build-context.js';
import { BuildFailure, type BuildRequest } from '../../src/execute/build-engine.js';
import { BUILDERS, buildRequest, contextFile, engineAt, importBase, removeImages, uniqueName } from '../support/engine-fixture.js';

const run = promisify(execFile);
const prefix = uniqueName('build');
const base = `${prefix}/base:1`;
const engine = engineAt();
const never = new AbortController().signal;
let serial = 0;
jest.setTimeout(30_000);
/** Those of the builder under test. */
let limits: BuildRequest['limits'];

beforeAll(() => importBase(base), 60_000);
afterAll(async () => {
  engine.close();
  await removeImages(prefix);
}, 60_000);

type Rest = Parameters<typeof buildRequest>[2];
type Built = { readonly tag: string; readonly id: string; readonly printed: readonly string[]; readonly output: readonly string[] };

/** One build of a few lines on the base image: its tag, its image id and what it printed. */
async function build(lines: string, context: readonly ContextEntry[] = [], rest: Rest = {}): Promise<Built> {
  const tag = `${prefix}/image:${++serial}`;
  const printed: string[] = [];
  const request = buildRequest(tag, `FROM ${base}\n${lines}\n`, { context, limits, onLine: (line) => printed.push(line), ...rest });
  const { id } = await engine.build(request, never);
  return { tag, id, printed, output: printed.map((line) => line.replace(/^#\d+ /, '')) };
}

/** What a build says at the end of its RUN step. */
function howRunEnded({ printed }: Built): string | undefined {
  const number = printed.find((line) => line.includes('] RUN '))?.split(' ')[0];
  return printed.findLast((line) => line.startsWith(`${number} `))?.slice(`${number} `.length);
}

/** Why a build failed. */
async function failureOf(lines: string, context: readonly ContextEntry[] = [], rest: Rest = {}): Promise<{ message: string; line: number | undefined }> {
  const error = await build(lines, context, rest).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(BuildFailure);
  const { message, line } = error as BuildFailure;
  return { message, line };
}

describe.each(BUILDERS)('a build of %s that succeeds', (_, own) => {
  beforeAll(() => void (limits = own));

  it('gives the tagged image, with its labels, and prints what its steps print', async () => {
    const { tag, id, printed } = await build('COPY a /a\nRUN cat /a; echo grüße >&2', [contextFile('a', 'hello\n')], { labels: { one: 'a "b" ü', two: '' } });
    const image = await engine.inspect(tag, never);
    expect(image).toMatchObject({ id, labels: { one: 'a "b" ü', two: '' }, platform: expect.stringMatching(/^linux\/\w+$/) });
    expect(image!.size).toBeGreaterThan(100_000);
    const step = printed.find((line) => line.includes('RUN cat'))!;
    const number = step.split(' ')[0]!;
    expect(step).toMatch(/^#\d+ \[3\/\d\] RUN cat \/a; echo grüße >&2$/);
    expect(printed).toEqual(expect.arrayContaining([`${number} hello`, `${number} grüße`, expect.stringMatching(new RegExp(`^${number} done in \\d+\\.\\ds$`))]));
  });

  it('takes build arguments, and takes passwords in URLs out of what it prints', async () => {
    const { output } = await build('ARG proxy\nRUN echo "see $proxy"', [], { buildArgs: { proxy: 'http://me:s3cret@proxy:3128' }, noCache: true });
    expect(output).toContain('see http://***@proxy:3128');
    expect(output.join('\n')).not.toContain('s3cret');
  });

  it('gives the same image for the same input, out of the cache', async () => {
    const lines = `COPY a /a\nRUN echo ${prefix} > /b`;
    const context = [contextFile('a', 'same')];
    const first = await build(lines, context);
    const second = await build(lines, context);
    const third = await build(lines, context, { noCache: true });
    expect(second.id).toBe(first.id);
    expect([first, second, third].map(howRunEnded)).toEqual([expect.stringMatching(/^done/), 'cached', expect.stringMatching(/^done/)]);
  });

  it('keeps deep folders, empty folders, odd names and modes, all owned by root, files of one time', async () => {
    const context: ContextEntry[] = [
      contextFile('z/y/x/w/deep', 'd'),
      contextFile('run-me', '#!', 0o755),
      contextFile('-dash', '-'),
      contextFile('a file, with "blanks" ü', 'ü'),
      contextFile('z-', 'sorts between z and z/y for bytes, not for paths'),
      contextFile('🦊', 'fox'),
      contextFile('\uffee', 'before the fox in UTF-8, behind it in UTF-16'),
      { type: 'directory', path: 'empty/inside' },
    ];
    const { output } = await build(`COPY . /c\nRUN cd /c; stat -c "%F %a %u:%g %Y %n" ./* ./z/y/x/w/deep ./empty/inside; cat "a file, with \\"blanks\\" ü"`, context, { noCache: true });
    // Directories get their time from the engine, which makes files in them after it has set it.
    const stats = output.filter((line) => / 0:0 /.test(line)).map((line) => line.replace(/^(regular file .*) 0:0 315532801|^(directory .*) 0:0 \d+/, '$1$2'));
    expect(stats.sort()).toEqual(
      [
        'regular file 644 ./-dash',
        'regular file 644 ./a file, with "blanks" ü',
        'directory 755 ./empty',
        'directory 755 ./empty/inside',
        'regular file 755 ./run-me',
        'directory 755 ./z',
        'regular file 644 ./z-',
        'regular file 644 ./z/y/x/w/deep',
        'regular file 644 ./\uffee',
        'regular file 644 ./🦊',
      ].sort(),
    );
  });

  it('leaves .dockerignore to the caller', async () => {
    const { output } = await build('COPY . /c\nRUN cd /c; echo $(ls -a)', [contextFile('.dockerignore', 'kept'), contextFile('kept', 'k')], { noCache: true });
    expect(output).toContain('. .. .dockerignore kept');
  });

  it('takes a file of 200 MB without holding it in memory', async () => {
    const piece = Buffer.alloc(65_536, 7);
    let peak = 0;
    const before = process.memoryUsage().rss;
    const big: ContextEntry = {
      type: 'file',
      path: 'big',
      mode: 0o644,
      size: 3_200 * piece.length,
      async *read() {
        for (let count = 0; count < 3_200; count++) {
          yield piece;
          if (count % 100 === 0) peak = Math.max(peak, process.memoryUsage().rss);
        }
      },
    };
    const { output } = await build('COPY big /big\nRUN wc -c /big', [big], { noCache: true });
    expect(output).toContain('209715200 /big');
    expect((peak - before) / 1e6).toBeLessThan(120);
  }, 120_000);

  it('stands on a tag that only this engine has', async () => {
    const tag = `${prefix}/parent:run-20261120-2104`;
    await engine.tag(base, tag, never);
    const dockerfile = `FROM ${tag} AS one\nRUN echo made > /made\nFROM ${tag}\nCOPY --from=one /made /made\n${limits === undefined ? `RUN --mount=from=${tag},target=/m ls /m/bin/sh\n` : ''}`;
    await expect(engine.build(buildRequest(`${prefix}/child:1`, dockerfile, { limits }), never)).resolves.toMatchObject({ id: expect.stringMatching(/^sha256:/) });
  });
});

describe.each(BUILDERS)('a build of %s that fails', (_, own) => {
  beforeAll(() => void (limits = own));

  it('names the instruction, its exit code and its line', async () => {
    expect(await failureOf('# why\nRUN true && \\\n  true\nRUN echo some output; exit 7')).toEqual({ message: 'RUN echo some output; exit 7: exit 7', line: 5 });
  });

  it('finds the line among stages', async () => {
    const rest = `RUN true\nFROM ${base} AS two\nWORKDIR /x\nARG A=1\nRUN exit $A\nFROM ${base}\nRUN true\nCOPY --from=two /x /y`;
    expect(await failureOf(rest)).toEqual({ message: 'RUN exit $A: exit 1', line: 6 });
  });

  it('names a file that COPY does not find', async () => {
    expect(await failureOf('RUN true\nCOPY missing /x', [contextFile('there', '')])).toEqual({ message: 'COPY missing /x: /missing is not there', line: 3 });
  });

  it('names the line that is no Dockerfile', async () => {
    expect(await failureOf('RUN true\nFOO bar')).toEqual({ message: expect.stringMatching(/^the Dockerfile cannot be read: unknown instruction: FOO/), line: 3 });
  });

  it('names a stage that is not there', async () => {
    const failure = await failureOf('RUN true', [], { dockerfile: 'FROM scratch\nCOPY --from=7 /a /b\n' });
    expect(failure.message).toMatch(/invalid.*7/);
  });

  it('says which file of the context changed while it was read', async () => {
    const shrunk: ContextEntry = { type: 'file', path: 'sub/shrunk', mode: 0o644, size: 100, async *read() { yield Buffer.alloc(10); } };
    expect(await failureOf('COPY . /c', [shrunk])).toEqual({ message: 'build context: sub/shrunk changed while it was read: 10 bytes instead of 100', line: undefined });
  });

  it('says why a file of the context cannot be read', async () => {
    // eslint-disable-next-line require-yield
    const broken: ContextEntry = { type: 'file', path: 'a', mode: 0o644, size: 1, async *read() { throw new Error('a: input/output error'); } };
    expect((await failureOf('COPY . /c', [broken])).message).toBe('build context: a: input/output error');
  });

  it('leaves no image of its name', async () => {
    await failureOf('RUN exit 1');
    expect(await engine.inspect(`${prefix}/image:${serial}`, never)).toBeUndefined();
  });
});

describe.each(BUILDERS)('a build of %s that is aborted', (_, own) => {
  beforeAll(() => void (limits = own));

  it('ends within two seconds with the reason, and nothing of it goes on in the engine', async () => {
    const abort = new AbortController();
    const reason = new Error('the user said so');
    const mark = 61_000 + Math.floor(Math.random() * 30_000);
    const request = buildRequest(`${prefix}/aborted:1`, `FROM ${base}\nRUN echo started; sleep ${mark}\n`, { limits, onLine: (line) => line.endsWith(' started') && abort.abort(reason) });
    const running = engine.build(request, abort.signal).catch((error: unknown) => ({ error, at: Date.now() }));
    const aborted = new Promise<number>((resolve) => abort.signal.addEventListener('abort', () => resolve(Date.now())));
    const [at, ended] = await Promise.all([aborted, running]);
    expect(ended).toMatchObject({ error: reason });
    expect((ended as { at: number }).at - at).toBeLessThan(2_000);
    const sleeping = async (): Promise<boolean> => (await run('ps', ['-eo', 'args='])).stdout.includes(`sleep ${mark}`);
    for (let tries = 0; tries < 20 && (await sleeping()); tries++) await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await sleeping()).toBe(false);
    expect(await engine.inspect(`${prefix}/aborted:1`, never)).toBeUndefined();
  }, 30_000);

  it('does not begin when it was aborted before', async () => {
    await expect(engine.build(buildRequest(`${prefix}/aborted:2`, `FROM ${base}\n`, { limits }), AbortSignal.abort(new Error('too late')))).rejects.toThrow('too late');
  });

  it('leaves no connection open, nor does one that is done or has failed', async () => {
    const open = (): number => process.getActiveResourcesInfo().filter((name) => name === 'PipeWrap').length;
    const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 200));
    await settled();
    const before = open();
    let during = 0;
    const abort = new AbortController();
    const request = buildRequest(`${prefix}/aborted:3`, `FROM ${base}\nRUN echo started; sleep 60\n`, {
      limits,
      noCache: true,
      onLine: (line) => {
        if (!line.endsWith(' started')) return;
        during = open();
        abort.abort();
      },
    });
    await engine.build(request, abort.signal).catch(() => {});
    await build('RUN true');
    await failureOf('RUN exit 1');
    await settled();
    expect(during).toBeGreaterThan(before);
    expect(open()).toBe(before);
  });
});

describe('a build of BuildKit', () => {
  beforeAll(() => void (limits = undefined));

  it('has the new bytes of a file whose name and size stayed the same', async () => {
    const lines = 'COPY a /a\nRUN cat /a';
    const first = await build(lines, [contextFile('a', 'one')]);
    const second = await build(lines, [contextFile('a', 'two')]);
    expect(first.output).toContain('one');
    expect(second.output).toContain('two');
    expect(second.id).not.toBe(first.id);
  });

  it('has nothing that only a build before had: a file that went, a folder that is a file now', async () => {
    const copy = 'COPY . /all\nRUN ls -R /all';
    await build(copy, [contextFile('gone', 'x'), { type: 'directory', path: 'odd' }, contextFile('odd/inner', 'x')]);
    const { output } = await build(copy, [contextFile('odd', 'x')]);
    expect(output).toContain('odd');
    expect(output.filter((line) => /gone|inner/.test(line))).toEqual([]);
  });
  it('has the new Dockerfile when only that changed, at the same length', async () => {
    expect((await build('RUN echo aaa > /x; cat /x')).output).toContain('aaa');
    expect((await build('RUN echo bbb > /x; cat /x')).output).toContain('bbb');
  });

  it('sends only what COPY names, whatever wildcards it names it with', async () => {
    const read: string[] = [];
    const spied = (path: string): ContextEntry => ({ type: 'file', path, mode: 0o644, size: 1, async *read() { read.push(path); yield Buffer.from('x'); } });
    const context = ['a.txt', 'sub/b.txt', 'sub/c.bin', 'other/d', 'ünder/e'].map(spied);
    const { output } = await build('COPY a.txt sub/*.txt ünder/ /c/\nRUN cd /c; ls', context, { noCache: true });
    expect(output).toEqual(expect.arrayContaining(['a.txt', 'b.txt', 'e']));
    expect(output).not.toContain('d');
    const { output: second } = await build('COPY a.txt s?b/*.txt /c/\nRUN cd /c; ls', context.map(({ path }) => spied(`${path}`)), { noCache: true });
    expect(second).toEqual(expect.arrayContaining(['a.txt', 'b.txt']));
    expect(read.slice(-2).sort()).toEqual(['a.txt', 'sub/b.txt']);
  });

  it('takes thousands of files', async () => {
    const context = Array.from({ length: 3_000 }, (_, index) => contextFile(`d${index % 60}/f${index}`, `${index}`));
    const { output } = await build('COPY . /c\nRUN cat /c/*/* | wc -c; ls /c/d7 | wc -l', context, { noCache: true });
    expect(output).toEqual(expect.arrayContaining(['10890', '50']));
  }, 60_000);

  it('runs beside seven others, each with its own files', async () => {
    const builds = await Promise.all(Array.from({ length: 8 }, (_, index) => build('COPY a /a\nRUN cat /a', [contextFile('a', `number ${index}`)], { noCache: true })));
    expect(builds.map(({ output }, index) => output.includes(`number ${index}`))).toEqual(Array.from({ length: 8 }, () => true));
  }, 60_000);

  it('goes on through a step that is silent for longer than the engine looks after its session', async () => {
    const { output } = await build('COPY a /a\nRUN sleep 8; cat /a', [contextFile('a', 'still here')], { noCache: true });
    expect(output).toContain('still here');
  }, 30_000);

  it('cuts a long instruction', async () => {
    const lines = 'ARG A=b\nRUN echo "this is a rather long instruction that nobody wants to read twice" && \\\n  exit 100';
    expect(await failureOf(lines)).toEqual({ message: 'RUN echo "this is a rather long instruction that nobody … exit 100', line: 3 });
  });
});
