import { describe, expect, it } from '@jest/globals';
import { decidePublishing, formatPublishing } from '../../../src/plan/publishing.js';
import { configOf } from '../../support/tree-in-memory.js';

const LOGIN = 'username: builder\npassword: secret\n';
const said = (lines: string, wanted: boolean | undefined, login?: string): string => formatPublishing(decidePublishing(configOf(lines), wanted, login)).join('\n');

describe('whether a run publishes', () => {
  it.each([
    ['--no-publish wins over everything', `publish: true\n${LOGIN}`, false, 'not publishing: --no-publish'],
    ['--publish wins over the config', 'publish: false\n', true, 'publishing to registry.example.org as builder'],
    ['publish: true', 'publish: true\n', undefined, 'publishing to registry.example.org as builder'],
    ['publish: false wins over credentials', `publish: false\n${LOGIN}`, undefined, 'not publishing: publish: false in config.yaml'],
    ["docker-pkg's rule: credentials in the config", LOGIN, undefined, 'publishing to registry.example.org as builder'],
    ['a login of docker alone is no decision', '', undefined, 'not publishing: neither "publish: true" nor username and password in config.yaml; --publish publishes'],
  ])('%s', (_, lines, wanted, line) => expect(said(lines, wanted, 'builder')).toBe(line));
  it('names the namespace, and nobody when no credentials were found', () => {
    expect(said('namespace: base\n', true)).toBe('publishing to registry.example.org/base');
  });
  it('never shows a password', () => {
    expect(JSON.stringify(decidePublishing(configOf(LOGIN), undefined, 'builder'))).not.toContain('secret');
  });
});
