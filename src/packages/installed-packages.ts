import { parseStanzas } from '../shared/stanzas.js';
import type { PackageFiles } from './package-files.js';
import type { InstalledPackage, PackageRecord } from './package-record.js';

const STATUS = '/var/lib/dpkg/status';
const STATUS_FOLDER = '/var/lib/dpkg/status.d/';

/** The fields of a package's stanza that count here (Debian Policy §5.3). */
const FIELDS: ReadonlySet<string> = new Set(['package', 'status', 'architecture', 'version', 'source', 'multi-arch', 'pre-depends', 'depends', 'conflicts', 'breaks', 'provides']);

/** What dpkg has unpacked or configured in an image, as apt counts it; undefined: the image has no records of dpkg. */
export function parseInstalledPackages(files: PackageFiles): readonly InstalledPackage[] | undefined {
  const status = files.get(STATUS);
  // Images without dpkg have a file for each package, its control file. Those with check sums beside them have no fields.
  const folder = [...files].filter(([path]) => path.startsWith(STATUS_FOLDER));
  if (status === undefined && folder.length === 0) return undefined;
  const installed = new Map<string, InstalledPackage>();
  for (const bytes of [...(status === undefined ? [] : [status]), ...folder.map(([, each]) => each)]) {
    for (const fields of parseStanzas(textOf(bytes), FIELDS)) {
      const record = recordOf(fields);
      const [wanted, , state] = (fields.get('status') ?? 'install ok installed').split(/\s+/);
      if (record === undefined || state === 'not-installed' || state === 'config-files') continue;
      installed.set(`${record.name}:${record.architecture}`, { ...record, held: wanted === 'hold' });
    }
  }
  return [...installed.values()];
}

/** A package of its stanza, in dpkg's status or in an archive's Packages; undefined: it has no name or no version. */
export function recordOf(fields: ReadonlyMap<string, string>): PackageRecord | undefined {
  const name = fields.get('package') ?? '';
  const version = fields.get('version') ?? '';
  if (name === '' || version === '') return undefined;
  const [, source = name, sourceVersion = version.replace(/\+b\d+$/, '')] = /^(\S+)(?:\s+\(([^)]*)\))?/.exec(fields.get('source') ?? '') ?? [];
  const relations = {
    preDepends: fields.get('pre-depends') ?? '',
    depends: fields.get('depends') ?? '',
    conflicts: fields.get('conflicts') ?? '',
    breaks: fields.get('breaks') ?? '',
    provides: fields.get('provides') ?? '',
  };
  return { name, architecture: fields.get('architecture') ?? 'all', version, source, sourceVersion, multiArch: fields.get('multi-arch'), relations };
}

/** The text of a file; bytes that are no UTF-8 stand for nothing that matters here. */
export function textOf(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? '' : new TextDecoder().decode(bytes);
}
