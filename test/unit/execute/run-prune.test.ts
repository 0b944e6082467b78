import { describe, expect, it } from '@jest/globals';
import type { Happening } from '../../../src/execute/event.js';
import { runPrune } from '../../../src/execute/run-prune.js';
import type { PrunePlan, PruneStep } from '../../../src/plan/prune.js';
import { EngineError, EXIT, RegistryError } from '../../../src/shared/errors.js';

const step = (id: string, action: PruneStep['action'] = 'delete-digest'): PruneStep => ({ image: id[0]!, action, id, refs: [id], created: undefined, reasons: [] });
const PLAN: PrunePlan = { where: 'registry', of: 'registry.example.org', steps: [step('a1'), step('a2'), step('ak', 'keep'), step('b1'), step('c1')] };

/** Runs the plan, one image at a time; what is to fail fails so. */
async function run(fails: Readonly<Record<string, Error>> = {}, signal = new AbortController().signal) {
  const told: string[] = [];
  const tell = (event: Happening): void => void told.push(['type', 'image', 'id', 'because', 'exit'].flatMap((key) => (event as unknown as Record<string, string>)[key] ?? []).join(' '));
  const act = async ({ id, image, refs }: PruneStep): Promise<void> => {
    if (fails[id] !== undefined) throw fails[id];
    tell({ type: 'deleted', image, id, refs });
  };
  const exit = await runPrune(PLAN, { run: 'r', jobs: 1, act, tell }, signal);
  return { exit, told: told.slice(1) };
}

describe('running a plan of prune', () => {
  it('does what is to be deleted, in its order', async () => {
    expect(await run()).toEqual({ exit: EXIT.ok, told: ['deleted a a1', 'deleted a a2', 'deleted b b1', 'deleted c c1'] });
  });
  it.each<[string, Error, number]>([
    ['a registry that refuses one', new RegistryError('no', 'r', 400), EXIT.failed],
    ['a bug', new TypeError('x'), EXIT.bug],
  ])('goes on after %s', async (_, error, exit) => {
    expect(await run({ a1: error })).toEqual({ exit, told: [`failed a ${exit}`, 'deleted a a2', 'deleted b b1', 'deleted c c1'] });
  });
  it.each<[string, Error, number, string]>([
    ['an engine that is gone', new EngineError('gone'), EXIT.engine, 'the engine is gone'],
    ['a registry that does not answer', new RegistryError('gone', 'r', undefined), EXIT.registry, 'the registry does not do it'],
    ['a registry without deletion', new RegistryError('no', 'r', 405), EXIT.registry, 'the registry does not do it'],
    ['a login without the right to', new RegistryError('no', 'r', 403), EXIT.registry, 'the registry does not do it'],
    ['no login', new RegistryError('no', 'r', 401), EXIT.registry, 'the registry does not do it'],
  ])('stops after %s, and says what was not tried', async (_, error, exit, because) => {
    expect(await run({ a1: error })).toEqual({ exit, told: [`failed a ${exit}`, `not-started a ${because}`, `not-started b ${because}`, `not-started c ${because}`] });
  });
  it('tells the worst of what went wrong', async () => {
    expect((await run({ a1: new RegistryError('no', 'r', 400), b1: new EngineError('gone') })).exit).toBe(EXIT.engine);
  });
  it('starts nothing more when it is interrupted', async () => {
    const ending = new AbortController();
    ending.abort();
    expect((await run({}, ending.signal)).told).toEqual(['not-started a interrupted', 'not-started b interrupted', 'not-started c interrupted']);
  });
});
