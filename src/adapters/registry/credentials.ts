import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { kill } from 'node:process';
import { EXIT, Fault } from '../../shared/errors.js';

/** A login at one registry. Never printed. */
export type Credentials = {
  readonly username: string;
  readonly password: string;
  /** A refresh token that stands in for the password; from `docker login` at some registries. */
  readonly identityToken?: string;
};

/** Runs a command with a text as its input; what it printed, and its exit code, or that it had not ended in time. Rejects when it cannot be started. */
export type RunWithInput = (command: readonly string[], input: string) => Promise<{ readonly stdout: string; readonly code: number | null | 'too-late' }>;

/** Where logins come from. */
export type CredentialsOptions = {
  /** `$DOCKER_CONFIG`, or `$HOME/.docker`. */
  readonly dockerConfigDir: string;
  /** The config's own login; it wins for its registry (`host[:port]`, a path behind it is ignored), and serves no other. */
  readonly own: { readonly registry: string; readonly username: string; readonly password: string } | undefined;
  /** Runs `docker-credential-NAME get`. */
  readonly run?: RunWithInput;
};

/** The logins of docker's own places and of the config. */
export interface CredentialStore {
  /** The login for a registry's host as image references write it ('' and `docker.io` are Docker Hub). Asked once per host. Rejects with a Fault that holds no secret. */
  credentialsFor(host: string): Promise<Credentials | undefined>;
  /** Which places are searched, for messages: it names the folder, so that sudo's other HOME is seen. */
  readonly source: string;
}

/** Reads nothing before the first question. */
export function createCredentials(options: CredentialsOptions): CredentialStore {
  const path = join(options.dockerConfigDir, 'config.json');
  const run = options.run ?? runWithInput;
  const answers = new Map<string, Promise<Credentials | undefined>>();
  let dockerConfig: Promise<DockerConfig> | undefined;

  async function find(host: string): Promise<Credentials | undefined> {
    const { own } = options;
    if (own !== undefined && hostOfKey(own.registry) === host) return { username: own.username, password: own.password };
    const config = await (dockerConfig ??= readDockerConfig(path));
    const program = Object.entries(config.credHelpers).find(([key]) => hostOfKey(key) === host)?.[1] ?? config.credsStore;
    if (program !== undefined) {
      const found = await askProgram(program, host, config, run);
      if (found !== undefined) return found;
    }
    for (const [key, entry] of Object.entries(config.auths)) {
      const credentials = hostOfKey(key) === host ? parseAuth(path, key, entry) : undefined;
      if (credentials !== undefined) return credentials;
    }
    return undefined;
  }

  return {
    source: options.own === undefined ? path : `the config and ${path}`,
    credentialsFor(written) {
      const host = hostOfKey(written === '' ? 'docker.io' : written);
      let answer = answers.get(host);
      if (answer === undefined) answers.set(host, (answer = find(host)));
      return answer;
    },
  };
}

type DockerConfig = {
  readonly auths: Readonly<Record<string, unknown>>;
  readonly credHelpers: Readonly<Record<string, string>>;
  readonly credsStore: string | undefined;
};

/** What docker calls Docker Hub, where it stores logins. */
const HUB_KEY = 'https://index.docker.io/v1/';

/** `https://host/v1/`, `host/v2/`, `host`: docker's file has them all. Docker Hub's names are one. */
function hostOfKey(key: string): string {
  const host = key.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
  return host === 'index.docker.io' || host === 'registry-1.docker.io' ? 'docker.io' : host;
}

async function readDockerConfig(path: string): Promise<DockerConfig> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unreadable';
    if (code === 'ENOENT' || code === 'ENOTDIR') return { auths: {}, credHelpers: {}, credsStore: undefined };
    throw new Fault(EXIT.registry, `${path} cannot be read (${code})`);
  }
  let json: unknown;
  try {
    json = text.trim() === '' ? {} : JSON.parse(text);
  } catch {
    // JSON.parse quotes the text around the fault: it may be a password.
    throw new Fault(EXIT.registry, `${path} is not JSON`, [`python3 -m json.tool ${path} >/dev/null`]);
  }
  if (!isObject(json)) throw new Fault(EXIT.registry, `${path} holds no JSON object`);
  for (const key of ['auths', 'credHelpers']) {
    if (json[key] != null && !isObject(json[key])) throw new Fault(EXIT.registry, `${path}: ${key} is not an object`);
  }
  const programs = Object.entries((json['credHelpers'] ?? {}) as Record<string, unknown>);
  return {
    auths: (json['auths'] ?? {}) as Record<string, unknown>,
    credHelpers: Object.fromEntries(programs.flatMap(([host, name]) => (typeof name === 'string' && name !== '' ? [[host, name]] : []))),
    credsStore: typeof json['credsStore'] === 'string' && json['credsStore'] !== '' ? json['credsStore'] : undefined,
  };
}

