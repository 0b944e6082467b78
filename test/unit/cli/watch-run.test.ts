import { describe, expect, it } from '@jest/globals';
import type { Terminal } from '../../../src/adapters/terminal.js';
import type { Environment } from '../../../src/cli/environment.js';
import type { Options } from '../../../src/cli/verb.js';
import { watchRun, type RunView } from '../../../src/cli/watch-run.js';
import type { Event, Happening } from '../../../src/execute/event.js';
import { createRedactor } from '../../../src/shared/redact.js';
import { planFor, tree } from '../../support/plan-tree.js';

/** What a run of one image shows, on a terminal or not; the secret is `hush-hush`. */
async function watching(given: Partial<Options>, onTerminal: boolean): Promise<RunView & { readonly lines: string[]; readonly tellOf: (happening: Happening) => void; readonly frame: () => readonly string[] | undefined }> {
  let frame: ((size: { columns: number; rows: number }) => readonly string[]) | undefined;
  const terminal: Terminal = {
    paint: (_, text) => text,
    clean: (line) => line,
    watch(draw) {
      frame = draw;
      return () => (frame = undefined);
    },
  };
  const lines: string[] = [];
  const redactor = createRedactor();
  redactor.hide('hush-hush');
  const environment = { terminal: onTerminal ? terminal : undefined, clock: { now: () => 0 }, out: (line: string) => void lines.push(line) } as unknown as Environment;
  const view = await watchRun({ json: false, verbose: false, ...given } as Options, environment, redactor);
  const tellOf = (happening: Happening): void => view.tell({ at: 0, ...happening } as Event);
  const { publishing, steps } = planFor(tree('web'), {});
  tellOf({ type: 'run-started', run: 'r', publishing, steps });
  return { ...view, lines, tellOf, frame: () => frame?.({ columns: 80, rows: 24 }) };
}
const BUILT: Happening = { type: 'built', image: 'web', seconds: 1, size: 1e6, id: 'x' };
const FAILED: Happening = { type: 'failed', image: 'web', phase: 'build', message: 'RUN hush-hush', detail: ['it is hush-hush'], log: undefined, exit: 1 };
const END: Happening = { type: 'run-finished', run: 'r', seconds: 1, exit: 1 };

describe('what is seen of a run', () => {
  it.each<[string, Partial<Options>, boolean, number]>([
    ['a pipe gets a line when an image is built', {}, false, 1],
    ['a terminal shows that below', {}, true, 0],
    ['a terminal gets the line, too, with --verbose', { verbose: true }, true, 1],
    ['--json is an event a line', { json: true }, false, 1],
    ['--json is that on a terminal, too', { json: true }, true, 1],
  ])('%s', async (_, options, onTerminal, many) => {
    const { tellOf, lines, frame } = await watching(options, onTerminal);
    lines.length = 0;
    tellOf(BUILT);
    expect([lines.length, frame() !== undefined]).toEqual([many, onTerminal && options.json !== true]);
  });
  it.each([true, false])('no secret is shown, in a line or below them; on a terminal: %s', async (onTerminal) => {
    const { tellOf, show, lines, frame } = await watching({}, onTerminal);
    show({ image: 'web', phase: 'build', step: '[1/2] RUN hush-hush' });
    tellOf(FAILED);
    show({ image: 'web', phase: 'build', step: '[2/2] RUN hush-hush' });
    const all = [...lines, ...(frame() ?? [])].join('\n');
    expect(all).not.toContain('hush');
    expect(all).toContain('it is ***');
    if (onTerminal) expect(all).toContain('[2/2] RUN ***');
  });
  it('the end takes away what is below, and then sums up', async () => {
    const { tellOf, lines, frame } = await watching({}, true);
    tellOf(FAILED);
    tellOf(END);
    expect([frame(), lines.slice(-2)]).toEqual([undefined, ['', '1 failed in 1.0s.   run r']]);
  });
});
