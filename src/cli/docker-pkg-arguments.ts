import argparse from 'argparse';
import { EXIT, type ExitCode } from '../shared/errors.js';

/** What a command line of docker-pkg asks for, in ours; or what it gets printed instead, and the exit code. */
export type DockerPkgAsked =
  | {
      readonly verb: 'build' | 'prune' | 'update';
      /** The same, for build-images. */
      readonly argv: readonly string[];
      /** As it was typed. */
      readonly directory: string;
      /** What of the log goes to the terminal instead of the file; undefined: nothing. */
      readonly log: 'info' | 'debug' | undefined;
    }
  | { readonly print: string; readonly exit: ExitCode };

/** Ends the reading of a command line. */
class Ending extends Error {
  constructor(
    readonly print: string,
    readonly exit: ExitCode,
  ) {
    super(print);
  }
}

/** Python's parser, in which nothing but its own exit code and printing is changed: it would end the process. */
class Parser extends argparse.ArgumentParser {
  override print_help(): void {
    throw new Ending(this.format_help(), EXIT.ok);
  }

  override error(message: string): never {
    throw new Ending(`${this.format_usage()}${this.prog}: error: ${message}`, EXIT.usage);
  }
}

/** Reads a command line as docker-pkg 4 does, abbreviations and all. */
export function parseDockerPkgArguments(argv: readonly string[]): DockerPkgAsked {
  try {
    return translate(parser().parse_args([...argv]) as Parsed);
  } catch (error) {
    if (error instanceof Ending) return { print: error.print.trimEnd(), exit: error.exit };
    throw error;
  }
}

type Parsed = {
  readonly configfile: string;
  readonly debug: boolean;
  readonly info: boolean;
  readonly directory: string;
} & (
  | { readonly mode: 'build'; readonly nightly: boolean; readonly snapshot: boolean; readonly use_cache: boolean; readonly no_pull: boolean; readonly select: string | undefined }
  | { readonly mode: 'prune'; readonly select: string | undefined; readonly nightly: string | undefined }
  | { readonly mode: 'update'; readonly name: string; readonly reason: string | undefined; readonly version: string | undefined }
);

function parser(): argparse.ArgumentParser {
  const top = new Parser({ prog: 'docker-pkg', description: "build-images under docker-pkg 4's command line", color: false });
  top.add_argument('-c', '--configfile', { default: 'config.yaml', help: 'what the tree is told about the outside (default: config.yaml)' });
  const logging = top.add_argument_group({ title: 'the log' }).add_mutually_exclusive_group();
  logging.add_argument('--debug', { action: 'store_true', help: 'on standard error, with what is usually not worth a line' });
  logging.add_argument('--info', { action: 'store_true', help: 'on standard error, instead of ./docker-pkg-build.log' });
  const verbs = top.add_subparsers({ dest: 'mode', metavar: '{build,prune,update}', required: true, parser_class: Parser });

  const build = verbs.add_parser('build', { help: 'build what is missing, test it and publish it' });
  const dated = build.add_mutually_exclusive_group();
  dated.add_argument('--nightly', { action: 'store_true', help: 'build beside what is published, with the day behind the tag' });
  dated.add_argument('--snapshot', { action: 'store_true', help: 'the same, with day and time' });
  build.add_argument('--use-cache', { action: 'store_true', help: 'let the engine use its build cache' });
  build.add_argument('--no-pull', { action: 'store_true', help: 'use outside images that the engine has as they are' });

  const prune = verbs.add_parser('prune', { help: 'remove what is not the current version from this engine' });
  prune.add_argument('--nightly', { metavar: 'NIGHTLY_IDENTIFIER', help: 'leave this nightly build instead' });
  for (const verb of [build, prune]) verb.add_argument('--select', { metavar: 'GLOB', help: 'only images whose registry/namespace/name:tag matches' });

  const update = verbs.add_parser('update', { help: 'give an image and all that stands on it a new changelog entry' });
  update.add_argument('name', { metavar: 'NAME', help: 'the image, or a glob' });
  update.add_argument('--reason', { help: 'what the entry says' });
  update.add_argument('-v', '--version', { help: 'what the version becomes' });

  for (const verb of [update, prune, build]) verb.add_argument('directory', { metavar: 'DIRECTORY', help: 'the tree of definitions' });
  return top;
}

function translate(parsed: Parsed): DockerPkgAsked {
  const { directory } = parsed;
  const option = (name: string, value: string | undefined): readonly string[] => (value === undefined ? [] : [`--${name}=${value}`]);
  const flag = (name: string, given: boolean): readonly string[] => (given ? [`--${name}`] : []);
  const place = directory.startsWith('-') ? `./${directory}` : directory;
  const ours = (): readonly string[] => {
    switch (parsed.mode) {
      case 'build':
        return [...option('select', parsed.select), ...flag('nightly', parsed.nightly), ...flag('snapshot', parsed.snapshot), ...flag('use-cache', parsed.use_cache), ...flag('no-pull', parsed.no_pull), place];
      case 'prune':
        // Empty, as an unset variable of a script leaves it, is no night to docker-pkg.
        return [...option('select', parsed.select), ...option('nightly', parsed.nightly || undefined), place];
      case 'update':
        return [...option('reason', parsed.reason), ...option('version', parsed.version), `--dir=${directory}`, parsed.name];
    }
  };
  return {
    verb: parsed.mode,
    directory,
    log: parsed.debug ? 'debug' : parsed.info ? 'info' : undefined,
    argv: [parsed.mode, ...option('config', parsed.configfile), ...ours()],
  };
}
