import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { systemClock } from '../../src/adapters/clock.js';
import { createPackageArchive } from '../../src/adapters/package-archive/package-archive.js';
import { findUpgrades } from '../../src/packages/find-upgrades.js';
import { parseImagePackages } from '../../src/packages/image-packages.js';
import type { PackageArchive } from '../../src/packages/package-archive.js';
import type { PackageFiles } from '../../src/packages/package-files.js';
import type { Upgrade } from '../../src/packages/upgrade.js';
import { startAptRepository, type AptRepository } from '../support/apt-repository.js';
import type { TinyPackage } from '../support/debian-package.js';
import { packageFiles } from '../support/packages-in-memory.js';
import { askApt } from '../support/real-apt.js';
import { makeRealImages, type InsideAnswer, type RealImage, type RealImages } from '../support/real-images.js';

const folder = mkdtempSync(join(tmpdir(), 'real-apt-'));
const native = process.arch === 'x64' ? 'amd64' : process.arch;
let repository: AptRepository;
let archive: PackageArchive & { close(): void };
let images: RealImages;

/** A package of the vendor: what is installed, and what there is now. */
const vendor = (name: string, from: string, to: string | undefined, fields: Readonly<Record<string, string>> = {}, architecture = 'all'): { readonly old: TinyPackage; readonly now: TinyPackage | undefined } => ({
  old: { name, version: from, architecture, fields: 'Multi-Arch' in fields ? { 'Multi-Arch': fields['Multi-Arch']! } : {} },
  now: to === undefined ? undefined : { name, version: to, architecture, fields },
});
const VENDOR = [
  vendor('vend-a', '1.0', '2.0'),
  vendor('vend-epoch', '9.0', '1:0.5'),
  vendor('vend-tilde', '2.0~rc1', '2.0'),
  vendor('vend-down', '2.0', '1.0'),
  vendor('vend-lacks', '1', '2', { Depends: 'nowhere-at-all (>= 3)' }),
  vendor('vend-breaks', '1', '2', { Breaks: 'bash' }),
  vendor('vend-user', '1', '2', { Depends: 'vend-virtual (>= 2)' }),
  vendor('vend-impl', '1', '2', { Provides: 'vend-virtual (= 2)' }),
  vendor('vend-new', '1', '2', { Depends: 'vend-extra' }),
  vendor('vend-same', '1', '2', { 'Multi-Arch': 'same' }, native),
  vendor('vend-same', '1', '2', { 'Multi-Arch': 'same' }, 'i386'),
  vendor('vend-skew', '1', '2', { 'Multi-Arch': 'same' }, native),
  vendor('vend-skew', '1', undefined, { 'Multi-Arch': 'same' }, 'i386'),
  vendor('vend-foreign', '1', '2', {}, 'i386'),
];
const INSTALLED = '/shared/pool/old/main';
/** Installs the vendor's older versions of some packages. */
const install = (...names: readonly string[]): string => `dpkg -i ${names.map((name) => `${INSTALLED}/${name}/*.deb`).join(' ')}`;

beforeAll(async () => {
  repository = await startAptRepository();
  await repository.addSuite('old', VENDOR.map(({ old }) => old));
  await repository.addSuite('old', [{ name: 'vend-bpo', version: '2~bpo1' }, { name: 'flat-a', version: '1' }]);
  await repository.addSuite('vendor', [...VENDOR.flatMap(({ now }) => now ?? []), { name: 'vend-extra', version: '1' }], { origin: 'Vendor', label: 'Vendor', suite: 'stable', codename: 'vendor' });
  await repository.addSuite('vendor-backports', [{ name: 'vend-bpo', version: '3~bpo1' }, { name: 'vend-a', version: '9' }], { origin: 'Vendor Backports', notAutomatic: true, butAutomaticUpgrades: true });
  await repository.addSuite('flat/', [{ name: 'flat-a', version: '2' }]);
  archive = createPackageArchive({ cacheDirectory: join(folder, 'cache'), proxyFor: () => undefined, timeouts: { connect: 10, idle: 30 }, clock: systemClock, random: Math.random, userAgent: 'build-images', path: process.env['PATH']!, scratch: folder, isArchived: () => false });
  images = await makeRealImages(['bookworm', 'trixie'], ['openssl', 'curl', 'python3-minimal', 'ca-certificates'], repository.path('.'));
  await images.fetchLists([
    ...['bookworm', 'trixie'].flatMap((release) => [
      ...['', '-updates', '-backports'].map((more) => `deb http://deb.debian.org/debian ${release}${more} main`),
      `deb http://deb.debian.org/debian-security ${release}-security main`,
    ]),
    `deb ${repository.uri} vendor-backports main`,
    `deb ${repository.uri} flat/`,
  ]);
  await images.fetchLists([`deb ${repository.uri} vendor main`], [native, 'i386']);
}, 600_000);

afterAll(async () => {
  await images.close();
  archive.close();
  await repository.close();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

const lines = (...all: readonly string[]): string => `${all.join('\n')}\n`;
const debian = (release: string, ...more: readonly string[]): string => lines(`deb http://deb.debian.org/debian ${release} main`, ...more);
const security = (release: string): string => `deb http://deb.debian.org/debian-security ${release}-security main`;
const full = (release: string): string => debian(release, `deb http://deb.debian.org/debian ${release}-updates main`, security(release));
const vendorSource = (suite = 'vendor'): string => `deb [signed-by=/usr/share/keyrings/vendor.gpg] ${repository.uri} ${suite}${suite.endsWith('/') ? '' : ' main'}`;
const vendorFiles = (sources: string, more: RealImage['files'] = {}): RealImage['files'] => ({ '/etc/apt/sources.list': sources, '/usr/share/keyrings/vendor.gpg': repository.key.keyring, ...more });
const pin = (packages: string, by: string, priority: number): string => lines(`Package: ${packages}`, `Pin: ${by}`, `Pin-Priority: ${priority}`, '');

/** Of all images together: upgrades that apt has too, those it keeps back too, and those it has only with a removal. */
const counts = { images: 0, equal: 0, keptBack: 0, withRemoval: 0, security: 0 };

