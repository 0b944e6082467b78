import type { Repository } from '../../definition/apt-settings.js';
import { RootFileSystemFailure } from '../../execute/root-file-systems.js';
import { ArchiveError } from '../../shared/errors.js';

/** Lines in which tools only say that something failed, not what. */
const EMPTY_WORDS = /failed to run|^E: setup failed|^E: (?:apt-get|env) .*failed|^E: command failed|Some index files failed to download|Sub-process .* returned an error code/;

/** apt's words for an archive that is away, refuses, or cannot be trusted. */
const OUTSIDE = /Failed to fetch|Could ?n[o']t (?:connect|resolve)|Temporary failure|[Cc]onnection|timed out|Unable to connect|NO_PUBKEY|not signed|EXPKEYSIG|expired|not valid yet|[Hh]ash [Ss]um mismatch|unexpected size|Clearsigned file|does not have a Release file|Undetermined Error|No system certificates|Certificate|Failed getting release|Couldn't download|Invalid Release/;

/**
 * What a failed run of mmdebstrap or debuerreotype means, from what it printed: an ArchiveError when the archive is at fault, else
 * RootFileSystemFailure with apt's or dpkg's own last word. A repository of rootfs.yaml is called by its name.
 * @param status how it ended: `mmdebstrap: exit 1`
 */
export function explainFailure(lines: readonly string[], status: string, repositories: readonly Repository[]): ArchiveError | RootFileSystemFailure {
  // "Err:2 http://… nosuchsuite Release" and, on the next line, "  404  Not Found [IP: …]".
  const fetchErrors = lines.flatMap((line, index) => {
    const what = /^Err:\d+ (.+)/.exec(line)?.[1];
    return what === undefined ? [] : [{ what, why: oneLine(lines[index + 1] ?? '') }];
  });
  const missing = fetchErrors.find(({ what, why }) => /Release$/.test(what) && /^404\b/.test(why));
  if (missing !== undefined) return new RootFileSystemFailure(`${calledBy(missing.what, repositories)}there is no such suite: ${missing.what}: ${missing.why}`);
  // "dpkg: error processing package x (--configure):" and, on the next line, what is wrong with it.
  const said = lines.flatMap((line, index) => {
    if (!/^(?:E|dpkg: error[^:]*):/.test(line) || EMPTY_WORDS.test(line)) return [];
    return [line.startsWith('dpkg') && line.endsWith(':') ? `${line} ${lines[index + 1] ?? ''}` : line];
  });
  const last = said.filter((line) => line.startsWith('E: ')).at(-1) ?? said.at(-1);
  const message = oneLine((last ?? status).replace(/^E: /, ''));
  // "The following packages have unmet dependencies:" and, on the next line, " a : Depends: b (>= 2) but it is not installable".
  const unmet = lines.find((_, index) => lines[index - 1]?.endsWith('have unmet dependencies:'));
  if (/held broken packages/.test(message) && unmet !== undefined) return new RootFileSystemFailure(`packages that do not go together: ${oneLine(unmet)}`);
  if (!OUTSIDE.test(message)) return new RootFileSystemFailure(message);
  const unsigned = lines.some((line) => /NO_PUBKEY|not signed/.test(line));
  const fetch = fetchErrors.at(-1);
  const detail = fetch === undefined || fetch.why === '' || message.includes(fetch.why) ? '' : ` (${fetch.why})`;
  const called = calledBy(message, repositories);
  const keyHint = called === '' ? 'apt-get install debian-archive-keyring: newer suites are signed with newer keys' : 'its key in rootfs.yaml must be the one that signs it: gpg --show-keys FILE';
  return new ArchiveError(`${called}${message}${detail}`, unsigned ? [keyHint] : []);
}

/** `repository example: ` when a text is about one of rootfs.yaml's repositories, else nothing. */
function calledBy(text: string, repositories: readonly Repository[]): string {
  const isAbout = (uri: string, suite: string): boolean =>
    ['/dists/', ' ', '/ '].some((between) => {
      const start = `${uri.replace(/\/+$/, '')}${between}${suite}`;
      // "trixie" is not meant where "trixie-security" stands.
      return text.includes(start) && !/^[\w.+-]/.test(text.slice(text.indexOf(start) + start.length));
    });
  const found = repositories.find(({ uris, suites }) => uris.some((uri) => suites.some((suite) => isAbout(uri, suite))));
  return found === undefined ? '' : `repository ${found.name}: `;
}

/** Without the address of the server, which is another one each time. */
function oneLine(text: string): string {
  return text.trim().replace(/\s+/g, ' ').replace(/ ?\[IP: [^\]]*\]/, '');
}

/** The component that an archive does not have though it was asked for; apt only warns of it. */
export function missingComponent(lines: readonly string[], repositories: readonly Repository[]): string | undefined {
  for (const line of lines) {
    const match = /^W: Skipping acquire .* repository '([^']*)' doesn't have the component '([^']*)'/.exec(line);
    if (match !== null) return `${calledBy(match[1]!, repositories)}${match[1]!} has no component ${match[2]!}`;
  }
  return undefined;
}
