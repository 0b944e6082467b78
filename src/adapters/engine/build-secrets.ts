import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { BuildSecret } from '../../shared/build-secret.js';
import { warningAt, type Problem } from '../../shared/problem.js';
import { SHORTEST_HIDDEN, type Redactor } from '../../shared/redact.js';

/** What a build gets when it asks for a secret. `absent`: there is none; `unusable`: somebody meant one, and it cannot be had. */
export type SecretAnswer = { readonly value: Uint8Array } | { readonly absent: string } | { readonly unusable: string };

/** The secrets of a run, all read at its start: every build gets the same, and none is printed. */
export type BuildSecrets = {
  get(id: string): SecretAnswer;
  /** What keeps some of them from being had, or from being hidden. */
  readonly warnings: readonly Problem[];
};

/** As docker has it. Bytes. */
const LARGEST = 500 * 1024;

/** Reads the secrets of a config, files relative to the config that names them; each line of each is hidden from now on. */
export function readBuildSecrets(secrets: readonly BuildSecret[], { cwd, env }: { /** Absolute. */ readonly cwd: string; readonly env: Readonly<Record<string, string | undefined>> }, redactor: Pick<Redactor, 'hide'>): BuildSecrets {
  const warnings: Problem[] = [];
  const answers = new Map<string, SecretAnswer>();
  for (const { id, from, path, line } of secrets) {
    const directory = dirname(resolve(cwd, path));
    const answer = from === 'its-name' ? readNamed(id, { directory, env }) : 'file' in from ? readFile(from.file, directory) : readVariable(from.variable, env);
    answers.set(id, answer);
    const warn = (what: string): void => void warnings.push(warningAt(path, line, `secret "${id}": ${what}`));
    if (!('value' in answer)) warn('absent' in answer ? answer.absent : answer.unusable);
    else if (!hideAll(answer.value, redactor)) warn(`lines of fewer than ${SHORTEST_HIDDEN} characters are not hidden in logs`);
  }
  return { get: (id) => answers.get(id) ?? { absent: 'build_secrets of the config does not have it' }, warnings };
}

function readNamed(id: string, { directory, env }: { readonly directory: string; readonly env: Readonly<Record<string, string | undefined>> }): SecretAnswer {
  if (env[id] !== undefined) return readVariable(id, env);
  const answer = readFile(id, directory);
  return 'absent' in answer ? { absent: `there is neither a variable ${id} in the environment nor a file of that name` } : answer;
}

function readVariable(name: string, env: Readonly<Record<string, string | undefined>>): SecretAnswer {
  const value = env[name];
  return value === undefined ? { absent: `there is no variable ${name} in the environment` } : checked(Buffer.from(value));
}

function readFile(path: string, directory: string): SecretAnswer {
  const full = resolve(directory, path);
  try {
    const found = statSync(full);
    // Looked at before it is read: a pipe would keep us waiting, a disk would fill the memory.
    if (!found.isFile()) return { unusable: `${path} is no file` };
    return found.size > LARGEST ? tooLarge() : checked(readFileSync(full));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    if (code === 'ENOENT' || code === 'ENOTDIR') return { absent: `there is no file ${path}` };
    return { unusable: `${path} cannot be read: ${code === 'EACCES' ? 'permission denied' : code}` };
  }
}

function checked(value: Buffer): SecretAnswer {
  return value.length > LARGEST ? tooLarge() : { value };
}

function tooLarge(): SecretAnswer {
  return { unusable: 'it is larger than 500 KiB' };
}

/** Hides a value, and each of its lines alone, since logs are made of lines; whether all that is in it could be hidden. */
function hideAll(value: Uint8Array, redactor: Pick<Redactor, 'hide'>): boolean {
  const text = Buffer.from(value).toString();
  const lines = text.split(/\r\n|\r|\n/).map((line) => line.trim()).filter((line) => line !== '');
  redactor.hide(text);
  for (const line of new Set([text.trim(), ...lines])) redactor.hide(line);
  return lines.every((line) => line.length >= SHORTEST_HIDDEN);
}
