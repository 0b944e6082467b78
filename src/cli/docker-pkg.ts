import { isAbsolute } from 'node:path';
import { EXIT, type ExitCode } from '../shared/errors.js';
import type { Environment } from './environment.js';
import { sayFaults } from './run-command-line.js';

/** The program `docker-pkg`: docker-pkg 4's command line, headings and log, for what build-images does. Resolves to the exit code. */
export async function runDockerPkg(argv: readonly string[], environment: Environment): Promise<ExitCode> {
  const { parseDockerPkgArguments } = await import('./docker-pkg-arguments.js');
  const asked = parseDockerPkgArguments(argv);
  if ('print' in asked) {
    (asked.exit === EXIT.ok ? environment.out : environment.err)(asked.print);
    return asked.exit;
  }
  const { openDockerPkgLog } = await import('./docker-pkg-log.js');
  const log = openDockerPkgLog(asked.log, environment);
  const saying = (level: 'WARNING' | 'ERROR'): Environment => ({ ...environment, err: (line) => log.say(level, line) });
  try {
    return await sayFaults(saying('ERROR'), async (asks) => {
      const [{ parseArguments }, { DOCKER_PKG_VERBS }] = await Promise.all([import('./args.js'), import('./docker-pkg-verbs.js')]);
      const translated = await parseArguments(asked.argv, environment.cwd);
      if ('print' in translated) throw new Error(`not a command line: ${asked.argv.join(' ')}`);
      asks(translated.verb);
      // As docker-pkg writes it: `images/` stays so, and the heading of an update is left open.
      environment.out(`== Step 0: scanning ${isAbsolute(asked.directory) ? asked.directory : `${environment.cwd}/${asked.directory}`}${asked.verb === 'update' ? '' : ' =='}`);
      const verb = await DOCKER_PKG_VERBS[asked.verb](log);
      return verb(translated.options, saying('WARNING'));
    });
  } finally {
    log.close();
  }
}
