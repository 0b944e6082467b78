import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parseDeadline } from '../../../src/cli/deadline.js';
import { UsageError } from '../../../src/shared/errors.js';
import { PROJECT } from '../../support/source-tree.js';

const NOW = Date.UTC(2026, 10, 20, 2, 30);
const iso = (text: string, now = NOW): string => new Date(parseDeadline(text, now)).toISOString();

describe('a deadline', () => {
  it.each([
    ['06:00Z', '2026-11-20T06:00:00.000Z'],
    ['02:30Z', '2026-11-21T02:30:00.000Z'],
    ['00:00Z', '2026-11-21T00:00:00.000Z'],
    ['+4h', '2026-11-20T06:30:00.000Z'],
    ['+90m', '2026-11-20T04:00:00.000Z'],
  ])('%s is %s', (text, expected) => expect(iso(text)).toBe(expected));
  it.each(['6:00', '24:00', '06:60', '+4d', '4h', '', 'tomorrow', '06:00z'])('"%s" is none', (text) => expect(() => parseDeadline(text, NOW)).toThrow(UsageError));
  it.each([
    ['Europe/Berlin', '06:00', '2026-11-20T05:00:00.000Z'],
    ['America/New_York', '21:00', '2026-11-20T02:00:00.000Z'],
    ['UTC', '06:00', '2026-11-20T06:00:00.000Z'],
  ])('is of the machine\'s time zone: %s, %s is %s', (zone, text, expected) => {
    const source = execFileSync(process.execPath, ['--input-type=module', '-e', `import { transformFileSync } from '@swc/core'; const { code } = transformFileSync(process.argv[1], { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'es6' } }); const text = code.replace(/^import .*$/m, 'const UsageError = Error;'); const { parseDeadline } = await import('data:text/javascript,' + encodeURIComponent(text)); console.log(new Date(parseDeadline(process.argv[2], ${Date.UTC(2026, 10, 20, 1, 30)})).toISOString());`, join(PROJECT, 'src/cli/deadline.ts'), text], { cwd: PROJECT, env: { ...process.env, TZ: zone }, encoding: 'utf8' });
    expect(source.trim()).toBe(expected);
  });
});
