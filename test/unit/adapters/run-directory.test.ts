import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createRunDirectory, inState, makePrivate, runName } from '../../../src/adapters/run-directory.js';
import { removeScratchFolders, scratchFolder } from '../../../src/adapters/scratch-folder.js';
import { readJson, writeJson } from '../../../src/adapters/json-file.js';

const NOW = Date.UTC(2026, 10, 20, 21, 4, 59);
let top: string;
beforeEach(() => void (top = mkdtempSync(join(tmpdir(), 'build-images-run-'))));
afterEach(() => rmSync(top, { recursive: true, force: true }));
/** Nothing is wrong with the disk here. */
const unheard = (line: string): void => {
  throw new Error(line);
};
const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

describe('the name of a run', () => {
  it.each([
    [0, '20261120-2104'],
    [1, '20261120-2104b'],
    [24, '20261120-2104y'],
    [25, '20261120-2104zb'],
    [26, '20261120-2104zbb'],
  ])('is its minute, UTC: attempt %d is %s', (attempt, name) => expect(runName(NOW, attempt)).toBe(name));
  it('orders runs of one minute', () => {
    const names = Array.from({ length: 30 }, (_, attempt) => runName(NOW, attempt));
    expect([...names].sort()).toEqual(names);
    expect(new Set(names).size).toBe(30);
  });
});

describe('the folder of a run', () => {
  it('is the owner\'s alone, and new for each run of a minute', () => {
    const [first, second] = [createRunDirectory(top, NOW, String, unheard), createRunDirectory(top, NOW, String, unheard)];
    expect([first!.run, second!.run]).toEqual(['20261120-2104', '20261120-2104b']);
    for (const path of [join(top, 'runs'), first!.path, join(first!.path, 'logs')]) expect(modeOf(path)).toBe('700');
    expect(modeOf(join(first!.path, 'journal.jsonl'))).toBe('600');
    first!.close();
    second!.close();
  });
  it('holds the journal: one event a line, in order, there when record returns, without secrets', () => {
    const run = createRunDirectory(top, NOW, (line) => line.replaceAll('secret', '***'), unheard);
    run.record({ at: 1, type: 'warning', image: undefined, message: 'a secret' });
    run.record({ at: 2, type: 'promoted', image: 'web', tag: '1', digest: 'sha256:a', from: undefined, was: undefined });
    const lines = readFileSync(join(run.path, 'journal.jsonl'), 'utf8').split('\n');
    expect(lines.slice(0, 2).map((line) => JSON.parse(line) as unknown)).toEqual([{ at: 1, type: 'warning', message: 'a ***' }, { at: 2, type: 'promoted', image: 'web', tag: '1', digest: 'sha256:a' }]);
    expect(lines[2]).toBe('');
    run.close();
  });
  it('holds each image\'s log, without secrets, whole when it is closed', async () => {
    const run = createRunDirectory(top, NOW, (line) => line.replaceAll('secret', '***'), unheard);
    const log = run.openLog('ns/web');
    log.line('one secret');
    log.line('two');
    await log.close();
    expect([log.path, readFileSync(log.path, 'utf8'), modeOf(log.path)]).toEqual([join(run.path, 'logs', 'ns+web.log'), 'one ***\ntwo\n', '600']);
    run.close();
  });
});

describe('private folders', () => {
  it('are made with all above them; a scratch folder goes with all in it', async () => {
    expect(modeOf(makePrivate(join(top, 'a/b')))).toBe('700');
    const [one, two] = [scratchFolder(top, 'run.mark'), scratchFolder(top, 'run.mark')];
    makePrivate(join(one!.path, 'x/y'));
    expect([one!.path === two!.path, modeOf(one!.path)]).toEqual([false, '700']);
    await one!.release();
    expect([existsSync(one!.path), existsSync(two!.path)]).toEqual([false, true]);
  });
});

describe('scratch folders of runs that are no more', () => {
  it('are removed with all in them, and nobody else is', () => {
    const parent = makePrivate(join(top, 'scratch'));
    const [dead, alive] = [scratchFolder(parent, 'dead.mark'), scratchFolder(parent, 'alive.mark')];
    makePrivate(join(dead.path, 'rootfs/var'));
    makePrivate(join(parent, 'dead.mark'));
    removeScratchFolders(parent, (name) => name.startsWith('dead.mark-'));
    expect([existsSync(dead.path), existsSync(alive.path), existsSync(join(parent, 'dead.mark'))]).toEqual([false, true, true]);
    removeScratchFolders(join(top, 'nowhere'), () => true);
  });
});

describe('a state directory that cannot be used', () => {
  it('is one line that names it, and how to name another', () => {
    writeJson(join(top, 'file'), 1);
    for (const act of [() => makePrivate(join(top, 'file')), () => createRunDirectory(join(top, 'file'), NOW, String, unheard)]) {
      expect(act).toThrow(expect.objectContaining({ exit: 1, message: expect.stringContaining(`${top}/file`), hints: [expect.stringContaining('XDG_STATE_HOME')] }) as unknown as Error);
    }
    expect(() => inState(top, () => { throw Object.assign(new Error(), { code: 'ENOSPC' }); })).toThrow('no space left on device');
  });
});

describe('a JSON file', () => {
  const isList = (value: unknown): value is number[] => Array.isArray(value);
  it('is read back as it was written, its folder made, and is the owner\'s alone', () => {
    const path = join(top, 'a/b.json');
    writeJson(path, [1]);
    expect([readJson(path, isList), modeOf(path), modeOf(join(top, 'a'))]).toEqual([[1], '600', '700']);
    writeJson(path, [2]);
    expect(readJson(path, isList)).toEqual([2]);
  });
  it('is nothing when it is not there, is no JSON, or is not what it should be', () => {
    const path = join(top, 'x.json');
    expect(readJson(path, isList)).toBeUndefined();
    writeJson(path, { a: 1 });
    expect(readJson(path, isList)).toBeUndefined();
    expect(readJson(join(top), isList)).toBeUndefined();
  });
  it('that cannot be written is done without', () => {
    writeJson(join(top, 'file'), 1);
    expect(() => writeJson(join(top, 'file', 'below'), 1)).not.toThrow();
  });
});