async function oursOf(files: PackageFiles): Promise<readonly Upgrade[]> {
  const image = parseImagePackages(files);
  expect(image.unreadable).toEqual([]);
  const suites = await Promise.all(image.sources.map((source) => archive.readSuite(source, AbortSignal.timeout(120_000))));
  expect(suites.flatMap((suite) => (suite.known ? [] : [suite.unknown.says]))).toEqual([]);
  return findUpgrades(image, suites.flatMap((suite) => (suite.known ? suite.indexes : [])));
}

const STANZAS = `Types: deb
URIs: http://deb.debian.org/debian
Suites: trixie trixie-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://deb.debian.org/debian-security
Suites: trixie-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Enabled: no
Types: deb
URIs: http://nowhere.example.org
Suites: x/
`;

/** Holds what we say of an image against what its apt says. */
function compare(ours: readonly Upgrade[], apt: Pick<InsideAnswer, 'upgradable' | 'installs' | 'removes'>): void {
  const line = (each: Upgrade): string => `${each.package} ${each.arch} ${each.from} ${each.to}`;
  expect(ours.map(line).sort()).toEqual(apt.upgradable.map((each) => each.split(' ').slice(0, 4).join(' ')).sort());
  for (const each of ours) expect({ each, security: apt.upgradable.find((one) => one.startsWith(`${line(each)} `))!.includes('-security') }).toEqual({ each, security: each.suite.endsWith('-security') });
  const nameOf = (each: string): string => each.split(' ').slice(0, 2).join(' ');
  const keptBack = ours.filter(({ heldBack }) => heldBack !== undefined).map(line).map(nameOf);
  const leftOut = apt.upgradable.map(nameOf).filter((each) => !apt.installs.includes(each));
  // What comes only if something else goes is kept back by us, and by `apt-get upgrade`.
  const withRemoval = apt.removes.length === 0 ? [] : keptBack.filter((each) => !leftOut.includes(each));
  expect(keptBack.sort()).toEqual([...leftOut, ...withRemoval].sort());
  counts.images++;
  counts.equal += ours.length - withRemoval.length;
  counts.keptBack += leftOut.length;
  counts.withRemoval += withRemoval.length;
  counts.security += ours.filter((each) => each.security).length;
}

