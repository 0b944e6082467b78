import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { helpText } from '../src/cli/args.js';
import { EXIT, EXIT_MEANING } from '../src/shared/errors.js';
import { importCycles, loadedWith, PROJECT, readSource, readSources, type SourceFile } from './support/source-tree.js';

const sources = readSources();
const byPath = new Map(sources.map((source) => [source.path, source]));

/** Each stage knows those before it. */
const STAGES = ['shared', 'definition', 'packages', 'graph', 'lint', 'state', 'plan', 'execute', 'report'];
const PURE = new Set(STAGES);
/** What an adapter implements is declared in these. */
const PORTS = new Set(['definition', 'packages', 'lint', 'state', 'execute']);
const EDGE = new Set(['shared', 'adapters', 'cli']);
/** What all programs share of being a process. */
const PROCESS_EDGE = 'run-process.ts';
/** The programs: what package.json's bin and scripts/bundle.mjs make of `src`. */
const PROGRAMS = ['main.ts', 'docker-pkg.ts'];

function stageOf(target: string): string {
  return byPath.get(target)?.stage ?? 'nowhere';
}

/** A file of words alone: whoever loads it loads nothing else of ours, but for shared. */
function isLeaf(target: string): boolean {
  return byPath.get(target)!.imports.every(({ mode, isPackage, target: next }) => mode === 'type' || isPackage || stageOf(next) === 'shared');
}

/** Whether one file may import another. */
function mayImport(from: SourceFile, mode: 'type' | 'value' | 'dynamic', target: string): boolean {
  const to = stageOf(target);
  if (from.stage === 'main') return EDGE.has(to) || target === PROCESS_EDGE;
  if (from.stage === 'cli') return to !== 'main';
  if (from.stage === 'adapters') return to === 'shared' || to === 'adapters' || (PORTS.has(to) && (mode === 'type' || isLeaf(target)));
  return PURE.has(to) && STAGES.indexOf(to) <= STAGES.indexOf(from.stage);
}

/** `path: what`, for everything of some files that breaks a rule. */
function broken(files: readonly SourceFile[], rule: (file: SourceFile) => readonly string[]): readonly string[] {
  return files.flatMap((file) => rule(file).map((what) => `src/${file.path}: ${what}`));
}

describe('the stages', () => {
  it('shared ← definition ← packages ← graph ← lint ← state ← plan ← execute ← report; adapters know shared and ports; cli knows all', () => {
    expect(broken(sources, (file) => file.imports.filter(({ isPackage, mode, target }) => !isPackage && !mayImport(file, mode, target)).map(({ mode, target }) => `${mode} of ${target}`))).toEqual([]);
  });
  it('every folder of src is one of them', () => {
    expect([...new Set(sources.map(({ stage }) => stage))].sort()).toEqual([...STAGES, 'adapters', 'cli', 'main'].sort());
  });
  it('imports go round in no circle', () => {
    expect(importCycles(sources)).toEqual([]);
  });
  it.each([
    ['a plan that runs something', 'plan/x.ts', `import { runPlan } from '../execute/run-plan.js';`],
    ['a plan that reads the type of an event', 'plan/x.ts', `import type { Event } from '../execute/event.js';`],
    ['a stage that touches an adapter', 'execute/x.ts', `const { tryLock } = await import('../adapters/lock.js');`],
    ['an adapter that decides', 'adapters/x.ts', `import { planBuild } from '../plan/build.js';`],
    ['an adapter that runs a stage', 'adapters/x.ts', `export { runPlan } from '../execute/run-plan.js';`],
  ])('%s would be noticed', (_, path, text) => {
    const file = readSource(path, text);
    expect(file.imports.map(({ mode, target }) => mayImport(file, mode, target))).toEqual([false]);
  });
});

