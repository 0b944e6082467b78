import { describe, expect, it } from '@jest/globals';
import { runPlan } from '../../../src/execute/run-plan.js';
import { planRollback, type Wanted } from '../../../src/plan/rollback.js';
import { EXIT, RegistryError } from '../../../src/shared/errors.js';
import { outsideInMemory, type Hooks } from '../../support/outside-in-memory.js';
import { image, manifest, REGISTRY, stateFor, tree } from '../../support/plan-tree.js';
import { TOKEN } from '../../support/run-in-memory.js';
import { configOf, runConfigOf } from '../../support/tree-in-memory.js';

const graph = tree('base ← web');

/** Takes `:latest` of both back, web's first; `missing` has nothing to go back to. */
async function rollBack({ hooks = {} as Hooks, missing = '' } = {}) {
  const outside = outsideInMemory(hooks);
  const wanted = ['web', 'base'].map((name): Wanted => {
    outside.published.set(`${REGISTRY}/${name}:latest`, manifest(`${name} new`));
    outside.published.set(`${REGISTRY}/${name}:1.1`, manifest(`${name} old`));
    return { image: name, run: 'r', left: { digest: manifest(`${name} new`), name: '2.0' }, target: name === missing ? undefined : { digest: manifest(`${name} old`), tag: '1.1', isThere: true }, lifts: undefined, isRollback: false };
  });
  const state = stateFor(graph, { images: { web: { latest: image('web new') }, base: { latest: image('base new') } } });
  const plan = planRollback(graph, state.images, wanted, { publish: true, to: REGISTRY, as: undefined });
  const options = { run: 'r', token: TOKEN, startedAt: 0, jobs: 1, onError: 'continue', useCache: false, noPull: false, epoch: undefined } as const;
  const exit = await runPlan({ graph, plan, state, definitions: new Map(), config: runConfigOf(configOf()), options }, outside.ports, new AbortController().signal);
  return { ...outside, exit };
}

describe('a rollback that is run', () => {
  it('asks for the right to push, marks and moves one image after the other', async () => {
    const { exit, deeds, published } = await rollBack();
    expect([exit, deeds]).toEqual([EXIT.ok, ['probe web', 'probe base', 'put web withdrawn-2.0', 'put web latest', 'put base withdrawn-2.0', 'put base latest']]);
    expect([published.get(`${REGISTRY}/web:latest`), published.get(`${REGISTRY}/web:withdrawn-2.0`)]).toEqual([manifest('web old'), manifest('web new')]);
  });
  it('is no success when something that was asked for stays', async () => {
    const { exit, deeds } = await rollBack({ missing: 'base' });
    expect([exit, deeds]).toEqual([EXIT.failed, ['probe web', 'put web withdrawn-2.0', 'put web latest']]);
  });
  it('ends with the registry, and says that it is to be called again', async () => {
    const gone = (): void => {
      throw new RegistryError('gone', REGISTRY, 503);
    };
    const { exit, deeds, events } = await rollBack({ hooks: { putTag: gone } });
    expect([exit, deeds.filter((deed) => deed.startsWith('put'))]).toEqual([EXIT.registry, ['put web withdrawn-2.0']]);
    expect(events).toContainEqual(expect.objectContaining({ type: 'warning', image: 'base', message: ':latest was not moved: the registry is gone; roll back again' }));
  });
});
