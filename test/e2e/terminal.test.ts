import { join } from 'node:path';
import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { FaultyRegistry } from '../support/faulty-registry.js';
import { openProxiedScenario } from '../support/proxied-scenario.js';
import type { Scenario } from '../support/scenario.js';
import { startOnTerminal, type Shown } from '../support/terminal-run.js';

const ESCAPE = /\u001B/;
const select = (...names: readonly string[]): readonly string[] => names.flatMap((name) => ['--select', `*/${name}:*`]);
const has = ({ lines }: Shown, pattern: RegExp): boolean => lines.some((line) => pattern.test(line));
/** A row of an image at work, or the counts below. */
const FRAME = /^\S+ +(?:pull|build|test|publish|promote)? +\d+s(?: |$)|^\+\d+ more|\d (?:running|waiting|done).* {3}\d+s$/;

describe('a run on a terminal', () => {
  let scenario: Scenario;
  let line: FaultyRegistry;
  let gate: string;
  beforeAll(async () => {
    ({ scenario, line } = await openProxiedScenario());
    gate = join(scenario.directory, 'go');
    const waits = `until [ -e ${gate} ]; do sleep 0.05; done`;
    scenario.define('first', { versions: ['1.0-1'], lines: ['RUN echo first > /first'] });
    scenario.define('web', { versions: ['1.0-1'], lines: ['RUN echo web > /web'], from: 'first', test: waits });
    scenario.define('tool', { versions: ['1.0-1'], lines: ['RUN echo tool > /tool'], from: 'first', test: waits });
    scenario.define('broken', { versions: ['1.0-1'], from: 'web', lines: [`RUN for i in 1 2 3 4 5 6 7 8 9; do printf "line $i \\033[2J\\033[31m\\n"; done; exit 3`] });
    scenario.define('on-broken', { versions: ['1.0-1'], from: 'broken' });
    scenario.define('nap', { versions: ['1.0-1'], lines: ['RUN echo nap > /nap', 'RUN sleep 603'] });
    scenario.define('stubborn', { versions: ['1.0-1'], lines: ['RUN echo stubborn > /stubborn'], test: `trap '' TERM; while :; do sleep 0.1; done` });
    scenario.define('plain', { versions: ['1.0-1'], lines: ['RUN echo plain > /plain'] });
    scenario.define('colourless', { versions: ['1.0-1'], lines: ['RUN exit 4'] });
  }, 60_000);
  afterAll(async () => {
    await scenario.close();
    await line.stop();
  }, 60_000);

  it('shows what is at work below the lines that stay, whatever becomes of its window, and leaves each of them once', async () => {
    const run = startOnTerminal(scenario, ['--jobs', '4', ...select('first', 'web', 'tool', 'broken', 'on-broken')]);
    // Longest running first: that is the one with more images behind it.
    const bothTested = ({ lines }: Shown): boolean => /^web +test +\d+s$/.test(lines.at(-3) ?? '') && /^tool +test +\d+s$/.test(lines.at(-2) ?? '');
    const wide = await run.waitFor('both tests run', bothTested);
    expect(wide.lines.at(-1)).toMatch(/^2 running, 2 waiting, 1 done {3}\d+s$/);
    expect(wide.cursorHidden).toBe(false);

    run.resize(45, 24);
    await run.waitFor('the frame at 45 columns', bothTested);
    run.resize(120, 30);
    await run.waitFor('the frame at 120 columns', bothTested);
    writeFileSync(gate, '');

    const ended = await run.ended;
    expect(ended.code).toBe(1);
    const staying = ['first published 1.0-1', 'web published 1.0-1', 'tool published 1.0-1', 'broken FAILED RUN for i in', 'on-broken blocked by broken', 'first :latest → 1.0-1', 'web :latest → 1.0-1', 'tool :latest → 1.0-1', '3 published, 1 failed, 1 blocked'];
    const squeezed = ended.lines.map((one) => one.replace(/^\d\d:\d\d:\d\d /, '').replace(/ +/g, ' '));
    expect(staying.map((stays) => [stays, squeezed.filter((one) => one.startsWith(stays)).length])).toEqual(staying.map((stays) => [stays, 1]));
    expect(ended.lines.join('')).toMatch(/exit 3 +log: \S+\/logs\/broken\.log/);
    // The end of what it printed, which can neither clear the screen nor change its colours.
    expect(ended.lines.filter((one) => /^ +line \d$/.test(one)).map((one) => one.trim())).toEqual(['2', '3', '4', '5', '6', '7', '8', '9'].map((number) => `line ${number}`));
    expect(ended.red).toEqual(['FAILED']);
    expect(has(ended, /build {5}not in the registry|built|tested/)).toBe(false);
    expect(ended.lines.filter((one) => FRAME.test(one))).toEqual([]);
    expect(ended.cursorHidden).toBe(false);
    expect(scenario.kept()).not.toMatch(/"phase":"pull"/);
  }, 120_000);

  it('shows the step of a build; Ctrl-C leaves what was said and nothing else, and exits 130', async () => {
    const run = startOnTerminal(scenario, select('nap'));
    const shown = await run.waitFor('the second step is at work', ({ lines }) => /^nap +build +\d+s {2}\[3\/3\] RUN sleep 603$/.test(lines.at(-2) ?? ''));
    expect(shown.lines.at(-1)).toMatch(/^1 running {3}\d+s$/);
    run.type('\u0003');
    const ended = await run.ended;
    expect(ended.code).toBe(130);
    expect(ended.lines.map((one) => one.replace(/^\d\d:\d\d:\d\d /, ''))).toEqual([
      `publishing to ${scenario.host}/test`,
      'interrupted: stopping what is under way; once more ends it at once',
      'nap not done  interrupted',
      '',
      expect.stringMatching(/^1 not done, /),
      'interrupted: what was published stays; run again to go on',
    ]);
    expect(ended.cursorHidden).toBe(false);
  }, 60_000);

  it('Ctrl-Z takes what is at work off the screen, and it comes back when the run goes on', async () => {
    const run = startOnTerminal(scenario, select('stubborn'));
    await run.waitFor('the test runs', (shown) => has(shown, /^stubborn +test +\d+s$/));
    run.type('\u001A');
    await run.waitFor('only what was said is there', ({ lines, stopped }) => stopped && lines.length === 1 && /publishing to/.test(lines[0]!));
    run.signal(18);
    await run.waitFor('the test runs', (shown) => has(shown, /^stubborn +test +\d+s$/));
    run.type('\u0003\u0003');
    expect((await run.ended).code).toBe(130);
  }, 60_000);

  it('a second Ctrl-C ends at once, and takes what is at work off the screen, too', async () => {
    const run = startOnTerminal(scenario, select('stubborn'));
    await run.waitFor('the test runs', (shown) => has(shown, /^stubborn +test +\d+s$/));
    run.type('\u0003');
    await run.waitFor('it says so, above what is still at work', ({ lines }) => /^interrupted: stopping/.test(lines.at(-3) ?? '') && /^stubborn +test/.test(lines.at(-2) ?? ''));
    run.type('\u0003');
    const ended = await run.ended;
    expect(ended.code).toBe(130);
    expect(ended.lines.at(-1)).toBe('interrupted: stopping what is under way; once more ends it at once');
    expect([ended.lines.filter((one) => FRAME.test(one)), ended.cursorHidden]).toEqual([[], false]);
  }, 60_000);

  it('says in a window with few rows how many more are at work', async () => {
    const run = startOnTerminal(scenario, ['--jobs', '2', ...select('stubborn', 'nap')], { rows: 3 });
    await run.waitFor('no room for both', ({ lines }) => lines.at(-2) === '+2 more' && /^2 running/.test(lines.at(-1)!));
    run.signal(15);
    run.signal(15);
    expect((await run.ended).code).toBe(143);
  }, 60_000);

  it('on a terminal that cannot move its cursor gets the plain lines', async () => {
    const { code, lines, written } = await startOnTerminal(scenario, select('plain'), { columns: 120, env: { TERM: 'dumb' } }).ended;
    expect([code, ESCAPE.test(written)]).toEqual([0, false]);
    expect(lines.map((one) => one.split(' ').slice(1, 3).join(' '))).toEqual(['publishing to', 'plain build', 'plain built', 'plain published', 'plain :latest', '', 'published, 8']);
  }, 60_000);

  it('NO_COLOR takes the colours away, and only them', async () => {
    const { code, red, written, lines } = await startOnTerminal(scenario, select('colourless'), { env: { NO_COLOR: '1' } }).ended;
    expect([code, red, /\u001B\[[0-9;]*m/.test(written), ESCAPE.test(written)]).toEqual([1, [], false, true]);
    expect(lines.join('\n')).toMatch(/colourless FAILED +RUN exit 4/);
  }, 60_000);

  it('--json prints JSON there, too, and nothing else', async () => {
    const { code, written } = await startOnTerminal(scenario, ['--json', ...select('colourless')]).ended;
    expect([code, ESCAPE.test(written)]).toEqual([1, false]);
    expect(written.trim().split('\r\n').map((one) => (JSON.parse(one) as { type: string }).type)).toEqual(['run-started', 'step-started', 'failed', 'run-finished']);
  }, 60_000);

  it('shows how far the registry was read while that takes long, and nothing of it afterwards', async () => {
    let open = (): void => undefined;
    line.fail({ when: (_, path) => path.includes('/nap/'), instead: { until: new Promise<void>((resolve) => (open = resolve)) } });
    const run = startOnTerminal(scenario, ['plan', '--all']);
    await run.waitFor('all but one are read', ({ lines }) => lines.at(-1) === `reading 8 of 9 images from ${line.host}`);
    open();
    line.mend();
    const ended = await run.ended;
    expect(ended.code).toBe(0);
    expect(ended.lines[0]).toBe(`publishing to ${scenario.host}/test`);
    expect(has(ended, /^reading/)).toBe(false);
  }, 60_000);
});
