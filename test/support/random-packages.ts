import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseImagePackages, type ImagePackages } from '../../src/packages/image-packages.js';
import type { PackageIndex } from '../../src/packages/package-index.js';
import { recordOf } from '../../src/packages/installed-packages.js';
import type { PackageRecord } from '../../src/packages/package-record.js';
import { createPackageSet, createRelationsOf } from '../../src/packages/package-set.js';
import { parseStanzas } from '../../src/shared/stanzas.js';
import { indexOfText, packageFiles } from './packages-in-memory.js';
import { seeded, type Chance } from './seeded.js';

/** An image's files and the lists of its sources, made up. */
export type PackageWorld = {
  /** Absolute path → text. */
  readonly files: Readonly<Record<string, string>>;
  readonly lists: readonly List[];
};

type List = {
  readonly uri: string;
  readonly suite: string;
  readonly component: string;
  readonly architecture: string;
  /** Of the suite's Release file. */
  readonly release: Readonly<Record<string, string>>;
  readonly packages: readonly string[];
};

/** The same world for the same seed. */
export function randomPackageWorld(seed: number, how: { readonly relations: boolean }): PackageWorld {
  const chance = seeded(seed);
  const foreign = chance.is(0.3);
  const architectures = foreign ? ['amd64', 'i386'] : ['amd64'];
  const names = Array.from({ length: 2 + chance.below(how.relations ? 7 : 4) }, (_, at) => `${chance.is(0.2) ? 'lib' : ''}p${at}`);
  const records = recordsOf(chance, names, how.relations, foreign);
  const installed = names.flatMap((name) => architectures.filter((architecture) => chance.is(architecture === 'amd64' ? 0.75 : 0.4)).map((architecture) => ({ ...records(name, architecture), held: chance.is(0.06) })));
  const suites = chance.some(SUITES, 1, 4);
  const lists = suites.flatMap((suite) =>
    (suite.suite.endsWith('/') ? [''] : chance.some(['main', 'contrib'], 1, 2)).flatMap((component) =>
      (suite.suite.endsWith('/') ? ['amd64'] : architectures).map((architecture) => ({
        ...suite,
        component,
        architecture,
        packages: names.flatMap((name) => (chance.is(0.6) ? Array.from({ length: 1 + chance.below(2) }, () => records(name, architecture)) : [])).filter(isFirst).map(({ text }) => text),
      })),
    ),
  );
  const sources = lists.map(({ uri, suite, component, architecture }) => `deb [trusted=yes arch=${architecture}] ${uri} ${suite} ${component}`).filter((line, at, all) => all.indexOf(line) === at);
  return {
    lists,
    files: {
      '/var/lib/dpkg/arch': `${architectures.join('\n')}\n`,
      '/var/lib/dpkg/status': consistent(installed).map(({ text, held }) => text.replace('\n', `\nStatus: ${held ? 'hold' : 'install'} ok ${'installed'}\n`)).join('\n'),
      '/etc/apt/sources.list': `${sources.join('\n')}\n`,
      ...(chance.is(0.5) ? { '/etc/apt/preferences': preferences(chance, names) } : {}),
      ...(chance.is(0.3) ? { '/etc/apt/preferences.d/aa': preferences(chance, names) } : {}),
      ...(chance.is(0.3) ? { '/etc/apt/preferences.d/zz.pref': preferences(chance, names) } : {}),
      ...(chance.is(0.2) ? { '/etc/apt/preferences.d/no.txt': 'Package: *\nPin: release *\nPin-Priority: 2000\n' } : {}),
      ...(chance.is(0.2) ? { '/etc/apt/apt.conf.d/50release': `APT::Default-Release "${chance.one(TARGETS)}";\n` } : {}),
    },
  };
}

type Made = { readonly name: string; readonly version: string; readonly architecture: string; readonly text: string };

const VERSIONS = ['1', '2', '2+b1', '2.1', '3~rc1', '3', '1:1', '1:1-1~bpo1', '10-1'];
const TARGETS = ['trixie', 'stable', 'n=trixie-backports', '13*', 'a=stable-security', 'testing', 'l=Debian', '/^trix/'];

const SUITES: readonly Pick<List, 'uri' | 'suite' | 'release'>[] = [
  { uri: 'http://deb.example.org/debian', suite: 'trixie', release: { Origin: 'Debian', Label: 'Debian', Suite: 'stable', Codename: 'trixie', Version: '13.1' } },
  { uri: 'http://deb.example.org/debian', suite: 'trixie-updates', release: { Origin: 'Debian', Label: 'Debian', Suite: 'stable-updates', Codename: 'trixie-updates', Version: '13-updates' } },
  { uri: 'http://security.example.org/debian-security', suite: 'trixie-security', release: { Origin: 'Debian', Label: 'Debian-Security', Suite: 'stable-security', Codename: 'trixie-security', Version: '13' } },
  { uri: 'http://deb.example.org/debian', suite: 'trixie-backports', release: { Origin: 'Debian Backports', Label: 'Debian Backports', Suite: 'stable-backports', Codename: 'trixie-backports', NotAutomatic: 'yes', ButAutomaticUpgrades: 'yes' } },
  { uri: 'http://deb.example.org/debian', suite: 'experimental', release: { Origin: 'Debian', Label: 'Debian', Suite: 'experimental', Codename: 'rc-buggy', NotAutomatic: 'yes' } },
  { uri: 'http://deb.example.org/debian', suite: 'forky', release: { Origin: 'Debian', Label: 'Debian', Suite: 'testing', Codename: 'forky', Version: '14' } },
  { uri: 'http://vendor.example.org/apt', suite: 'any', release: { Origin: 'Vendor', Codename: 'any' } },
  { uri: 'http://flat.example.org/repo', suite: 'x/', release: {} },
];

