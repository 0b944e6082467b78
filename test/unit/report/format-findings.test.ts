import { describe, expect, it } from '@jest/globals';
import type { Finding } from '../../../src/lint/finding.js';
import { RULE_NAMES } from '../../../src/lint/rules.js';
import { formatFinding, formatLintSummary, formatMending } from '../../../src/report/format-findings.js';
import { findingsToSarif } from '../../../src/report/format-sarif.js';
import { writeFile } from '../../../src/plan/write-file.js';

const FINDING: Finding = { rule: 'stale-parent', level: 'warning', path: 'images/a b/control', line: 3, image: 'ns/a', message: 'm', mends: true };
const ERROR: Finding = { rule: 'secret-in-file', level: 'error', path: '/x/y', image: undefined, message: 'n' };
const NOTE: Finding = { rule: 'version-order', level: 'note', path: FINDING.path, line: 3, image: 'ns/a', message: 'm' };

describe('findings as people see them', () => {
  it.each([
    [FINDING, 'images/a b/control:3: warning: m [stale-parent]'],
    [ERROR, '/x/y: error: n [secret-in-file]'],
    [{ ...NOTE, path: 'a\nb\x1b[31m' }, 'a b [31m:3: note: m [version-order]'],
  ])('one line each', (finding, line) => expect(formatFinding(finding)).toBe(line));
  it.each([
    [[], 1, ['nothing found in 1 definition.']],
    [[ERROR, NOTE, NOTE], 1200, ['', '1 error, 2 notes in 1,200 definitions.']],
    [[FINDING], 2, ['', '1 warning in 2 definitions.   build-images lint --fix mends one of them.']],
    [[FINDING, FINDING], 2, ['', '2 warnings in 2 definitions.   build-images lint --fix mends up to 2 of them.']],
  ])('and the sum', (findings, images, lines) => expect(formatLintSummary(findings, images)).toEqual(lines));
  it('what is written, and why', () => {
    const step = (path: string, added: readonly string[], removed: readonly string[]) => writeFile(path, 'x', 'y', [{ why: 'parents-differ', added, removed }]);
    expect(formatMending([step('a', ['x'], []), step('bcd', [], ['y', 'z'])], false)).toEqual(['a    names x', 'bcd  no longer y, z', '', '2 files written.']);
    expect(formatMending([step('a', ['x'], [])], true).at(-1)).toBe('1 file would be written; nothing was changed.');
    expect(formatMending([], true)).toEqual(['nothing to mend.']);
  });
});

describe('findings in SARIF', () => {
  const { runs, version, $schema } = findingsToSarif([FINDING, ERROR], '1.2.3');
  const [run] = runs;
  it('is one run of one version', () => {
    expect([version, runs.length, run!.tool.driver.name, run!.tool.driver.version]).toEqual(['2.1.0', 1, 'build-images', '1.2.3']);
    expect($schema).toMatch(/^https:\/\/.*sarif-2\.1\.0\.json$/);
  });
  it('knows every rule, with its level, what it finds and where help is', () => {
    const rules = run!.tool.driver.rules!;
    expect(rules.map(({ id }) => id)).toEqual(RULE_NAMES);
    for (const { id, shortDescription, help, defaultConfiguration } of rules) {
      expect([id, shortDescription!.text.length > 10, help!.text, /^(?:error|warning|note)$/.test(defaultConfiguration!.level!)]).toEqual([id, true, `docs/lint.md#${id}`, true]);
    }
  });
  it('each result names its rule by name and place, and its file as a URI', () => {
    expect(run!.results!.map(({ ruleId, ruleIndex, level, message }) => [run!.tool.driver.rules![ruleIndex!]!.id === ruleId, level, message.text])).toEqual([[true, 'warning', 'm'], [true, 'error', 'n']]);
    expect(run!.results!.map(({ locations }) => locations![0]!.physicalLocation)).toEqual([{ artifactLocation: { uri: 'images/a%20b/control' }, region: { startLine: 3 } }, { artifactLocation: { uri: 'file:///x/y' } }]);
  });
});
