import { describe, expect, it } from '@jest/globals';
import { bad, errorAt, formatProblem, good, warningAt } from '../../../src/shared/problem.js';

describe('a problem', () => {
  it.each([
    ['with its line', errorAt('images/web/control', 4, 'is wrong'), 'images/web/control:4: is wrong'],
    ['of a whole file', errorAt('images/web', undefined, 'is wrong'), 'images/web: is wrong'],
    ['that stops nothing', warningAt('config.yaml', 9, 'is odd'), 'config.yaml:9: is odd  [warning]'],
  ])('%s is one line', (_, problem, line) => expect(formatProblem(problem)).toBe(line));

  it('a value is good with or without warnings, and bad with problems', () => {
    expect(good(1)).toEqual({ ok: true, value: 1, warnings: [] });
    expect(good(1, [warningAt('a', 1, 'b')])).toMatchObject({ warnings: [{ severity: 'warning' }] });
    expect(bad([errorAt('a', 1, 'b')])).toEqual({ ok: false, problems: [{ path: 'a', line: 1, message: 'b', severity: 'error' }] });
  });
});
