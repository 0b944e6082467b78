import { resolve } from 'node:path';
import { EXIT, type ExitCode } from '../shared/errors.js';
import type { DockerPkgLog } from './docker-pkg-log.js';
import type { Environment } from './environment.js';
import { sayFaults } from './run-command-line.js';
import type { Showing } from './watch-run.js';

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
      const { parseArguments } = await import('./args.js');
      const translated = await parseArguments(asked.argv, environment.cwd);
      if ('print' in translated) throw new Error(`not a command line: ${asked.argv.join(' ')}`);
      asks(translated.verb);
      environment.out(`== Step 0: scanning ${resolve(environment.cwd, asked.directory)} ==`);
      const { buildShown } = await import('./build.js');
      return buildShown(await showBuild(log))(translated.options, saying('WARNING'));
    });
  } finally {
    log.close();
  }
}

/** Headings and lines on standard output, why something failed on standard error, all of it in the log. */
async function showBuild(log: DockerPkgLog): Promise<Showing> {
  const [{ createDockerPkgView }, { createLogView }, { LOG_FILE }, { watchLive }] = await Promise.all([
    import('../report/docker-pkg-lines.js'),
    import('../report/log-lines.js'),
    import('./docker-pkg-log.js'),
    import('./watch-run.js'),
  ]);
  const [view, logView] = [createDockerPkgView(), createLogView()];
  const goodbye = log.inFile() ? [`You can see the logs at ${LOG_FILE}`] : [];
  return {
    plan(plan, _, { out }) {
      for (const line of [...view.nothingToDo(plan), ...goodbye]) out(line);
      for (const { level, text } of logView.plan(plan)) log.say(level, text);
    },
    async watch(_, environment, { redact }) {
      const { terminal, out } = environment;
      const live = terminal === undefined ? undefined : await watchLive(terminal, environment, redact);
      return {
        tell(event) {
          live?.tell(event);
          for (const line of view.lines(event)) out(redact(line));
          for (const { level, text } of logView.lines(event)) log.say(level, redact(text));
          if (event.type === 'run-finished') goodbye.forEach(out);
        },
        show: (progress) => live?.show(progress),
        output: (image, line) => log.line('INFO', redact(line), image),
      };
    },
  };
}