describe('what is newer, and what of it is kept back, is what apt says inside', () => {
  const CASES: readonly (readonly [string, () => RealImage, (ours: readonly Upgrade[]) => void])[] = [
    [
      'bookworm that knew main alone, given updates and security',
      () => ({ base: 'bookworm', files: { '/etc/apt/sources.list': full('bookworm') } }),
      (ours) => expect(ours.some((each) => each.security && each.suite === 'bookworm-security')).toBe(true),
    ],
    ['trixie, its sources in stanzas', () => ({ base: 'trixie', files: { '/etc/apt/sources.list.d/debian.sources': STANZAS } }), (ours) => expect(ours).not.toEqual([])],
    ['one that pins what is secure away', () => ({ base: 'bookworm', files: { '/etc/apt/sources.list': full('bookworm'), '/etc/apt/preferences.d/no-security': pin('*', 'release l=Debian-Security', -1) } }), (ours) => expect(ours.filter(({ suite }) => suite === 'bookworm-security')).toEqual([])],
    [
      'one with a package pinned to what it has',
      () => ({ base: 'bookworm', files: { '/etc/apt/sources.list': full('bookworm'), '/etc/apt/preferences': pin('src:openssl', 'release a=now', 1001) + pin('lib*', 'release n=bookworm-security', 100) } }),
      (ours) => expect(ours.filter(({ source }) => source === 'openssl')).toEqual([]),
    ],
    [
      'one in which dpkg and apt-mark hold packages',
      () => ({ base: 'bookworm', prepare: 'echo libssl3 hold | dpkg --set-selections; apt-mark hold libc6', files: { '/etc/apt/sources.list': full('bookworm') } }),
      (ours) => expect(ours.find((each) => each.package === 'libssl3')?.heldBack).toBe('held by dpkg'),
    ],
    ['one with a target release, which hides security', () => ({ base: 'bookworm', files: { '/etc/apt/sources.list': full('bookworm'), '/etc/apt/apt.conf.d/99release': 'APT { Default-Release "bookworm"; /* so */ };\n' } }), (ours) => expect(ours.filter(({ suite }) => suite === 'bookworm-security')).toEqual([])],
    [
      'one with backports, of which one package is installed',
      () => ({ base: 'trixie', prepare: install('vend-bpo', 'vend-a'), files: vendorFiles(full('trixie') + lines('deb http://deb.debian.org/debian trixie-backports main', vendorSource(), vendorSource('vendor-backports'))) }),
      (ours) => expect(ours.filter((each) => each.package.startsWith('vend-')).map((each) => `${each.package} ${each.to}`)).toEqual(['vend-a 2.0', 'vend-bpo 3~bpo1']),
    ],
    [
      "one with a vendor's archive at 1001: an epoch, a tilde, and a step back that is in no list",
      () => ({ base: 'trixie', prepare: install('vend-a', 'vend-epoch', 'vend-tilde', 'vend-down'), files: vendorFiles(debian('trixie', vendorSource()), { '/etc/apt/preferences.d/vendor.pref': pin('*', 'release o=Vendor', 1001) }) }),
      (ours) => expect(ours.filter((each) => each.package.startsWith('vend-')).map((each) => `${each.package} ${each.to}`)).toEqual(['vend-a 2.0', 'vend-epoch 1:0.5', 'vend-tilde 2.0']),
    ],
    ["one with a vendor's archive at 100", () => ({ base: 'bookworm', prepare: install('vend-a'), files: vendorFiles(full('bookworm') + lines(vendorSource()), { '/etc/apt/preferences.d/vendor': pin('*', 'origin 127.0.0.1', 100) }) }), (ours) => expect(ours.filter((each) => each.package === 'vend-a')).toHaveLength(1)],
    [
      'one of two architectures',
      () => ({ base: 'trixie', prepare: `dpkg --add-architecture i386; ${install('vend-same', 'vend-skew', 'vend-foreign')}`, files: vendorFiles(lines(vendorSource())) }),
      (ours) => expect(ours.map((each) => `${each.package} ${each.arch} ${each.heldBack === undefined}`).sort()).toEqual([`vend-foreign i386 true`, `vend-same ${native} true`, 'vend-same i386 true', `vend-skew ${native} false`]),
    ],
    ['one with a flat archive', () => ({ base: 'trixie', prepare: install('flat-a'), files: vendorFiles(debian('trixie', vendorSource('flat/'))) }), (ours) => expect(ours.map((each) => each.package)).toContain('flat-a')],
    [
      'one with packages that lack something, or break something',
      () => ({ base: 'bookworm', prepare: install('vend-lacks', 'vend-breaks', 'vend-user', 'vend-impl', 'vend-new'), files: vendorFiles(full('bookworm') + lines(vendorSource())) }),
      (ours) => expect(ours.filter((each) => each.heldBack !== undefined).map((each) => `${each.package}: ${each.heldBack}`)).toEqual([expect.stringMatching(/^vend-breaks: breaks bash .*, which stays$/), 'vend-lacks: needs nowhere-at-all (>= 3), which no source offers']),
    ],
  ];
  let bookworm: InsideAnswer;

  it.each(CASES)('%s', async (_, image, also) => {
    const apt = await images.inside(image());
    bookworm ??= apt;
    const ours = await oursOf(apt.files);
    compare(ours, apt);
    also(ours);
  }, 120_000);
  it("one without dpkg and apt, as apt outside says of the same packages", async () => {
    const stanzas = new TextDecoder().decode(bookworm.files.get('/var/lib/dpkg/status')).split('\n\n').filter((stanza) => /^Package: (?:base-files|ca-certificates|libc6|libgcc-s1|gcc-12-base|libssl3|openssl|tzdata|netbase)$/m.test(stanza));
    const keys = Object.fromEntries([...bookworm.files].filter(([path]) => path.startsWith('/etc/apt/trusted.gpg.d/')));
    const files: PackageFiles = new Map([
      ...packageFiles({ '/etc/apt/sources.list': full('bookworm'), '/etc/os-release': 'PRETTY_NAME="Distroless"\n' }),
      ...Object.entries(keys),
      ...packageFiles(Object.fromEntries(stanzas.flatMap((stanza) => {
        const name = /^Package: (.*)$/m.exec(stanza)![1]!;
        return [[`/var/lib/dpkg/status.d/${name}`, stanza.replace(/^Status: .*\n/m, '')], [`/var/lib/dpkg/status.d/${name}.md5sums`, 'd41d8cd98f00b204e9800998ecf8427e  usr/share/doc/x\n']];
      }))),
    ]);
    const root = join(folder, 'outside');
    for (const part of ['etc/apt/apt.conf.d', 'etc/apt/preferences.d', 'etc/apt/sources.list.d', 'var/lib/dpkg', 'var/lib/apt', 'var/cache/apt/archives/partial']) mkdirSync(join(root, part), { recursive: true });
    writeFileSync(join(root, 'etc/apt/sources.list'), full('bookworm'));
    writeFileSync(join(root, 'var/lib/dpkg/status'), `${stanzas.join('\n\n')}\n`);
    writeFileSync(join(root, 'var/lib/dpkg/arch'), `${native}\n`);
    symlinkSync(images.lists, join(root, 'var/lib/apt/lists'));
    const [said] = await askApt([root]);
    if (said === undefined || 'error' in said) throw new Error(JSON.stringify(said));
    const line = ({ package: name, arch, from, to, suites }: (typeof said.upgradable)[number]): string => `${name} ${arch} ${from} ${to} ${suites.join()}`;
    const ours = await oursOf(files);
    compare(ours, { upgradable: said.upgradable.map(line), installs: said.upgradable.filter(({ kept }) => !kept).map(({ package: name, arch }) => `${name} ${arch}`), removes: said.removed });
    expect(ours.length).toBeGreaterThan(0);
  }, 120_000);
  it('all were looked at, and nothing is unexplained', () => {
    expect(counts.images).toBe(CASES.length + 1);
    expect(counts.equal).toBeGreaterThan(60);
    expect(counts.keptBack).toBeGreaterThan(3);
    expect(counts.withRemoval).toBeLessThanOrEqual(1);
    expect(counts.security).toBeGreaterThan(20);
  });
});
