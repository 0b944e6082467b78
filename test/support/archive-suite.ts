import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import type { SigningKey } from './signing-key.js';

const run = promisify(execFile);

/** How a suite is made, and what its Release says of it. */
export type SuiteLooks = {
  readonly origin?: string;
  /** `Debian-Security` */
  readonly label?: string;
  /** `Suite:` and `Codename:`, both the suite's own name unless given. */
  readonly suite?: string;
  readonly codename?: string;
  readonly version?: string;
  readonly notAutomatic?: boolean;
  readonly butAutomaticUpgrades?: boolean;
  /** `Acquire-By-Hash: yes`, and files by hash. Old ones stay. */
  readonly byHash?: boolean;
  /** The forms of an index that are there; `['gz', 'xz']` unless given. All of them and the plain one are in Release. */
  readonly packing?: readonly ('plain' | 'gz' | 'xz' | 'bz2')[];
  /** Packages of architecture `all` are in an index of their own. */
  readonly allApart?: boolean;
  /** More fields of Release. */
  readonly fields?: Readonly<Record<string, string>>;
  /** InRelease, Release with Release.gpg, both, or only an unsigned Release; `inline` unless given. */
  readonly signed?: 'inline' | 'detached' | 'both' | 'not';
};

/** An index of a suite: all of its stanzas. */
export type SuiteIndex = { readonly component: string; readonly architecture: string; readonly stanzas: readonly string[] };

/** The folder of a suite below its archive; a name that ends in `/` is a flat one. */
export function folderOf(suite: string): string {
  return suite.endsWith('/') ? suite.slice(0, -1) : `dists/${suite}`;
}

/** Writes all files of a suite but its signatures. */
export async function writeSuite(archive: string, name: string, looks: SuiteLooks, indexes: readonly SuiteIndex[], date: number, validUntil: number | undefined): Promise<void> {
  const flat = name.endsWith('/');
  const folder = join(archive, folderOf(name));
  mkdirSync(folder, { recursive: true });
  const plain = indexes.map(({ component, architecture }) => join(folder, flat ? 'Packages' : `${component}/binary-${architecture}/Packages`));
  const { packing = ['gz', 'xz'] } = looks;
  for (const [at, { stanzas }] of indexes.entries()) {
    const path = plain[at]!;
    mkdirSync(dirname(path), { recursive: true });
    for (const form of ['.gz', '.xz', '.bz2']) rmSync(`${path}${form}`, { force: true });
    writeFileSync(path, stanzas.join('\n'));
    for (const form of packing) await pack(path, form);
  }
  const said: Readonly<Record<string, string | undefined>> = {
    Origin: looks.origin ?? 'Test',
    Label: looks.label ?? 'Test',
    Suite: looks.suite ?? (flat ? undefined : name),
    Codename: looks.codename ?? (flat ? undefined : name),
    Version: looks.version,
    NotAutomatic: looks.notAutomatic === true ? 'yes' : undefined,
    ButAutomaticUpgrades: looks.butAutomaticUpgrades === true ? 'yes' : undefined,
    Components: flat ? undefined : [...new Set(indexes.map(({ component }) => component))].join(' '),
    Architectures: flat ? undefined : [...new Set(indexes.map(({ architecture }) => architecture))].join(' '),
  };
  const options = Object.entries(said).flatMap(([field, value]) => (value === undefined ? [] : ['-o', `APT::FTPArchive::Release::${field}=${value}`]));
  rmSync(join(folder, 'Release'), { force: true });
  for (const file of ['InRelease', 'Release.gpg']) rmSync(join(folder, file), { force: true });
  const { stdout } = await run('apt-ftparchive', [...options, 'release', '.'], { cwd: folder });
  const more = Object.entries({
    Date: rfc822(date),
    ...(validUntil === undefined ? {} : { 'Valid-Until': rfc822(validUntil) }),
    ...(looks.byHash === true ? { 'Acquire-By-Hash': 'yes' } : {}),
    ...looks.fields,
  });
  writeFileSync(join(folder, 'Release'), more.map(([field, value]) => `${field}: ${value}\n`).join('') + stdout.replace(/^Date: .*\n/m, ''));
  for (const path of plain) {
    if (looks.byHash === true) for (const form of packing) byHash(form === 'plain' ? path : `${path}.${form}`);
    if (!packing.includes('plain')) rmSync(path);
  }
}

/** Signs what `writeSuite` wrote. Files change with the suite's date, so that no two releases are of one second. */
export async function signSuite(archive: string, name: string, signed: SuiteLooks['signed'], key: SigningKey, date: number): Promise<void> {
  const folder = join(archive, folderOf(name));
  const release = join(folder, 'Release');
  const made = signed === 'not' ? [] : signed === 'detached' ? ['Release.gpg'] : signed === 'both' ? ['InRelease', 'Release.gpg'] : ['InRelease'];
  for (const file of made) await key.gpg(file === 'InRelease' ? '--clearsign' : '--detach-sign', '--armor', '--output', join(folder, file), release);
  for (const file of [...made, 'Release']) utimesSync(join(folder, file), date / 1000, date / 1000);
  if (signed === undefined || signed === 'inline') rmSync(release);
}

async function pack(path: string, form: 'plain' | 'gz' | 'xz' | 'bz2'): Promise<void> {
  if (form === 'plain') return;
  if (form === 'gz') return writeFileSync(`${path}.gz`, gzipSync(readFileSync(path)));
  await run(form === 'xz' ? 'xz' : 'bzip2', ['--keep', '--force', path]);
}

function byHash(path: string): void {
  const folder = join(dirname(path), 'by-hash/SHA256');
  mkdirSync(folder, { recursive: true });
  copyFileSync(path, join(folder, createHash('sha256').update(readFileSync(path)).digest('hex')));
}

/** As Release files write a time: `Sat, 01 Jan 2022 00:00:00 UTC`. */
export function rfc822(milliseconds: number): string {
  return new Date(milliseconds).toUTCString().replace('GMT', 'UTC');
}
