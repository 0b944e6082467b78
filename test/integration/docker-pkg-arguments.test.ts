import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseDockerPkgArguments } from '../../src/cli/docker-pkg-arguments.js';
import { pythonWithDockerPkg } from '../support/python-with-docker-pkg.js';

/** What docker-pkg's own parser says; `exit` alone: it printed something and ended. */
type Theirs = { readonly exit: number } | ({ readonly exit?: undefined; readonly mode: string | null; readonly configfile: string; readonly debug: boolean; readonly info: boolean; readonly directory: string; readonly select: string | null } & Readonly<Record<string, unknown>>);

/** The same in our words. Without a verb docker-pkg ends with a traceback. */
function inOurWords(theirs: Theirs): unknown {
  if (theirs.exit !== undefined) return { exit: theirs.exit };
  const { mode, configfile, debug, info, directory, select } = theirs;
  if (mode === null) return { exit: 2 };
  const option = (name: string, value: unknown): readonly string[] => (value === null || value === undefined || value === false ? [] : [`--${name}${value === true ? '' : `=${String(value)}`}`]);
  const place = String(directory).startsWith('-') ? `./${directory}` : directory;
  const rest =
    mode === 'update'
      ? [...option('reason', theirs['reason'] === 'Security update' ? undefined : theirs['reason']), ...option('version', theirs['version']), `--dir=${directory}`, select!]
      : [
          ...option('select', select),
          ...option('nightly', theirs['nightly']),
          ...(mode === 'prune' ? [] : [...option('snapshot', theirs['snapshot']), ...option('use-cache', theirs['nocache'] === false), ...option('no-pull', theirs['pull'] === false)]),
          place,
        ];
  return { verb: mode, directory, log: debug ? 'debug' : info ? 'info' : undefined, argv: [mode, `--config=${configfile}`, ...rest] };
}

function ours(argv: readonly string[]): unknown {
  const asked = parseDockerPkgArguments(argv);
  return 'print' in asked ? { exit: asked.exit } : asked;
}

/** Words that belong together; what is behind the bar is typed less often, and mostly wrong. */
const unit = (right: string, wrong: string) => fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...right.split(', ')) }, { weight: 1, arbitrary: fc.constantFrom(...wrong.split(', ')) }).map((words) => words.split(' '));
const some = (right: string, wrong: string, maxLength: number) => fc.array(unit(right, wrong), { maxLength }).map((units) => units.flat());
const top = some('-c x.yaml, -cx.yaml, --configfile x.yaml, --conf=x.yaml, --debug, --info, --inf', '-c, -h, --version, -x, x.yaml, --config=', 2);
const ODD = 'images, -, -1, --, --unknown, --unknown=1, -c x.yaml, --debug';
const BEHIND = {
  build: some('--nightly, --night, --snap, --use-cache, --use, --no-pull, --no-p, --select *a*, --sel *, --select=*a*, --select=', `-s, --select, --use-cache=1, -h, --help, --reason x, ${ODD}`, 3),
  prune: some('--select *b*, --sel=*b*, --nightly 20261120, --nightly=20261120, --n 20261120', `--nightly, --snapshot, --no-pull, ${ODD}`, 2),
  update: some('--reason x, --reason=x, --rea x, -v 1.0, -v1.0, -v=1, --version 2.0, --version=2.0, --ver 1, name', `--v, -v, --reason, --nightly, ${ODD}`, 3),
} as const;
const words = fc.oneof({ weight: 6, arbitrary: fc.constant(['images']) }, fc.constantFrom([], ['a', 'b'], ['']));
const line = fc.oneof(
  ...(['build', 'prune', 'update'] as const).map((verb) => ({ weight: 8, arbitrary: fc.tuple(top, BEHIND[verb], words, BEHIND[verb]).map(([before, behind, images, last]) => [...before, verb, ...(verb === 'update' ? ['name'] : []), ...behind, ...images, ...last]) })),
  { weight: 1, arbitrary: fc.tuple(top, fc.constantFrom([], ['b', 'images'], ['images'])).map(([before, behind]) => [...before, ...behind]) },
);

describe("docker-pkg's command line, with docker-pkg itself as the judge", () => {
  it('1,000 command lines are taken as it takes them, or refused as it refuses them', () => {
    const python = pythonWithDockerPkg();
    if (python === undefined) {
      // No package index to be had: the unit tests have a table of the same.
      console.warn('docker-pkg could not be installed: it was not asked');
      return;
    }
    const lines = fc.sample(line, { seed: 20261121, numRuns: 1000 });
    const script = fileURLToPath(new URL('../support/parse-with-docker-pkg.py', import.meta.url));
    const theirs = JSON.parse(execFileSync(python, [script], { input: JSON.stringify(lines), encoding: 'utf8', maxBuffer: 1 << 26 })) as Theirs[];
    const answers = theirs.map(inOurWords);
    expect(answers.filter((answer) => 'argv' in (answer as object)).length).toBeGreaterThan(400);
    const differing = lines.flatMap((argv, at) => (JSON.stringify(ours(argv)) === JSON.stringify(answers[at]) ? [] : [{ argv, ours: ours(argv), theirs: answers[at] }]));
    expect(differing).toEqual([]);
  }, 300_000);
});
