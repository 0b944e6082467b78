import type { OutgoingHttpHeaders } from 'node:http';
import { NoAnswer, type ArchiveAnswer, type ArchiveHttp } from './archive-http.js';
import { splitCleartext, type SignedText } from './cleartext-signature.js';
import { SuiteFault } from './suite-fault.js';
import type { SuitePlace } from './suite-place.js';

/** A suite's Release as it came, in one of two forms. */
export type ReceivedRelease = {
  readonly form: 'InRelease' | 'Release';
  readonly bytes: Buffer;
  /** Release.gpg; undefined: there is none. */
  readonly signature: Buffer | undefined;
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
};

/** Debian's are 0.3 MB. */
const AT_MOST = 20 * 1024 * 1024;

/**
 * Asks for a suite's InRelease, or where there is none, for its Release and Release.gpg. Rejects with a SuiteFault.
 * @param known is what is returned when the archive says that it has not changed
 * @param fresh whether caches on the way are to be passed by
 */
export async function fetchRelease(http: ArchiveHttp, place: SuitePlace, known: ReceivedRelease | undefined, fresh: boolean, signal: AbortSignal): Promise<ReceivedRelease> {
  const control = fresh ? { 'cache-control': 'no-cache' } : { 'cache-control': 'max-age=0' };
  const get = (file: string, condition: OutgoingHttpHeaders = {}): Promise<ArchiveAnswer> => getFile(http, place, `${place.base}${file}`, { ...control, ...condition }, AT_MOST, signal);
  const one = async (form: ReceivedRelease['form']): Promise<ReceivedRelease | ArchiveAnswer> => {
    const own = !fresh && known?.form === form ? known : undefined;
    const answer = await get(form, own && conditionOf(own));
    if (answer.status === 304 && own !== undefined) return own;
    if (answer.cut) throw new SuiteFault('mismatch', `${form} of ${place.name} has more than ${AT_MOST >> 20} MB`);
    return answer.status === 200 ? { form, bytes: answer.body, signature: undefined, etag: answer.headers.etag, lastModified: answer.headers['last-modified'] } : answer;
  };
  const inline = await one('InRelease');
  if ('form' in inline) return inline;
  // Stores of files at cloud providers say 403 of what is not there.
  if (!isMissing(inline) && inline.status !== 403) throw refused(place, inline);
  const detached = await one('Release');
  if (!('form' in detached)) throw isMissing(detached) ? new SuiteFault('gone', `there is no suite ${place.name} any more`) : refused(place, detached);
  if (detached === known) return detached;
  const { status, body } = await get('Release.gpg');
  return { ...detached, signature: status === 200 ? body : undefined };
}

/** The text of a Release with the signature that it has, if any. */
export function signedTextOf({ form, bytes, signature }: ReceivedRelease): SignedText | undefined {
  if (form === 'InRelease') return splitCleartext(bytes);
  return signature === undefined ? undefined : { text: bytes, signature };
}

/** One file of a suite. Rejects with a SuiteFault when nothing clear is answered. */
export async function getFile(http: ArchiveHttp, place: SuitePlace, url: string, headers: OutgoingHttpHeaders, atMost: number, signal: AbortSignal): Promise<ArchiveAnswer> {
  try {
    return await http.get(url, headers, atMost, signal);
  } catch (error) {
    if (error instanceof NoAnswer) throw new SuiteFault('unreachable', `${new URL(place.base).host} ${error.message}`);
    throw error;
  }
}

/** Whether the archive says that it does not have a file. */
export function isMissing({ status }: ArchiveAnswer): boolean {
  return status === 404 || status === 410;
}

function refused(place: SuitePlace, { status }: ArchiveAnswer): SuiteFault {
  if (status === 401) return new SuiteFault('unreachable', `${place.name} asks for a login (401), and logins of images are not used`);
  return new SuiteFault('unreachable', `${place.name} is refused (${status})`);
}

function conditionOf({ etag, lastModified }: ReceivedRelease): OutgoingHttpHeaders {
  return { ...(etag === undefined ? {} : { 'if-none-match': etag }), ...(lastModified === undefined ? {} : { 'if-modified-since': lastModified }) };
}
