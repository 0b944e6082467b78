import { describe, expect, it } from '@jest/globals';
import { planMending } from '../../../src/plan/mend-control.js';
import { digestOf } from '../../../src/shared/digest.js';
import { formatProblem } from '../../../src/shared/problem.js';
import { lintInMemory } from '../../support/lint-in-memory.js';
import { configOf, production } from '../../support/tree-in-memory.js';

const OUTSIDE = 'FROM registry.example.org/debian:12';
const A = { ...production('alpha', OUTSIDE), ...production('beta', OUTSIDE), ...production('betb', OUTSIDE) };

async function mend(template: string, control: string, config = '', bytes?: Uint8Array): Promise<{ readonly text: string | undefined; readonly reasons: unknown; readonly left: readonly string[] }> {
  const { subjects, tags } = await lintInMemory({ ...A, ...production('c', template, control) }, configOf(config));
  const { steps, left } = planMending(subjects, tags, configOf(config), () => bytes ?? Buffer.from(control));
  expect(steps.map(({ path, before }) => [path, before])).toEqual(steps.map(() => ['images/c/control', digestOf(control)]));
  return { text: steps[0]?.text, reasons: steps[0]?.reasons, left: left.map(formatProblem) };
}

describe('mending a control', () => {
  it.each<readonly [what: string, template: string, before: string, after: string | undefined, config?: string]>([
    ['what agrees stays', 'FROM {{ "alpha" | image_tag }}', 'Package: c\nDepends: alpha\n', undefined],
    ['what the image stands on is a dependency', 'FROM {{ "alpha" | image_tag }}', 'Package: c\n', 'Package: c\nDepends: alpha\n'],
    ['what is copied from is one of building', 'FROM {{ "beta" | image_tag }} AS b\nFROM {{ "alpha" | image_tag }}\nCOPY --from=b /x /x', 'Package: c\nDepends: alpha\n', 'Package: c\nDepends: alpha\nBuild-Depends: beta\n'],
    ['what is both is a dependency', 'FROM {{ "alpha" | image_tag }} AS b\nRUN x\nFROM {{ "alpha" | image_tag }}\nCOPY --from=b /x /x', 'Package: c\n', 'Package: c\nDepends: alpha\n'],
    ['what is not used goes', 'FROM {{ "alpha" | image_tag }}', 'Package: c\nDepends: alpha, beta\nBuild-Depends: beta\n', 'Package: c\nDepends: alpha\n'],
    ['a slip for what is missing', 'FROM {{ "alpha" | image_tag }}', 'Package: c\nBuild-Depends: alhpa (>= 1)\n', 'Package: c\nBuild-Depends: alpha (>= 1)\n'],
    ['an image of another tree stays', 'FROM {{ "alpha" | image_tag }}', 'Package: c\nDepends: alpha, other-tree, alhpa\n', undefined],
    ['of two slips for one name the first', 'FROM {{ "alpha" | image_tag }}', 'Package: c\nDepends: alhpa, alpah\n', 'Package: c\nDepends: alpha, alpah\n'],
    ['a slip for one of two names', 'FROM {{ "beta" | image_tag }} AS b\nFROM {{ "betb" | image_tag }}\nCOPY --from=b /x /x', 'Package: c\nDepends: betc\n', 'Package: c\nDepends: betc, betb\nBuild-Depends: beta\n'],
    ['rules that are switched off', 'FROM {{ "alpha" | image_tag }}', 'Package: c\nX-Lint-Ignore: stale-parent, undeclared-parent\nDepends: beta\n', undefined],
    ['one that is switched off for the tree', 'FROM {{ "alpha" | image_tag }}', 'Package: c\nDepends: beta\n', 'Package: c\nDepends: beta, alpha\n', 'lint: { ignore: [stale-parent] }'],
    ['slips may be switched off', 'FROM {{ "alpha" | image_tag }}', 'Package: c\nX-Lint-Ignore: unknown-parent\nDepends: alhpa\n', 'Package: c\nX-Lint-Ignore: unknown-parent\nDepends: alhpa, alpha\n'],
  ])('%s', async (...[, template, before, after, config]) => expect(await mend(template, before, config)).toMatchObject({ text: after, left: [] }));
  it.each<readonly [what: string, template: string, control: string, promised: readonly string[]]>([
    ['parents that are used, and not', 'FROM {{ "alpha" | image_tag }}', 'Package: c\nDepends: beta\n', ['undeclared-parent', 'stale-parent']],
    ['a slip for what is missing', 'FROM {{ "alpha" | image_tag }}', 'Package: c\nDepends: alhpa\n', ['undeclared-parent', 'unknown-parent']],
    ['not a name of another tree', 'FROM {{ "alpha" | image_tag }}', 'Package: c\nDepends: alpha, other-tree\n', []],
    ['not a slip for what nobody misses', 'FROM {{ "alpha" | image_tag }}', 'Package: c\nDepends: alhpa\nX-Lint-Ignore: undeclared-parent\n', []],
    ['nothing without a control', 'FROM {{ "alpha" | image_tag }}', '', []],
  ])('lint promises to mend what is mended: %s', async (...[, template, control, promised]) => {
    const findings = async (text: string): Promise<readonly string[]> => {
      const linted = await lintInMemory({ ...A, ...production('c', template, text) });
      return linted.findings.filter(({ mends }) => mends).map(({ rule }) => rule);
    };
    const { text } = await mend(template, control);
    expect([await findings(control), text !== undefined]).toEqual([promised, promised.length > 0]);
    expect(await findings(text ?? control)).toEqual([]);
  });
  it('says what changes', async () => {
    expect((await mend('FROM {{ "alpha" | image_tag }}', 'Package: c\nDepends: beta, alhpa\n')).reasons).toEqual([{ why: 'parents-differ', added: ['alpha'], removed: ['beta', 'alhpa'] }]);
  });
  it('says that there is no control', async () => {
    expect(await mend('FROM {{ "alpha" | image_tag }}', '')).toEqual({ text: undefined, reasons: undefined, left: ['images/c: has no control that could name alpha  [warning]'] });
  });
  it('leaves a file alone that is not UTF-8', async () => {
    expect((await mend('FROM {{ "alpha" | image_tag }}', 'Package: c\n', '', Buffer.from('Package: c\nX: \xe9\n', 'latin1'))).left).toEqual(['images/c/control: cannot be mended so that all else stays as it is: mend it by hand  [warning]']);
  });
});
