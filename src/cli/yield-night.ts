import { EXIT } from '../shared/errors.js';
import { askForWay, PATIENCE } from './give-way.js';
import { readConfig } from './tree.js';
import type { Verb } from './verb.js';

/** Asks the night that is at work to pause, and waits until it does: then a run of one's own can begin. */
export const yieldNight: Verb = async (options, environment) => {
  const { env, pid, clock } = environment;
  const config = await readConfig(options, environment);
  const minutes = options.wait ?? PATIENCE / 60_000;
  const user = env['SUDO_USER'] ?? env['USER'] ?? env['LOGNAME'];
  const say = options.json ? () => undefined : environment.out;
  const asked = await askForWay(config, minutes * 60_000, `pid ${pid}${user === undefined ? '' : ` (${user})`}`, (heldBy) => say(`a night is at work: ${heldBy}; it pauses when what is under way has ended`), environment);
  if (options.json) environment.out(JSON.stringify(asked));
  else if (asked.way === 'free') say('no night is at work: nothing to wait for');
  else if (asked.way === 'gone') say('it has ended: nothing to wait for');
  else say(`it pauses. Begin your run: the night goes on when that has ended, or at ${new Date(clock.now() + minutes * 60_000).toISOString().slice(11, 16)} UTC if none has begun`);
  return EXIT.ok;
};