const PINS = [
  'release n=trixie', 'release a=stable', 'release a=stable, v=13*', 'release v=13', 'release v=13.*', 'release o=Debian', 'release o=Debian*', 'release l=Debian-Security', 'release c=contrib', 'release c=', 'release n=trixie*', 'release n=/^(trixie|forky)$/',
  'release a=now', 'release *', 'release stable', 'release 13*', 'release b=i386', 'release o=', 'release o=*', 'release a=stable-backports,a=experimental', 'release N=TRIXIE', 'release n=trixie-[bs]*', 'release n=trixie-[!b]*', 'release x=y',
  'origin deb.example.org', 'origin "security.example.org"', 'origin ""', 'origin *.example.org', 'origin "Vendor.example.org"',
  'version 2', 'version 2*', 'version *', 'version 1:*', 'version 3~*', 'version /^[23]/', 'version 2+b?', 'version ?', 'version 1', 'version *-1', 'version [23]', 'version 10-*',
];
const PRIORITIES = [-10, -1, 1, 50, 99, 100, 101, 499, 500, 501, 900, 989, 990, 991, 999, 1000, 1001, 30_000];

/** One to three stanzas, comments between. */
function preferences(chance: Chance, names: readonly string[]): string {
  const words = [...names, 'p*', 'lib*', '/p[1-3]/', '/^(lib)?p[[:digit:]]$/', '*', 'src:s1', 'src:s*', 'src:s0:any', 'p0:any', 'p1:i386', 'p1:amd64', 'p?:any', 'P1', 'P*', '*:any', '*:i386', '[pq]1', 'p0:native'];
  return Array.from({ length: 1 + chance.below(3) }, () => {
    const general = chance.is(0.45);
    const packages = general ? '*' : Array.from({ length: 1 + chance.below(2) }, () => chance.one(words)).join(chance.is(0.8) ? ' ' : '\n ');
    const priority = general && chance.is(0.05) ? 'never' : chance.one(PRIORITIES);
    return `${chance.is(0.2) ? 'Explanation: why\n' : ''}${chance.is(0.1) ? '# so\n' : ''}Package: ${packages}\nPin: ${chance.one(PINS)}\nPin-Priority: ${priority}\n`;
  }).join('\n');
}

/** Records of packages; the same version of one is the same wherever it is. */
function recordsOf(chance: Chance, names: readonly string[], relations: boolean, foreign: boolean): (name: string, architecture: string) => Made {
  const known = new Map<string, string>();
  const isForAll = new Set(names.filter(() => chance.is(0.15)));
  return (name, wanted) => {
    const architecture = isForAll.has(name) ? 'all' : wanted;
    const version = chance.one(VERSIONS);
    const key = `${name} ${version} ${architecture}`;
    if (!known.has(key)) known.set(key, `${chance.is(0.3) ? `Source: s${chance.below(3)}\n` : ''}${chance.is(0.5) ? `Multi-Arch: ${chance.one([...(isForAll.has(name) ? [] : ['same', 'same']), 'foreign', foreign ? 'foreign' : 'allowed'])}\n` : ''}${relations ? relationsOf(chance, names, name, foreign) : ''}`);
    return { name, version, architecture, text: `Package: ${name}\nArchitecture: ${architecture}\nVersion: ${version}\nMaintainer: A Person <a@example.org>\nDescription: x\n${known.get(key)!}` };
  };
}

/**
 * Mostly what can be met; `v0` and `v1` are virtual, `nowhere` is in no source. Where there is a `p1:any`, apt
 * takes it that the pin of `p*` is of all architectures: no foreign ones together with that.
 */
