import { parseImagePackages, type ImagePackages } from '../../src/packages/image-packages.js';
import { recordOf } from '../../src/packages/installed-packages.js';
import type { PackageFiles } from '../../src/packages/package-files.js';
import type { PackageIndex, SuiteRelease } from '../../src/packages/package-index.js';
import type { AvailablePackage } from '../../src/packages/package-record.js';
import { digestOf } from '../../src/shared/digest.js';
import { parseStanzas } from '../../src/shared/stanzas.js';

/** Files of an image by their text. */
export function packageFiles(files: Readonly<Record<string, string>>): PackageFiles {
  return new Map(Object.entries(files).map(([path, text]) => [path, new TextEncoder().encode(text)]));
}

/** dpkg's status of packages in short: `name version`, then further fields each on a line of their own. */
export function statusOf(...packages: readonly string[]): string {
  return packages.map((each) => stanzaOf(each, 'Status: install ok installed\n')).join('\n');
}

/** An image with these packages installed, and with these files beside. */
export function imageWith(packages: readonly string[], files: Readonly<Record<string, string>> = {}): ImagePackages {
  return parseImagePackages(packageFiles({ '/var/lib/dpkg/status': statusOf('dpkg 1', ...packages), ...files }));
}

/** An index of packages in short, of a suite named so by its codename; `*-security` is Debian's security suite. */
export function indexWith(codename: string, packages: readonly string[], release: Partial<SuiteRelease> & { readonly site?: string; readonly component?: string; readonly architecture?: string } = {}): PackageIndex {
  const { site = 'deb.example.org', component = 'main', architecture = 'amd64', ...others } = release;
  return indexOfText(packages.map((each) => stanzaOf(each, '')).join('\n'), {
    release: {
      origin: 'Debian',
      label: codename.endsWith('-security') ? 'Debian-Security' : 'Debian',
      suite: codename.replace(/^[a-z]+/, 'stable'),
      codename,
      version: '13.1',
      date: 0,
      validUntil: undefined,
      notAutomatic: false,
      butAutomaticUpgrades: false,
      ...others,
    },
    site,
    uri: `http://${site}/debian`,
    component,
    architecture,
  });
}

/** The index that a Packages file is. */
export function indexOfText(text: string, of: Omit<PackageIndex, 'versionsOf' | 'providersOf' | 'sha256'>): PackageIndex {
  const records = parseStanzas(text).map(availableOf);
  return {
    ...of,
    sha256: digestOf(text).slice('sha256:'.length),
    versionsOf: (name) => records.filter((record) => record.name === name),
    providersOf: (name) => records.filter((record) => record.name !== name && record.relations.provides.split(',').some((each) => each.trim().split(/[ (]/)[0] === name)),
  };
}

function stanzaOf(short: string, more: string): string {
  const [first, ...fields] = short.split('\n').map((line) => line.trim());
  const [name, version] = first!.split(' ');
  const text = fields.filter(Boolean).map((field) => `${field}\n`).join('');
  return `Package: ${name}\n${text.includes('Status:') ? '' : more}${text.includes('Architecture:') ? '' : 'Architecture: amd64\n'}Version: ${version}\n${text}`;
}

function availableOf(fields: ReadonlyMap<string, string>): AvailablePackage {
  const record = recordOf(fields)!;
  return { ...record, filename: `pool/${record.name}.deb`, size: 1, sha256: 'ab' };
}
