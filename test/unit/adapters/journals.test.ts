import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { lastPromotions } from '../../../src/adapters/journals.js';
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