/** One entry of `auths`; undefined when it is empty, as it is beside a credential program. */
function parseAuth(path: string, key: string, entry: unknown): Credentials | undefined {
  if (!isObject(entry)) return undefined;
  const text = (name: string): string => (typeof entry[name] === 'string' ? entry[name] : '');
  let [username, password] = [text('username'), text('password')];
  if (text('auth') !== '') {
    const decoded = Buffer.from(text('auth'), 'base64').toString('utf8');
    const colon = decoded.indexOf(':');
    if (colon <= 0) throw new Fault(EXIT.registry, `${path}: auths.${hostOfKey(key)}.auth is not base64 of USER:PASSWORD`, [`docker login ${hostOfKey(key)}`]);
    username = decoded.slice(0, colon);
    // Docker pads old entries with zero bytes.
    password = decoded.slice(colon + 1).replace(/\0+$/, '');
  }
  const identityToken = text('identitytoken');
  if (identityToken !== '') return { username, password, identityToken };
  return username === '' ? undefined : { username, password };
}

/** The protocol of docker-credential programs: the server on standard input, JSON on standard output; a user of `<token>` means an identity token. */
async function askProgram(program: string, host: string, config: DockerConfig, run: RunWithInput): Promise<Credentials | undefined> {
  const name = `docker-credential-${program}`;
  if (!/^[A-Za-z0-9._-]+$/.test(program)) throw new Fault(EXIT.registry, 'docker\'s config.json names a credential program with odd characters');
  const keys = host === 'docker.io' ? [HUB_KEY] : [...new Set([...Object.keys({ ...config.credHelpers, ...config.auths }).filter((key) => hostOfKey(key) === host), host])];
  for (const key of keys) {
    let answer: Awaited<ReturnType<RunWithInput>>;
    try {
      answer = await run([name, 'get'], key);
    } catch (error) {
      throw new Fault(EXIT.registry, `${name}, which docker's config.json names for ${host}, cannot be run (${(error as NodeJS.ErrnoException).code ?? 'failed'})`);
    }
    if (answer.code === 'too-late') throw new Fault(EXIT.registry, `${name} gives no answer for ${host} (${PROGRAM_LIMIT / 1000} s)`, [`echo ${key} | ${name} get   (it may wait for a person, or for a keyring that is locked)`]);
    if (answer.code !== 0) {
      if (/credentials not found/i.test(answer.stdout)) continue;
      throw new Fault(EXIT.registry, `${name} failed for ${host} (exit ${answer.code ?? 'by a signal'})`, [`echo ${key} | ${name} get`]);
    }
    return parseProgramAnswer(name, host, answer.stdout);
  }
  return undefined;
}

function parseProgramAnswer(name: string, host: string, stdout: string): Credentials {
  let json: unknown;
  try {
    json = JSON.parse(stdout);
  } catch {
    json = undefined;
  }
  const { Username: username, Secret: secret } = isObject(json) ? json : {};
  if (typeof username !== 'string' || typeof secret !== 'string') throw new Fault(EXIT.registry, `${name} answers for ${host} in a way that is not docker's`);
  return username === '<token>' ? { username: '', password: '', identityToken: secret } : { username, password: secret };
}

/** Milliseconds: a credential program may ask a person on a desktop, but there is none here. */
const PROGRAM_LIMIT = 30_000;

/** More than any login: what comes behind it is not read. */
const ANSWER_LIMIT = 1024 * 1024;

/** Runs a program found on PATH, and ends it with all it started when it takes longer than `limit` milliseconds; what it says on standard error is not kept. */
export function runWithInput([command, ...args]: readonly string[], input: string, limit = PROGRAM_LIMIT): ReturnType<RunWithInput> {
  return new Promise((resolve, reject) => {
    // A group of its own: what it started may hold its output open, and must not outlive it.
    const child = spawn(command!, args, { stdio: ['pipe', 'pipe', 'ignore'], detached: true });
    // Not spawn's own `timeout`: its timer outlives a program that could not be started, and keeps the process.
    const timer = setTimeout(() => {
      endGroup(child.pid);
      child.stdout.destroy();
      resolve({ stdout: '', code: 'too-late' });
    }, limit);
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (stdout.length < ANSWER_LIMIT) stdout += text;
    });
    child.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.once('close', (code) => {
      clearTimeout(timer);
      resolve({ stdout, code });
    });
    // It may end without reading.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}

function endGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) kill(-pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
