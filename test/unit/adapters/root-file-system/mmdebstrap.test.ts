import { describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import type { RootFs } from '../../../../src/definition/rootfs.js';
import { MMDEBSTRAP } from '../../../../src/adapters/root-file-system/mmdebstrap.js';
import { rootFsOf } from '../../../support/rootfs.js';

const rootfs: RootFs = { ...rootFsOf('suite: trixie\ncomponents: [main, contrib]\n'), include: ['tzdata', "odd'$(name)"] };
const made = (change: Partial<RootFs> = {}, mergedUsr = false): readonly string[] => MMDEBSTRAP.install({ ...rootfs, ...change }, { mergedUsr, sources: 'Types: deb\n', keyring: '/keys.gpg', proxy: undefined, folder: '/work' });
const hooks = [...MMDEBSTRAP.resolve(rootfs, '/somewhere', '/keys.gpg'), ...made()].filter((argument) => /^--[a-z]+-hook=/.test(argument)).map((argument) => argument.replace(/^[^=]*=/, ''));

describe('mmdebstrap', () => {
  it.each(hooks.map((hook, index) => [index, hook]))('hook %i is a script that a shell can read', (_, hook) => {
    expect(spawnSync('sh', ['-n', '-c', String(hook)], { encoding: 'utf8' }).stderr).toBe('');
  });
  it('a name with a quote stays one word', () => {
    expect(hooks.join()).toContain(`'odd'\\''$(name)'`);
  });
  it('every exclusion has the form that mmdebstrap itself heeds', () => {
    const exclusions = made().filter((argument) => argument.startsWith('--dpkgopt=path'));
    expect(exclusions.length).toBeGreaterThan(5);
    for (const exclusion of exclusions) expect(exclusion).toMatch(/^--dpkgopt=path-(?:exclude|include)=\/usr\/share\//);
  });
  it('without mirrors nothing but the suite is named, so that mmdebstrap takes its own with updates and security', () => {
    expect(made().slice(-2)).toEqual(['trixie', '-']);
    expect(MMDEBSTRAP.resolve(rootfs, '/somewhere', '/keys.gpg').slice(-2)).toEqual(['trixie', '/somewhere']);
  });
  it('a mirror serves the suite and the suites beside it', () => {
    const mirrors = ['http://archive.example.org/debian', 'http://b.example.org/debian'];
    expect(made({ mirrors, suites: ['trixie-updates'] }).slice(-5)).toEqual(['-', ...mirrors.flatMap((mirror) => [mirror, `deb ${mirror} trixie-updates main contrib`])]);
  });
  it('the merged-usr hook is there only where it is needed', () => {
    const isHook = (argument: string): boolean => argument.startsWith('--hook-dir=');
    expect(made({}, false).some(isHook)).toBe(false);
    expect(made({}, true).some(isHook)).toBe(true);
  });
});
