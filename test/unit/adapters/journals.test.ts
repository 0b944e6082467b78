import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { lastPromotions, pastRuns } from '../../../src/adapters/journals.js';
import { manifest } from '../../support/plan-tree.js';

let state: string;
beforeEach(() => void (state = mkdtempSync(join(tmpdir(), 'build-images-journals-'))));
afterEach(() => rmSync(state, { recursive: true }));

const promoted = (image: string, from: string | undefined) => JSON.stringify({ at: 1, type: 'promoted', image, tag: '1', digest: manifest('to'), ...(from === undefined ? {} : { from: manifest(from) }) });
function journal(run: string, ...lines: readonly string[]): void {
  mkdirSync(join(state, 'runs', run), { recursive: true });
  writeFileSync(join(state, 'runs', run, 'journal.jsonl'), lines.map((line) => `${line}\n`).join(''));
}
const before = () => Object.fromEntries(lastPromotions(state));

describe('what :latest was before it was moved', () => {
  it('is known of the last run that moved each image', () => {
    journal('20260101-0000', promoted('web', 'zero'), promoted('base', 'old'));
    journal('20260102-0000', promoted('web', 'one'), '{"at":1,"type":"published","image":"base"}');
    expect(before()).toEqual({ [manifest('one')]: '20260102-0000', [manifest('old')]: '20260101-0000' });
  });
  it('is nothing where there was none before, whatever an older run says', () => {
    journal('20260101-0000', promoted('web', 'zero'));
    journal('20260102-0000', promoted('web', undefined));
    expect(before()).toEqual({});
  });
  it('is read past lines that a full disk cut off, and runs without a journal', () => {
    journal('20260101-0000', promoted('web', 'zero'), '{"at":1,"type":"promoted","image":"we');
    mkdirSync(join(state, 'runs', '20260102-0000'));
    expect(before()).toEqual({ [manifest('zero')]: '20260101-0000' });
  });
  it('is nothing before the first run', () => expect(before()).toEqual({}));
});

describe('what a run moved', () => {
  const event = (type: string, image: string, part: object = {}): string => JSON.stringify({ at: 1, type, image, tag: '2', digest: manifest(image), from: manifest('before'), ...part });
  const moves = () => [...pastRuns(state)].map(({ run, moves }) => [run, moves.map(({ image, isTold }) => `${image}${isTold ? '' : '?'}`)]);

  it('is told newest run first, each in its order, with where it was', () => {
    journal('20260101-0000', event('promoted', 'web'));
    journal('20260101-0000b', JSON.stringify({ at: 1, type: 'run-started', run: 'r', steps: [{ image: 'base', ref: 'registry.example.org/ns/base:2' }] }), event('withdrawn', 'base', { tag: 'withdrawn-1' }), event('promoted', 'base', { was: '1', moving: 'testing' }), event('promoted', 'web'));
    expect(moves()).toEqual([['20260101-0000b', ['base', 'web']], ['20260101-0000', ['web']]]);
    expect([...pastRuns(state)][0]!.moves[0]).toEqual({ image: 'base', repository: 'registry.example.org/ns/base', tag: '2', digest: manifest('base'), from: manifest('before'), was: '1', moving: 'testing', withdrew: 'withdrawn-1', isTold: true });
    expect([...pastRuns(state)][1]!.moves[0]).toMatchObject({ repository: undefined, withdrew: undefined });
  });
  it('may be an intent alone, of a run that was killed', () => {
    journal('20260101-0000', event('promotion-intended', 'web'), event('promotion-intended', 'base'), event('promoted', 'web'));
    expect(moves()).toEqual([['20260101-0000', ['base?', 'web']]]);
  });
  it('is not what was put back', () => {
    journal('20260101-0000', event('promotion-intended', 'web'), event('put-back', 'web'));
    expect(moves()).toEqual([['20260101-0000', []]]);
  });
  it('that only meant to move nothing holds as a target', () => {
    journal('20260101-0000', event('promotion-intended', 'web'));
    expect(before()).toEqual({});
  });
});
