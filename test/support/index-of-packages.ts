import { createHash } from 'node:crypto';
import { openDistilledIndex, type IndexPlace } from '../../src/packages/distilled-index.js';
import { createPackageDistiller } from '../../src/packages/package-distiller.js';
import type { PackageIndex } from '../../src/packages/package-index.js';

/** An index of the text of a Packages file. */
export function indexOfPackages(text: string | Uint8Array, place: Omit<IndexPlace, 'sha256'>): PackageIndex {
  const distiller = createPackageDistiller();
  distiller.add(Buffer.from(text));
  return openDistilledIndex(distiller.end(), { sha256: createHash('sha256').update(text).digest('hex'), ...place });
}
