import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Environment } from '../../../src/cli/environment.js';
import { readNightHistory } from '../../../src/cli/night-history.js';
import type { Happening } from '../../../src/execute/event.js';
import { digestOf } from '../../../src/shared/digest.js';
import { manifest } from '../../support/plan-tree.js';

let state: string;
beforeEach(() => void (state = mkdtempSync(join(tmpdir(), 'build-images-history-'))));
afterEach(() => rmSync(state, { recursive: true }));

const fix = { image: 'web', package: 'libssl3', arch: 'amd64', source: 'openssl', from: '1', to: '2', suite: 'trixie-security', since: 5 };
const night = (at: number, word: string, fixes = [fix]): Happening => ({ type: 'night-started', run: 'x', night: at, tries: { web: digestOf(word) }, fixes });
const failed = (exit: 1 | 5 = 1, phase: 'build' | 'promote' | 'delete' = 'build'): Happening => ({ type: 'failed', image: 'web', phase, message: 'exit 1', detail: [], log: undefined, exit });
const done = (type: 'published' | 'unchanged' | 'finished-locally'): Happening =>
  type === 'published' ? { type, image: 'web', tag: '1', digest: manifest('web') } : type === 'unchanged' ? { type, image: 'web', tag: '1', digest: manifest('web'), built: true } : { type, image: 'web', tag: '1', id: 'x', because: 'x' };
function journal(run: string, ...events: readonly Happening[]): void {
  const folder = join(state, 'build-images/runs', run);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'journal.jsonl'), events.map((event) => `${JSON.stringify({ at: 1, ...event })}\n`).join(''));
}
const read = () => readNightHistory({ env: { XDG_STATE_HOME: state } } as unknown as Environment);
const nights = async (): Promise<number | undefined> => (await read()).failing.get('web')?.nights;

describe('what journals tell of nights', () => {
  it('is nothing before the first', async () => expect(await read()).toEqual({ failing: new Map(), fixes: [] }));
  it('is how often an image failed, as the same, and when the last time', async () => {
    journal('20260101-0000', night(10, 'a'), failed());
    journal('20260102-0000', night(20, 'a'), failed());
    expect((await read()).failing.get('web')).toEqual({ nights: 2, last: 20, tried: digestOf('a'), message: 'exit 1' });
  });
  it.each(['published', 'unchanged', 'finished-locally'] as const)('ends with any run in which it was %s', async (type) => {
    journal('20260101-0000', night(10, 'a'), failed());
    journal('20260101-1200', done(type));
    expect(await nights()).toBeUndefined();
  });
  it.each([
    ['a registry that was gone', failed(5)],
    ['a promotion', failed(1, 'promote')],
    ['a deletion', failed(1, 'delete')],
  ])('does not count %s', async (_, event) => {
    journal('20260101-0000', night(10, 'a'), event);
    expect(await nights()).toBeUndefined();
  });
  it('does not count a run by day', async () => {
    journal('20260101-0000', night(10, 'a'), failed());
    journal('20260101-1200', failed());
    expect(await nights()).toBe(1);
  });
  it('is what images waited for in the last night', async () => {
    journal('20260101-0000', night(10, 'a', []));
    journal('20260102-0000', night(20, 'a'));
    journal('20260102-1200', done('published'));
    expect((await read()).fixes).toEqual([fix]);
  });
});
