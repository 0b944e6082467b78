import { DockerfileParser, type Arg, type Env } from 'dockerfile-ast';
import { contextFiles } from '../definition/context-files.js';
import { isWithin, joinPath } from '../definition/paths.js';
import { SHORTEST_HIDDEN } from '../shared/redact.js';
import type { Check, Draft, Subject, Surroundings } from './finding.js';

/** What a secret looks like, whoever it is for; what it is called is what people read of it. */
const SHAPES: readonly { readonly called: string; readonly pattern: RegExp }[] = [
  { called: 'a private key', pattern: /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----/ },
  { called: 'an access key of AWS', pattern: /(?<![A-Za-z0-9])(?:AKIA|ASIA)[A-Z0-9]{9}(?!EXAMPLE)[A-Z0-9]{7}(?![A-Za-z0-9])/ },
  { called: 'a token of GitHub', pattern: /(?<![A-Za-z0-9])(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{50,})/ },
  { called: 'a token of GitLab', pattern: /(?<![A-Za-z0-9])glpat-[A-Za-z0-9_-]{20}/ },
  { called: 'a token of Slack', pattern: /(?<![A-Za-z0-9])xox[abprs]-[A-Za-z0-9-]{10,}/ },
];

/** `user:password@` of a URL; a password that a variable gives, or that is there to be replaced, is none. */
const USERINFO = /\b[a-z][a-z0-9+.-]*:\/\/[^\s/@:"'<>${}]+:([^\s/@"'<>${}*]+)@[a-z0-9[]/gi;
const PLACEHOLDER = /^(?:x+|\.+|…|pass(?:word)?|passwd|pw|secret|token|changeme|example)$/i;

/** Bytes: what is longer is no file that a person wrote a secret into. */
const LONGEST = 64 * 1024;

/** secret-in-file, secret-in-variable. No message holds what was found. */
export const checkSecrets: Check = (subject, surroundings) => [...secretsInFiles(subject, surroundings), ...secretsInVariables(subject)];

function secretsInFiles({ definition, image }: Subject, { config, files }: Surroundings): readonly Draft[] {
  const context = image === undefined ? undefined : contextFiles(files, definition, image.copied);
  if (context?.ok !== true) return [];
  const password = config.credentials?.password;
  const drafts: Draft[] = [];
  for (const entry of context.value) {
    // What lies in a definition inside this one is said there.
    if (entry.type !== 'file' || entry.size > LONGEST || definition.nested.some((folder) => isWithin(entry.path, folder))) continue;
    const path = joinPath(definition.context ?? definition.directory, entry.path);
    const bytes = files.readBytes(path);
    if (!bytes.ok || bytes.value.includes(0)) continue;
    for (const { line, called } of secretsIn(Buffer.from(bytes.value).toString('utf8'), password)) drafts.push({ rule: 'secret-in-file', path, line, message: `holds ${called}` });
  }
  return drafts;
}

/** The lines of a text that hold a secret, and what it is called. */
export function secretsIn(text: string, password: string | undefined): readonly { readonly line: number; readonly called: string }[] {
  const hidden = password !== undefined && password.length >= SHORTEST_HIDDEN && text.includes(password) ? password : undefined;
  const shapes = SHAPES.filter(({ pattern }) => pattern.test(text));
  const urls = text.includes('://');
  if (hidden === undefined && shapes.length === 0 && !urls) return [];
  return text.split('\n').flatMap((content, index) => {
    const called = [...shapes.filter(({ pattern }) => pattern.test(content)).map((shape) => shape.called)];
    if (hidden !== undefined && content.includes(hidden)) called.push('the password of the config');
    if ([...content.matchAll(USERINFO)].some(([, found]) => !PLACEHOLDER.test(found!))) called.push('a URL with a password');
    return called.map((one) => ({ line: index + 1, called: one }));
  });
}

/** A variable's name that says it is a secret; one that names where the secret is, is none. */
const SECRET_NAME = /(?:^|_)(?:PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|CREDENTIALS?)$/i;
/** A value that is nobody's secret: nothing, a variable, a path, a number, yes or no. */
const HARMLESS = /^(?:|.*\$.*|[./~].*|\d+|true|false|yes|no|none|null)$/i;

function secretsInVariables({ image }: Subject): readonly Draft[] {
  if (image === undefined) return [];
  const instructions = DockerfileParser.parse(image.text).getInstructions();
  return instructions.flatMap((instruction) => {
    const keyword = instruction.getKeyword();
    if (keyword !== 'ENV' && keyword !== 'ARG') return [];
    const properties = keyword === 'ENV' ? (instruction as Env).getProperties() : [(instruction as Arg).getProperty()];
    return properties.flatMap((property): readonly Draft[] => {
      const name = property?.getName() ?? '';
      if (!SECRET_NAME.test(name) || HARMLESS.test(property?.getValue() ?? '')) return [];
      return [{ rule: 'secret-in-variable', path: image.dockerfile.path, rendered: property!.getRange().start.line + 1, message: `${keyword} ${name} has a value, which everyone who pulls the image can read: use a build secret (RUN --mount=type=secret)` }];
    });
  });
}
