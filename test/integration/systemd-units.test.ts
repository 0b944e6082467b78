import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { PROJECT } from '../support/source-tree.js';
import { nightCommand, unitSetting } from '../support/systemd-unit.js';

jest.setTimeout(60_000);

const SHIPPED = join(PROJECT, 'contrib/systemd');
const NIGHT = 'build-images-nightly.service';
let units: string;
/** The units as a machine has them on which the program is installed. */
beforeAll(() => {
  units = mkdtempSync(join(tmpdir(), 'build-images-units-'));
  for (const name of readdirSync(SHIPPED)) writeFileSync(join(units, name), readFileSync(join(SHIPPED, name), 'utf8').replaceAll('/usr/local/bin/build-images', '/bin/true'));
});
afterAll(() => rmSync(units, { recursive: true }));
const analyze = (...args: readonly string[]) => spawnSync('systemd-analyze', args, { encoding: 'utf8', env: { PATH: process.env['PATH'] } });

describe('the units for a night', () => {
  it('are right in systemd\'s own eyes', () => {
    const { status, stdout, stderr } = analyze('verify', ...readdirSync(units).map((name) => join(units, name)));
    expect({ status, said: `${stdout}${stderr}` }).toEqual({ status: 0, said: '' });
  });
  it('a wrong one would be noticed', () => {
    writeFileSync(join(units, 'wrong.service'), '[Service]\nType=oneshot\nExecStart=/bin/true\nProtectSystm=strict\n');
    expect(analyze('verify', join(units, 'wrong.service')).stderr).toMatch(/Unknown key.*'ProtectSystm'/);
  });
  it('are exposed no more than what builds base images must be', () => {
    const exposure = /Overall exposure level for \S+: ([0-9.]+)/.exec(analyze('security', '--offline=true', '--no-pager', join(units, NIGHT)).stdout)?.[1];
    expect(Number(exposure)).toBeLessThan(6);
  });
  it('name each other, and what the program tells by its exit code', () => {
    expect(unitSetting(NIGHT, 'Unit', 'OnFailure').filter((name) => !readdirSync(SHIPPED).includes(name))).toEqual([]);
    expect(unitSetting(NIGHT, 'Service', 'SuccessExitStatus')).toEqual(['75']);
    expect(unitSetting('build-images-nightly.timer', 'Timer', 'Persistent')).toEqual(['true']);
    expect(nightCommand()).toEqual(['/usr/local/bin/build-images', 'nightly', '--deadline', '06:00']);
  });
});
