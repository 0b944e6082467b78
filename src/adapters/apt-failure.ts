import { RootFileSystemFailure } from '../execute/root-file-systems.js';
import { ArchiveError } from '../shared/errors.js';

/** Lines in which mmdebstrap and apt only say that something failed, not what. */
const EMPTY_WORDS = /failed to run|^E: setup failed|^E: (?:apt-get|env) .*failed|^E: command failed|Some index files failed to download|Sub-process .* returned an error code/;

/** apt's words for an archive that is away, refuses, or cannot be trusted. */
const OUTSIDE = /Failed to fetch|Could ?n[o']t (?:connect|resolve)|Temporary failure|[Cc]onnection|timed out|Unable to connect|NO_PUBKEY|not signed|EXPKEYSIG|expired|not valid yet|[Hh]ash [Ss]um mismatch|unexpected size|Clearsigned file|does not have a Release file|Undetermined Error|No system certificates|Certificate/;

/**
 * What a failed run of mmdebstrap means, from what it printed: an ArchiveError when the archive is at fault, else
 * RootFileSystemFailure with apt's or dpkg's own last word.
 */
export function explainFailure(lines: readonly string[], status: string): ArchiveError | RootFileSystemFailure {
  // "Err:2 http://… nosuchsuite Release" and, on the next line, "  404  Not Found [IP: …]".
  const fetchErrors = lines.flatMap((line, index) => {
    const what = /^Err:\d+ (.+)/.exec(line)?.[1];
    return what === undefined ? [] : [{ what, why: oneLine(lines[index + 1] ?? '') }];
  });
  const missing = fetchErrors.find(({ what, why }) => /Release$/.test(what) && /^404\b/.test(why));
  if (missing !== undefined) return new RootFileSystemFailure(`there is no such suite: ${missing.what}: ${missing.why}`);
  // "dpkg: error processing package x (--configure):" and, on the next line, what is wrong with it.
  const said = lines.flatMap((line, index) => {
    if (!/^(?:E|dpkg: error[^:]*):/.test(line) || EMPTY_WORDS.test(line)) return [];
    return [line.startsWith('dpkg') && line.endsWith(':') ? `${line} ${lines[index + 1] ?? ''}` : line];
  });
  const last = said.filter((line) => line.startsWith('E: ')).at(-1) ?? said.at(-1);
  const message = oneLine((last ?? `mmdebstrap: ${status}`).replace(/^E: /, ''));
  if (!OUTSIDE.test(message)) return new RootFileSystemFailure(message);
  const unsigned = lines.some((line) => /NO_PUBKEY|not signed/.test(line));
  const fetch = fetchErrors.at(-1);
  const detail = fetch === undefined || fetch.why === '' || message.includes(fetch.why) ? '' : ` (${fetch.why})`;
  return new ArchiveError(`${message}${detail}`, unsigned ? ['apt-get install debian-archive-keyring: newer suites are signed with newer keys'] : []);
}

/** Without the address of the server, which is another one each time. */
function oneLine(text: string): string {
  return text.trim().replace(/\s+/g, ' ').replace(/ ?\[IP: [^\]]*\]/, '');
}

/** The component that an archive does not have though it was asked for; apt only warns of it. */
export function missingComponent(lines: readonly string[]): string | undefined {
  for (const line of lines) {
    const match = /^W: Skipping acquire .* repository '([^']*)' doesn't have the component '([^']*)'/.exec(line);
    if (match !== null) return `${match[1]!} has no component ${match[2]!}`;
  }
  return undefined;
}
