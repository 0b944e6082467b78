import { createHash } from 'node:crypto';
import { dirname } from 'node:path/posix';
import { createPackageDistiller } from '../../packages/package-distiller.js';
import type { FileDigest, ReleaseFile } from '../../packages/release-file.js';
import type { ArchiveHttp } from './archive-http.js';
import { getFile, isMissing } from './fetch-release.js';
import { SuiteFault } from './suite-fault.js';
import type { SuitePlace } from './suite-place.js';
import { NoUnpacker, PACKED_FORMS, unpack, UnpackFault, type PackedForm } from './unpack.js';

/** An index of a suite in all the forms that its Release lists: `main/binary-amd64/Packages`. */
export type IndexWanted = {
  readonly path: string;
  readonly component: string;
  readonly architecture: string;
  readonly forms: readonly { readonly form: PackedForm; readonly digest: FileDigest }[];
  /** What names its content: the SHA-256 of the plain form, or else of the first. */
  readonly sha256: string;
};

/** Bytes of an index whose plain form Release does not list. Debian's largest has 60 MB. */
const AT_MOST = 512 * 1024 * 1024;

/**
 * The indexes of a suite that an image uses. One that Release does not list is left out, as apt leaves it out: it offers nothing.
 * `all` comes by itself where it has indexes of its own.
 */
export function indexesWanted(release: ReleaseFile, flat: boolean, components: readonly string[], architectures: readonly string[]): readonly IndexWanted[] {
  if (flat) return indexAt(release, 'Packages', '', '');
  const supported = [...new Set([...architectures, ...(release.allWithin ? [] : ['all'])])].filter((name) => release.architectures === undefined || release.architectures.includes(name));
  return [...new Set(components)].flatMap((component) => supported.flatMap((architecture) => indexAt(release, `${component}/binary-${architecture}/Packages`, component, architecture)));
}

function indexAt({ indexes }: ReleaseFile, path: string, component: string, architecture: string): readonly IndexWanted[] {
  const forms = PACKED_FORMS.flatMap((form) => {
    const digest = indexes.get(`${path}${form}`);
    return digest === undefined ? [] : [{ form, digest }];
  });
  return forms.length === 0 ? [] : [{ path, component, architecture, forms, sha256: (indexes.get(path) ?? forms[0]!.digest).sha256 }];
}

/** Fetches an index and distils it. Rejects with a SuiteFault. `path`: where programs are looked for. */
export async function fetchIndex(http: ArchiveHttp, place: SuitePlace, release: ReleaseFile, wanted: IndexWanted, path: string, signal: AbortSignal): Promise<Buffer> {
  const plain = release.indexes.get(wanted.path);
  let unpacker: NoUnpacker | undefined;
  for (const { form, digest } of wanted.forms) {
    const packed = await fetchForm(http, place, release.acquireByHash, `${wanted.path}${form}`, digest, signal);
    if (packed === undefined) continue;
    try {
      return await distil(packed, form, plain, path, signal);
    } catch (error) {
      if (error instanceof UnpackFault) throw new SuiteFault('mismatch', `${wanted.path}${form} of ${place.name} ${error.message}`);
      if (!(error instanceof NoUnpacker)) throw error;
      unpacker = error;
    }
  }
  if (unpacker !== undefined) throw new SuiteFault('mismatch', `${wanted.path} of ${place.name} cannot be unpacked: ${unpacker.message}`);
  throw new SuiteFault('mismatch', `${wanted.path} of ${place.name} is not there, though its Release lists it`);
}

/** Undefined: the archive does not have it in this form. */
async function fetchForm(http: ArchiveHttp, place: SuitePlace, byHash: boolean, path: string, digest: FileDigest, signal: AbortSignal): Promise<Buffer | undefined> {
  const folder = dirname(path) === '.' ? '' : `${dirname(path)}/`;
  const paths = [...(byHash ? [`${folder}by-hash/SHA256/${digest.sha256}`] : []), path];
  let found: Buffer | undefined;
  for (const [index, one] of paths.entries()) {
    const answer = await getFile(http, place, `${place.base}${one}`, index === 0 ? {} : { 'cache-control': 'max-age=0' }, digest.size, signal);
    if (answer.status === 200 && isIt(answer.body, digest)) return answer.body;
    if (answer.status === 200) found = answer.body;
    else if (!isMissing(answer) && answer.status !== 403) throw new SuiteFault('unreachable', `${path} of ${place.name} is refused (${answer.status})`);
  }
  if (found !== undefined) throw new SuiteFault('mismatch', `${path} of ${place.name} is not what its Release says it is`);
  return undefined;
}

function isIt(bytes: Buffer, { size, sha256 }: FileDigest): boolean {
  return bytes.length === size && createHash('sha256').update(bytes).digest('hex') === sha256;
}

async function distil(packed: Buffer, form: PackedForm, plain: FileDigest | undefined, path: string, signal: AbortSignal): Promise<Buffer> {
  const distiller = createPackageDistiller(plain?.size);
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of unpack(form, packed, plain?.size ?? AT_MOST, path, signal)) {
    hash.update(chunk);
    size += chunk.length;
    distiller.add(chunk);
  }
  if (plain !== undefined && (size !== plain.size || hash.digest('hex') !== plain.sha256)) throw new UnpackFault('holds something else than its Release says');
  return distiller.end();
}
