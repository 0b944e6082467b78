import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { helpText, parseArguments } from '../../../src/cli/args.js';
import type { Options } from '../../../src/cli/verb.js';
import { VERBS } from '../../../src/cli/verbs.js';
import { UsageError } from '../../../src/shared/errors.js';

let cwd: string;
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), 'build-images-args-'));
  mkdirSync(join(cwd, 'images'));
  mkdirSync(join(cwd, 'other'));
  writeFileSync(join(cwd, 'file'), '');
});
afterAll(() => rmSync(cwd, { recursive: true }));

const parse = (line: string) => parseArguments(line.split(' ').filter((word) => word !== ''), cwd);
const optionsOf = async (line: string): Promise<Options> => {
  const asked = await parse(line);
  if ('print' in asked) throw new Error('it prints');
  return asked.options;
};

describe('parseArguments', () => {
  it('takes no word at all for build, with everything as it usually is', async () => {
    expect(await parse('')).toMatchObject({
      verb: 'build',
      options: { directory: 'images', directoryGiven: false, images: [], config: 'config.yaml', select: [], jobs: undefined, publish: undefined, dryRun: false, rebuild: false, onError: 'continue', useCache: false, noPull: false, strict: false, json: false, verbose: false, all: false, check: false },
    });
  });
  it.each<[string, string, Partial<Options>]>([
    ['build', 'build', {}],
    ['other', 'build', { directory: 'other' }],
    ['build other', 'build', { directory: 'other' }],
    ['plan other', 'plan', { directory: 'other' }],
    ['list', 'list', {}],
    ['render web', 'render', { images: ['web'] }],
    ['render web other', 'render', { images: ['web'], directory: 'other' }],
    ['render --all', 'render', { all: true }],
    ['render --all other', 'render', { all: true, directory: 'other' }],
    ['promote web', 'promote', { images: ['web'] }],
    ['promote web --dry-run', 'promote', { images: ['web'], dryRun: true }],
    ['update web', 'update', { images: ['web'] }],
    ['update web api other', 'update', { images: ['web', 'api'], directory: 'other' }],
    ['update web api', 'update', { images: ['web', 'api'] }],
    ['update other', 'update', { images: ['other'] }],
    ['update web other --dir images', 'update', { images: ['web', 'other'], directory: 'images', dir: 'images' }],
    ['update --stdin', 'update', { stdin: true }],
    ['update --stdin other', 'update', { stdin: true, directory: 'other' }],
    ['update --stdin web', 'update', { stdin: true, images: ['web'] }],
    ['update web -v 1.0', 'update', { images: ['web'], version: '1.0' }],
    ['update web --version 1.0 --verbose', 'update', { images: ['web'], version: '1.0', verbose: true }],
    ['-v update web', 'update', { images: ['web'], verbose: true }],
    ['update web --reason why --exclude a --exclude b --commit --dry-run', 'update', { images: ['web'], reason: 'why', exclude: ['a', 'b'], commit: true, dryRun: true }],
    ['prune --dry-run=true', 'prune', { dryRun: true }],
    ['plan --check=false', 'plan', { check: false }],
    ['-c a.yaml', 'build', { config: 'a.yaml' }],
    ['--config=a.yaml', 'build', { config: 'a.yaml' }],
    ['--config a.yaml --config b.yaml', 'build', { config: 'b.yaml' }],
    ['--select *a* --select *b*', 'build', { select: ['*a*', '*b*'] }],
    ['--select 12', 'build', { select: ['12'] }],
    ['-j 3', 'build', { jobs: 3 }],
    ['--jobs 3 --jobs 4', 'build', { jobs: 4 }],
    ['--publish', 'build', { publish: true }],
    ['--no-publish', 'build', { publish: false }],
    ['--publish --no-publish', 'build', { publish: false }],
    ['--dry-run', 'build', { dryRun: true }],
    ['--rebuild --select *a*', 'build', { rebuild: true, select: ['*a*'] }],
    ['--on-error stop', 'build', { onError: 'stop' }],
    ['--on-error continue', 'build', { onError: 'continue' }],
    ['--use-cache', 'build', { useCache: true }],
    ['--no-pull', 'build', { noPull: true }],
    ['--pull', 'build', { noPull: false }],
    ['--strict', 'build', { strict: true }],
    ['--json', 'build', { json: true }],
    ['-v', 'build', { verbose: true }],
    ['--verbose', 'build', { verbose: true }],
    ['-c a.yaml build other', 'build', { config: 'a.yaml', directory: 'other' }],
    ['-c a.yaml plan', 'plan', { config: 'a.yaml' }],
    ['--config=a.yaml --json list other', 'list', { config: 'a.yaml', json: true, directory: 'other' }],
    ['--select plan', 'build', { select: ['plan'] }],
    ['-v render 007', 'render', { images: ['007'], verbose: true }],
    ['plan --all --check', 'plan', { all: true, check: true }],
    ['plan --select *a* --no-publish --strict --json', 'plan', { select: ['*a*'], publish: false, strict: true, json: true }],
    ['--json other', 'build', { json: true, directory: 'other' }],
  ])('%s', async (line, verb, options) => expect(await parse(line)).toEqual({ verb, options: { ...(await optionsOf('')), ...options, directoryGiven: 'directory' in options } }));
  it.each(['--version', 'plan --version'])('%s prints the version and does nothing', async (line) => {
    expect(await parse(line)).toEqual({ print: 'from source' });
  });
  it.each([
    ['--help', 'Verbs ('],
    ['-h', 'Verbs ('],
    ['help', 'Verbs ('],
    ['plan --help', 'plan [DIRECTORY]'],
    ['promote -h', 'promote IMAGE'],
  ])('%s prints the help and does nothing', async (line, words) => expect(await parse(line)).toEqual({ print: expect.stringContaining(words) }));
});

