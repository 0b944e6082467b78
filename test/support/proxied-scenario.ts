import { startFaultyRegistry, type FaultyRegistry } from './faulty-registry.js';
import { openScenario, type Scenario, type ScenarioOptions } from './scenario.js';

/** A scenario whose config names a bad line in front of its registry. Close the line after the scenario. */
export async function openProxiedScenario(options: ScenarioOptions = {}): Promise<{ readonly scenario: Scenario; readonly line: FaultyRegistry }> {
  const upstream = { url: '' };
  const line = await startFaultyRegistry(upstream);
  const scenario = await openScenario({ ...options, host: line.host });
  upstream.url = scenario.registry.url;
  return { scenario, line };
}
