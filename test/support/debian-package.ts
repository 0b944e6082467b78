import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';

const run = promisify(execFile);

/** A package whose program, `/usr/bin/NAME`, prints its own name and version. */
export type TinyPackage = {
  readonly name: string;
  readonly version: string;
  /** `all` unless given. */
  readonly architecture?: string;
  /** More fields of its control: `Depends`, `Breaks`, `Provides`, `Source`… */
  readonly fields?: Readonly<Record<string, string>>;
  /** The text of its changelog.Debian. */
  readonly changelog?: string;
  /** The text of its changelog: its own, if it is made for Debian, else of those who wrote it. */
  readonly upstreamChangelog?: string;
  /** How its parts are packed; `xz` as Debian's unless given. */
  readonly packing?: 'xz' | 'zstd' | 'gzip' | 'none';
};

/** A built package: its stanza of Packages. */
export type BuiltPackage = TinyPackage & { readonly stanza: string };

/** Builds a package into an archive's folder; `path` of the .deb is relative to it. */
export async function buildPackage(package_: TinyPackage, scratch: string, archive: string, pool: string): Promise<BuiltPackage> {
  const { name, version, architecture = 'all', fields = {}, changelog, upstreamChangelog, packing = 'xz' } = package_;
  const tree = join(scratch, `${name}-${version}-${architecture}`);
  const control = Object.entries({ Package: name, Version: version, Architecture: architecture, Maintainer: 'A Person <a@example.org>', Description: 'prints its version', ...fields })
    .map(([field, value]) => `${field}: ${value}\n`)
    .join('');
  write(join(tree, 'DEBIAN/control'), control);
  write(join(tree, `usr/bin/${name}`), `#!/bin/sh\necho ${name} ${version}\n`, 0o755);
  if (changelog !== undefined) write(join(tree, `usr/share/doc/${name}/changelog.Debian.gz`), gzipSync(changelog));
  if (upstreamChangelog !== undefined) write(join(tree, `usr/share/doc/${name}/changelog.gz`), gzipSync(upstreamChangelog));
  // As in a pool: an epoch is not in the name.
  const path = `${pool}/${name}_${version.replace(/^\d+:/, '')}_${architecture}.deb`;
  mkdirSync(join(archive, pool), { recursive: true });
  await run('dpkg-deb', ['--root-owner-group', `-Z${packing}`, '-z1', '--build', tree, join(archive, path)]);
  const bytes = readFileSync(join(archive, path));
  const digest = (kind: string): string => createHash(kind).update(bytes).digest('hex');
  return { ...package_, stanza: `${control}Filename: ${path}\nSize: ${bytes.length}\nMD5sum: ${digest('md5')}\nSHA256: ${digest('sha256')}\n` };
}

function write(path: string, content: string | Uint8Array, mode = 0o644): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content, { mode });
}