describe('what computes touches nothing', () => {
  const allowed = /^node:(crypto|path|path\/posix)$/;
  const forbidden = ['process', 'console', 'setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'fetch', 'performance', 'globalThis', 'Date.now', 'Math.random', 'new Date()', 'randomUUID', 'randomBytes', 'randomInt'];
  const touches = (file: SourceFile): readonly string[] => [
    ...file.imports.filter(({ isPackage, mode, target }) => isPackage && mode !== 'type' && target.startsWith('node:') && !allowed.test(target)).map(({ target }) => target),
    ...forbidden.filter((name) => file.uses.has(name)),
  ];

  it('no file system, no network, no process, no timer, no clock, no chance, no output', () => {
    expect(broken(sources.filter(({ stage }) => PURE.has(stage)), touches)).toEqual([]);
  });
  it('the process is for the edge alone, and its module for adapters', () => {
    expect(broken(sources, (file) => (file.path !== PROCESS_EDGE && file.uses.has('process') ? ['process'] : []))).toEqual([]);
    expect(broken(sources, (file) => (file.stage === 'main' || file.stage === 'adapters' ? [] : file.imports.filter(({ target }) => target === 'node:process').map(({ target }) => target)))).toEqual([]);
  });
  it.each([
    ['the clock', 'const now = Date.now();', 'Date.now'],
    ['the clock, otherwise', 'const now = new Date();', 'new Date()'],
    ['the disk', `import { readFileSync } from 'node:fs';`, 'node:fs'],
    ['the disk, late', `const { readFile } = await import('node:fs/promises');`, 'node:fs/promises'],
    ['the environment', `const { HOME } = process.env;`, 'process'],
    ['chance', 'const x = { random: Math.random };', 'Math.random'],
  ])('%s would be noticed', (_, text, found) => {
    expect(touches(readSource('plan/x.ts', text))).toEqual([found]);
  });
  it('a word, a member and a comment of such a name are none', () => {
    expect(touches(readSource('plan/x.ts', `/* process.env */ const x = { process: 'Date.now()' }; x.process; new Date(0); import type { Stats } from 'node:fs';`))).toEqual([]);
  });
});

describe('libraries', () => {
  const usersOf = (library: RegExp, mayUse: (file: SourceFile) => boolean): readonly string[] =>
    broken(sources.filter((file) => !mayUse(file)), (file) => file.imports.filter(({ isPackage, target }) => isPackage && library.test(target)).map(({ target }) => target));

  it('only cli/args.ts knows yargs', () => {
    expect(usersOf(/^yargs/, ({ path }) => path === 'cli/args.ts')).toEqual([]);
  });
  it('only cli/docker-pkg-arguments.ts knows argparse', () => {
    expect(usersOf(/^argparse/, ({ path }) => path === 'cli/docker-pkg-arguments.ts')).toEqual([]);
  });
  it('only adapters know the engine\'s and the wire\'s', () => {
    expect(usersOf(/^(docker-modem|@grpc\/|protobufjs)/, ({ stage }) => stage === 'adapters')).toEqual([]);
  });
  it.each(PROGRAMS)('heavy ones are not loaded with %s', (program) => {
    const heavy = /^(docker-modem|@grpc\/|protobufjs|minijinja-js|dockerfile-ast|dockerfile-utils|js-yaml|yargs|argparse|valibot|@dagrejs\/|minimatch|modern-tar|tar\/parse|fzstd|log-update|string-width|cli-truncate)/;
    expect([...loadedWith(program, sources)].filter(([target]) => heavy.test(target)).map(([target, by]) => `${target}, asked for by ${by}`)).toEqual([]);
  });
  it('a heavy one that loads with the start would be noticed', () => {
    const files = [readSource('main.ts', `import { a } from './cli/a.js';`), readSource('cli/a.ts', `import { b } from '../shared/b.js'; const { default: yargs } = await import('yargs');`), readSource('shared/b.ts', `import { load } from 'js-yaml';`)];
    expect([...loadedWith('main.ts', files).keys()]).toEqual(['main.ts', 'cli/a.ts', 'shared/b.ts', 'js-yaml']);
  });
});

describe('the exit codes', () => {
  it('each has one meaning', () => {
    expect(Object.values(EXIT).map(String).sort()).toEqual(Object.keys(EXIT_MEANING).sort());
  });
  it('README says the same: a table "| exit | means |", one row for each', () => {
    const readme = join(PROJECT, 'README.md');
    const lines = existsSync(readme) ? readFileSync(readme, 'utf8').split('\n') : [];
    const head = lines.findIndex((line) => /^\|\s*exit\s*\|\s*means\s*\|\s*$/i.test(line));
    const rows: [string, string][] = [];
    for (let at = head + 2; head >= 0 && lines[at]?.startsWith('|') === true; at++) {
      const [code = '', means = ''] = lines[at]!.slice(1).split('|').map((cell) => cell.replaceAll('`', '').trim());
      rows.push([code, means]);
    }
    expect(Object.fromEntries(rows)).toEqual(EXIT_MEANING);
    expect(rows).toHaveLength(Object.keys(EXIT_MEANING).length);
  });
  it('--help says the same', () => {
    const text = helpText(undefined);
    const rows = text.slice(text.indexOf('Exit codes:')).split('\n').slice(1).map((line) => /^ +(\d+) {2}(.*)$/.exec(line)!.slice(1));
    expect(Object.fromEntries(rows)).toEqual(EXIT_MEANING);
  });
});

describe('how files look', () => {
  it('their names are kebab-case, and say what they define', () => {
    expect(broken(sources, ({ path }) => (/^(?:[a-z-]+\/)*[a-z0-9]+(?:-[a-z0-9]+)*\.ts$/.test(path) && !/\/(?:utils?|helpers?|types?|index|manager|service|common|misc)\.ts$/.test(path) ? [] : ['its name']))).toEqual([]);
  });
  it('none is longer than 400 lines', () => {
    expect(broken(sources, ({ text }) => (text.split('\n').length - 1 > 400 ? [`${text.split('\n').length - 1} lines`] : []))).toEqual([]);
  });
  it('everything exported says what it means', () => {
    const declaration = /^export (?:default )?(?:abstract |async |declare )*(?:function\*?|const|let|class|type|interface|enum) +([A-Za-z0-9_$]+)/;
    expect(
      broken(sources, ({ text }) => {
        const lines = text.split('\n');
        return lines.flatMap((line, at) => {
          const name = declaration.exec(line)?.[1];
          return name === undefined || lines[at - 1]?.trimEnd().endsWith('*/') === true ? [] : [name];
        });
      }),
    ).toEqual([]);
  });
  it('kinds differ in reading a definition, in its digest and in one place of making it: a new kind is a few edits', () => {
    const mayDiffer = ({ path, stage }: SourceFile): boolean => stage === 'definition' || path === 'execute/build-image.ts';
    expect(broken(sources.filter((file) => !mayDiffer(file)), ({ comparedKinds }) => comparedKinds.filter((word) => ['base', 'production', 'stack', 'service'].includes(word)))).toEqual([]);
  });
  it('a kind that is asked for elsewhere would be noticed', () => {
    const text = `if (node.definition.recipe.kind === 'base') go(); switch (recipe?.kind) { case 'stack': break; } if ('production' !== kind) go();`;
    expect(readSource('plan/x.ts', text).comparedKinds).toEqual(['base', 'stack', 'production']);
  });
});
