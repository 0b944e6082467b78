import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parseImagePackages, type ImagePackages } from '../../src/packages/image-packages.js';
import { packageFiles } from '../support/packages-in-memory.js';
import { randomSources } from '../support/random-sources.js';
import { askApt, type AptAnswer } from '../support/real-apt.js';

const MANY = Number(process.env['PACKAGE_WORLDS'] ?? 300);
const folder = mkdtempSync(join(tmpdir(), 'apt-sources-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Each index as apt describes it. */
function described({ sources }: ImagePackages): readonly string[] {
  return sources.flatMap(({ uri, suite, components, architectures, keyrings }) => {
    const trusted = keyrings === 'trusted' ? ' trusted' : '';
    const site = uri.replace(/\/+$/, '');
    if (suite.endsWith('/')) return [`${site} ${suite === '/' ? '' : suite} Packages${trusted}`];
    return components.flatMap((component) => architectures.map((architecture) => `${site} ${suite}/${component} ${architecture} Packages${trusted}`));
  });
}

describe('made-up files of sources', () => {
  let compared: readonly { readonly seed: number; readonly image: ImagePackages; readonly apt: AptAnswer | { readonly error: string } }[];
  beforeAll(async () => {
    const all = Array.from({ length: MANY }, (_, seed) => {
      const files = { ...randomSources(seed), '/var/lib/dpkg/status': '', '/var/lib/dpkg/arch': 'amd64\ni386\n', '/etc/apt/trusted.gpg.d/x.gpg': 'x', '/usr/share/keyrings/k.gpg': 'k', '/usr/share/keyrings/l.gpg': 'l' };
      const root = join(folder, `${seed}`);
      for (const part of ['etc/apt/apt.conf.d', 'etc/apt/preferences.d', 'etc/apt/sources.list.d', 'var/lib/apt/lists/partial', 'var/cache/apt/archives/partial']) mkdirSync(join(root, part), { recursive: true });
      for (const [path, text] of Object.entries(files)) {
        mkdirSync(join(root, dirname(path)), { recursive: true });
        writeFileSync(join(root, path), text);
      }
      return { seed, root, image: parseImagePackages(packageFiles(files)) };
    });
    const said = await askApt(all.map(({ root }) => root));
    compared = all.map((each, at) => ({ ...each, apt: said[at]! }));
  }, 300_000);

  it('name the indexes that apt reads', () => {
    const wrong = compared.flatMap(({ seed, image, apt }) => {
      if ('error' in apt) return [];
      const theirs = [...new Set(apt.sources.filter((index) => !/ all Packages/.test(index)))].sort();
      const ours = [...new Set(described(image))].sort();
      return theirs.join() === ours.join() ? [] : [{ seed, theirs, ours, files: randomSources(seed) }];
    });
    expect(wrong.slice(0, 6)).toEqual([]);
    expect(compared.flatMap(({ image }) => described(image)).length).toBeGreaterThan(MANY * 3);
  });
  it('are unknown where apt refuses them', () => {
    const wrong = compared.filter(({ image, apt }) => 'error' in apt !== image.unreadable.length > 0).map(({ seed, apt, image }) => ({ seed, apt: 'error' in apt ? apt.error : 'well', ours: image.unreadable, files: randomSources(seed) }));
    expect(wrong.slice(0, 6)).toEqual([]);
    expect(compared.filter(({ apt }) => 'error' in apt).length).toBeGreaterThan(MANY / 20);
  });
});