function relationsOf(chance: Chance, names: readonly string[], self: string, foreign: boolean): string {
  const others = [...names.filter((name) => name !== self), 'v0', 'v1'];
  const related = (strict: number): string => {
    const name = chance.is(0.03) ? 'nowhere' : chance.one(others);
    const mark = !foreign && chance.is(0.06) ? ':any' : '';
    return `${name}${mark}${chance.is(strict) ? ` (${chance.one(['>=', '>=', '>=', '=', '<<', '<=', '>>'])} ${chance.one(VERSIONS)})` : ''}`;
  };
  const field = (name: string, part: number, of: () => string): string => (chance.is(part) ? `${name}: ${Array.from({ length: 1 + chance.below(2) }, of).join(', ')}\n` : '');
  return [
    field('Depends', 0.5, () => (chance.is(0.25) ? `${related(0.4)} | ${related(0.4)}` : related(0.5))),
    field('Pre-Depends', 0.08, () => related(0.5)),
    field('Breaks', 0.1, () => related(0.85)),
    field('Conflicts', 0.06, () => related(0.7)),
    field('Provides', 0.2, () => `${chance.one(['v0', 'v1', ...names])}${chance.is(0.4) ? ` (= ${chance.one(VERSIONS)})` : ''}`),
  ].join('');
}

/** What dpkg would have installed together; that it is so is for apt to say. */
function consistent<T extends Made>(packages: readonly T[]): readonly T[] {
  const left = packages.filter((each, at) => packages.findIndex(({ name, architecture }) => name === each.name && (architecture === each.architecture || each.architecture === 'all' || architecture === 'all')) === at);
  for (;;) {
    const odd = oddOnes(left.map(({ text }) => recordOf(parseStanzas(text)[0]!)!))[0];
    if (odd === undefined) return left;
    left.splice(left.findIndex(({ name, architecture }) => name === odd.name && architecture === odd.architecture), 1);
  }
}

/** Those of some packages whose relations are not met by the others. */
export function oddOnes(records: readonly PackageRecord[]): readonly PackageRecord[] {
  const relationsOf = createRelationsOf();
  const set = createPackageSet('amd64', relationsOf);
  for (const record of records) set.put(record);
  return records.filter((record) => {
    const { preDepends, depends, breaks, conflicts } = record.relations;
    const sibling = set.named(record.name).find((each) => each !== record);
    return !(
      [...relationsOf(preDepends), ...relationsOf(depends)].every((relation) => set.meets(relation, record)) &&
      [...relationsOf(breaks), ...relationsOf(conflicts)].every(({ alternatives: [related] }) => set.hitBy(related!, record).length === 0) &&
      (sibling === undefined || (sibling.version === record.version && sibling.multiArch === 'same' && record.multiArch === 'same'))
    );
  });
}

function isFirst({ version, name }: Made, at: number, all: readonly Made[]): boolean {
  return all.findIndex((each) => each.version === version && each.name === name) === at;
}

/** Writes a world as apt wants it, below a folder. */
export function writeWorld(root: string, { files, lists }: PackageWorld): void {
  for (const folder of ['etc/apt/apt.conf.d', 'etc/apt/preferences.d', 'etc/apt/sources.list.d', 'etc/apt/trusted.gpg.d', 'var/lib/apt/lists/partial', 'var/cache/apt/archives/partial']) mkdirSync(join(root, folder), { recursive: true });
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  for (const [path, text] of Object.entries(files)) write(path, text);
  for (const { uri, suite, component, architecture, release, packages } of lists) {
    const address = suite.endsWith('/') ? `${uri}/${suite}` : `${uri}/dists/${suite}/`;
    const prefix = `var/lib/apt/lists/${address.replace('http://', '').replaceAll('/', '_')}`;
    write(`${prefix}Release`, `${Object.entries(release).map(([field, value]) => `${field}: ${value}\n`).join('')}Date: Fri, 20 Nov 2026 02:11:10 UTC\nArchitectures: amd64 i386\nComponents: main contrib\n`);
    write(`${prefix}${component === '' ? '' : `${component}_binary-${architecture}_`}Packages`, packages.map((text) => `${text}Filename: pool/x.deb\nSize: 1\nSHA256: ${'0'.repeat(64)}\n`).join('\n'));
  }
}

/** The same world as the program reads it. */
export function readWorld({ files, lists }: PackageWorld): { readonly image: ImagePackages; readonly indexes: readonly PackageIndex[] } {
  const indexes = lists.map(({ uri, component, architecture, release, packages }) => {
    const field = (name: string): string => release[name] ?? '';
    return indexOfText(packages.join('\n'), {
      release: { origin: field('Origin'), label: field('Label'), suite: field('Suite'), codename: field('Codename'), version: field('Version'), date: 0, validUntil: undefined, notAutomatic: field('NotAutomatic') === 'yes', butAutomaticUpgrades: field('ButAutomaticUpgrades') === 'yes' },
      site: new URL(uri).hostname,
      uri,
      component,
      architecture,
    });
  });
  return { image: parseImagePackages(packageFiles(files)), indexes };
}

/** The records of a world that some lines name: `name arch version`. */
export function recordsNamed(world: PackageWorld, lines: readonly string[]): readonly PackageRecord[] {
  const { image, indexes } = readWorld(world);
  return lines.map((line) => {
    const [name = '', architecture = '', version = ''] = line.split(' ');
    const all = [...image.installed.filter((each) => each.name === name), ...indexes.flatMap((index) => index.versionsOf(name))];
    return all.find((each) => each.version === version && (each.architecture === architecture || each.architecture === 'all'))!;
  });
}