describe('a command line that is wrong', () => {
  it.each([
    ['paln', '"paln" is neither a verb nor a directory (near: plan)'],
    ['othre', '"othre" is neither a verb nor a directory (near: other)'],
    ['file', '"file" is neither a verb nor a directory'],
    ['-v paln', '"paln" is neither a verb nor a directory (near: plan)'],
    ['plan nowhere', 'nowhere is not a directory'],
    ['plan file', 'file is not a directory'],
    ['plan images other', '"other" is one word too many'],
    ['--selekt x', 'there is no option --selekt (near: --select)'],
    ['--no-publsh', 'there is no option --no-publsh (near: --no-publish)'],
    ['-x', 'there is no option -x'],
    ['list --rebuild', '--rebuild is no option of list'],
    ['render web --no-pull', '--no-pull is no option of render'],
    ['plan -j 2', 'there is no option -j'],
    ['render', 'render which image? (or --all)'],
    ['promote', 'promote which image?'],
    ['update', 'update which image?'],
    ['update web --dir nowhere', 'nowhere is not a directory'],
    ['update web -v', '-v needs a value'],
    ['--jobs 0', '--jobs takes a whole number from 1'],
    ['--jobs 1.5', '--jobs takes a whole number from 1'],
    ['--jobs many', '--jobs takes a whole number from 1'],
    ['--on-error later', '--on-error takes continue or stop, not "later"'],
    ['--config', '--config needs a value'],
    ['--select', '--select needs a value'],
    ['--rebuild', '--rebuild needs --select'],
    ['--nightly=20261120', '--nightly takes no value, it is there or not: not "--nightly=20261120"'],
    ['prune --dry-run=1', '--dry-run takes no value'],
    ['update web --dry-run=yes', '--dry-run takes no value'],
    ['plan --check=', '--check takes no value'],
    ['--publish=1', '--publish takes no value'],
    ['--no-publish=yes', '--no-publish takes no value'],
    ['-v=1', '-v takes no value'],
  ])('%s', async (line, message) => {
    const fault = await parse(line).then(() => undefined, (error: unknown) => error);
    expect(fault).toBeInstanceOf(UsageError);
    expect((fault as UsageError).message).toContain(message);
    expect([(fault as UsageError).exit, (fault as UsageError).message.includes('\n')]).toEqual([2, false]);
  });
});

describe('the help', () => {
  it('tells of every verb, and of every option that it takes', () => {
    for (const [verb, { summary }] of Object.entries(VERBS)) expect(helpText(undefined)).toMatch(new RegExp(`build-images \\[?${verb}.*${summary.slice(0, 20)}`));
    for (const option of ['-c, --config FILE', '--select GLOB', '-j, --jobs N', '--publish, --no-publish', '--dry-run', '--rebuild', '--on-error continue|stop', '--use-cache', '--no-pull', '--strict', '--json', '-v, --verbose', '--all', '--check', '-h, --help', '--version']) {
      expect(helpText(undefined)).toContain(`  ${option} `);
    }
  });
  it('of a verb tells only of its own options', () => {
    expect(helpText('list')).toContain('--select');
    expect(helpText('list')).not.toContain('--rebuild');
    expect(helpText('plan')).toContain('--check');
  });
});
