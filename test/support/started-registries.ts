import { afterEach } from '@jest/globals';
import { createRegistry, type RegistryOptions } from '../../src/adapters/registry/registry.js';
import { quickClock } from './quick-clock.js';
import { testOptions } from './registry-contract.js';
import { startRegistry, type RegistryFixture, type RegistryOptions as FixtureOptions } from './registry-fixture.js';

/** Registries and clients of one test file, which end with the test that started them. */
export type StartedRegistries = {
  /** What else is to be ended, the last first. */
  readonly stops: (() => Promise<unknown> | void)[];
  started(options?: FixtureOptions): Promise<RegistryFixture>;
  client(more?: Partial<RegistryOptions>): ReturnType<typeof createRegistry>;
};

/** Call once in a test file, outside of its tests. */
export function startedRegistries(): StartedRegistries {
  const stops: (() => Promise<unknown> | void)[] = [];
  afterEach(async () => {
    for (const stop of stops.splice(0).reverse()) await stop();
  });
  return {
    stops,
    async started(options) {
      const registry = await startRegistry(options);
      stops.push(() => registry.stop());
      return registry;
    },
    client(more = {}) {
      const registry = createRegistry(testOptions({ clock: quickClock(0), ...more }));
      stops.push(() => registry.close());
      return registry;
    },
  };
}
