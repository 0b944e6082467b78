import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { engineAt, importBase, SHARED_SOCKET, uniqueName } from './engine-fixture.js';
import { startRegistry, type RegistryFixture, type RegistryOptions } from './registry-fixture.js';

const execute = promisify(execFile);
/** The program as it is shipped. */
export const PROGRAM = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), 'dist', 'main.js');

/** How a run of the program ended. */
export type Ended = { readonly code: number | null; readonly stdout: string; readonly stderr: string; /** milliseconds */ readonly took: number };

/** A run that is under way. */
export type Running = {
  readonly child: ChildProcess;
  /** Standard output and error so far, as they came. */
  output(): string;
  /** Resolves when the output matches; rejects when the run ends first, or after 60 s. */
  waitFor(pattern: RegExp): Promise<void>;
  /** Resolves with what happens elsewhere while the run is at work; rejects with its output when it ends first, or after 60 s. */
  meets<T>(what: Promise<T>): Promise<T>;
  readonly ended: Promise<Ended>;
};

/** One production image of a test's tree. */
export type ImageOptions = {
  /** The changelog's versions, newest first; none: a rolling image. */
  readonly versions?: readonly string[];
  /** Name of the image it is FROM; unset: the test's base image, an outside image. */
  readonly from?: string;
  /** Lines below FROM; `from` may be left out when the first one is a FROM. */
  readonly lines?: readonly string[];
  /** Files beside the template. */
  readonly files?: Readonly<Record<string, string>>;
  /** Body of test.sh; `$1` is the image. */
  readonly test?: string;
  readonly control?: readonly string[];
};

export type ScenarioOptions = {
  readonly registry?: RegistryOptions;
  /** `host:port` that the config names, if not the registry itself (a proxy in front of it). */
  readonly host?: string;
  readonly socketPath?: string;
  /** More lines of config.yaml. */
  readonly config?: string;
};

/** A tree of its own, a registry of its own, and the program as a process; state and cache in folders of their own. */
export type Scenario = {
  readonly directory: string;
  /** What runs of the program find. */
  readonly environment: Readonly<Record<string, string>>;
  readonly registry: RegistryFixture;
  /** `host:port` as the config has it. */
  readonly host: string;
  /** The outside image with a shell that definitions are FROM: `HOST/test-base/tiny:1`. */
  readonly base: string;
  /** Writes (or overwrites) a definition's folder below images/. */
  define(name: string, options?: ImageOptions): void;
  /** Writes a file below the scenario's folder. */
  write(path: string, text: string, mode?: number): void;
  /** Appends lines to config.yaml. */
  configure(lines: string): void;
  run(args: readonly string[], options?: { readonly env?: Readonly<Record<string, string>>; readonly timeout?: number }): Promise<Ended>;
  start(args: readonly string[], env?: Readonly<Record<string, string>>): Running;
  /** Digest that the registry has for a tag of an image of the tree; undefined: none. */
  digest(name: string, tag: string): Promise<string | undefined>;
  tags(name: string): Promise<readonly string[]>;
  /** Labels of a published tag. */
  labels(name: string, tag: string): Promise<Readonly<Record<string, string>>>;
  /** What a file of a published image holds: pulled by digest and read out of a container that never runs. */
  fileIn(name: string, tag: string, path: string): Promise<string>;
  /** Tags of the engine below this scenario's registry. */
  localTags(): Promise<readonly string[]>;
  /** Events of all journals, oldest run first. */
  journal(): readonly Readonly<Record<string, unknown>>[];
  /** Every text that the program kept: journals, logs, cache. */
  kept(): string;
  git(...args: readonly string[]): Promise<string>;
  docker(...args: readonly string[]): Promise<string>;
  close(): Promise<void>;
};

/** Opens a scenario; close it in afterEach or afterAll. */
export async function openScenario(options: ScenarioOptions = {}): Promise<Scenario> {
  const directory = mkdtempSync(join(tmpdir(), 'build-images-e2e-'));
  const registry = await startRegistry(options.registry);
  const socketPath = options.socketPath ?? SHARED_SOCKET;
  const host = options.host ?? registry.host;
  const base = `${registry.host}/test-base/tiny:1`;
  const dockerConfig = join(directory, 'docker');
  const environment = {
    PATH: process.env['PATH']!,
    HOME: join(directory, 'home'),
    DOCKER_CONFIG: dockerConfig,
    DOCKER_HOST: `unix://${socketPath}`,
    XDG_STATE_HOME: join(directory, 'state'),
    XDG_CACHE_HOME: join(directory, 'cache'),
    TMPDIR: tmpdir(),
    LANG: 'C.UTF-8',
  };
  for (const folder of [join(directory, 'images'), environment.HOME, dockerConfig]) mkdirSync(folder, { recursive: true });
  const docker = async (...args: readonly string[]): Promise<string> => (await execute('docker', ['--host', `unix://${socketPath}`, ...args], { env: environment, maxBuffer: 64 * 1024 * 1024 })).stdout.trim();

  const write = (path: string, text: string, mode = 0o644): void => {
    const full = join(directory, path);
    mkdirSync(dirname(full), { recursive: true });
    writeFileSync(full, text);
    chmodSync(full, mode);
  };
  const children = new Set<ChildProcess>();
  const start = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Running => {
    const began = Date.now();
    const child = spawn(process.execPath, [PROGRAM, ...args], { cwd: directory, env: { ...environment, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    children.add(child);
    child.once('exit', () => children.delete(child));
    const [stdout, stderr, both]: [string[], string[], string[]] = [[], [], []];
    const watchers = new Set<() => void>();
    for (const [stream, lines] of [[child.stdout, stdout], [child.stderr, stderr]] as const) {
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        lines.push(chunk);
        both.push(chunk);
        for (const watch of watchers) watch();
      });
    }
    const ended = new Promise<Ended>((resolve) => {
      child.on('close', (code) => resolve({ code, stdout: stdout.join(''), stderr: stderr.join(''), took: Date.now() - began }));
    });
    const output = (): string => both.join('');
    return {
      child,
      output,
      ended,
      waitFor: (pattern) =>
        new Promise((resolve, reject) => {
          const settle = (error?: Error): void => {
            clearTimeout(timer);
            watchers.delete(watch);
            if (error === undefined) resolve();
            else reject(error);
          };
          const watch = (): void => {
            if (pattern.test(output())) settle();
          };
          const timer = setTimeout(() => settle(new Error(`no ${String(pattern)} after 60 s in:\n${output()}`)), 60_000);
          watchers.add(watch);
          watch();
          void ended.then(() => settle(pattern.test(output()) ? undefined : new Error(`ended without ${String(pattern)}:\n${output()}`)));
        }),
      meets: (what) =>
        new Promise((resolve, reject) => {
          const fail = (how: string) => (): void => reject(new Error(`${how}:\n${output()}`));
          const timer = setTimeout(fail('not met within 60 s'), 60_000);
          void what.then(resolve, reject).finally(() => clearTimeout(timer));
          void ended.then(fail('ended before it was met'));
        }),
    };
  };

  write('config.yaml', `registry: ${host}\nnamespace: test\npublish: true\nallowed_sources: ["*"]\ntimeouts: { connect: 2, idle: 15, test: 30 }\n${options.config ?? ''}`);
  const local = `${uniqueName('e2e')}:1`;
  await importBase(local, socketPath);
  await login(registry, options.registry, dockerConfig);
  if (options.registry?.readOnly !== true) {
    await docker('tag', local, base);
    await docker('push', '--quiet', base);
    await docker('rmi', base);
  }

  const scenario: Scenario = {
    directory,
    environment,
    registry,
    host,
    base,
    write,
    define(name, image = {}) {
      const folder = `images/${name}`;
      const from = image.from === undefined ? base : `{{ "${image.from}" | image_tag }}`;
      const lines = image.lines ?? [];
      write(`${folder}/Dockerfile.template`, `${[...(lines[0]?.startsWith('FROM') === true ? [] : [`FROM ${from}`]), ...lines].join('\n')}\n`);
      if (image.versions !== undefined) write(`${folder}/changelog`, changelog(name, image.versions));
      const control = [`Package: ${name}`, ...(image.versions === undefined ? ['Rolling: yes'] : []), ...(image.control ?? [])];
      write(`${folder}/control`, `${control.join('\n')}\n`);
      for (const [path, text] of Object.entries(image.files ?? {})) write(`${folder}/${path}`, text);
      if (image.test !== undefined) write(`${folder}/test.sh`, `#!/bin/bash\n${image.test}\n`, 0o755);
    },
    configure: (lines) => writeFileSync(join(directory, 'config.yaml'), `${readFileSync(join(directory, 'config.yaml'), 'utf8')}${lines}\n`),
    start,
    async run(args, { env = {}, timeout = 120_000 } = {}) {
      const running = start(args, env);
      const timer = setTimeout(() => running.child.kill('SIGKILL'), timeout);
      const ended = await running.ended;
      clearTimeout(timer);
      return ended;
    },
    digest: (name, tag) => digestIn(registry, `test/${name}`, tag),
    async tags(name) {
      const answer = await registry.send('GET', `/v2/test/${name}/tags/list`);
      return answer.status === 404 ? [] : (((JSON.parse(answer.body.toString()) as { tags: string[] | null }).tags ?? []) as string[]).sort();
    },
    async labels(name, tag) {
      const manifest = JSON.parse((await registry.send('GET', `/v2/test/${name}/manifests/${tag}`, undefined, ACCEPT)).body.toString()) as { config: { digest: string } };
      const config = JSON.parse((await registry.send('GET', `/v2/test/${name}/blobs/${manifest.config.digest}`)).body.toString()) as { config: { Labels?: Record<string, string> } };
      return config.config.Labels ?? {};
    },
    async fileIn(name, tag, path) {
      const ref = `${registry.host}/test/${name}@${(await digestIn(registry, `test/${name}`, tag))!}`;
      await docker('pull', '--quiet', ref);
      const container = await docker('create', ref, 'true');
      try {
        const { stdout } = await execute('/bin/sh', ['-c', 'docker --host "$1" cp "$2:$3" - | tar -xO', 'sh', `unix://${socketPath}`, container, path], { env: environment });
        return stdout;
      } finally {
        await docker('rm', '-f', container);
      }
    },
    async localTags() {
      const engine = engineAt(socketPath);
      const images = await engine.list(AbortSignal.timeout(10_000));
      engine.close();
      return images.flatMap(({ tags }) => tags).filter((tag) => tag.startsWith(`${host}/`) || tag.startsWith(`${registry.host}/`)).sort();
    },
    journal: () =>
      filesBelow(join(directory, 'state'))
        .filter((path) => path.endsWith('journal.jsonl'))
        .sort()
        .flatMap((path) => readFileSync(path, 'utf8').split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as Record<string, unknown>)),
    kept: () => [...filesBelow(join(directory, 'state')), ...filesBelow(join(directory, 'cache'))].map((path) => readFileSync(path, 'utf8')).join('\n'),
    async git(...args) {
      const identity = ['-c', 'user.name=Tester', '-c', 'user.email=tester@example.org', '-c', 'init.defaultBranch=main'];
      return (await execute('git', [...identity, ...args], { cwd: directory, env: environment })).stdout.trim();
    },
    docker,
    async close() {
      // A test that failed half way may have left one at work.
      for (const child of children) child.kill('SIGKILL');
      const engine = engineAt(socketPath);
      for (const tag of [...(await scenario.localTags().catch(() => [])), local]) await engine.remove(tag, AbortSignal.timeout(10_000)).catch(() => undefined);
      engine.close();
      // What was pulled by digest has no tag: it is known by that digest alone.
      for (const name of new Set([host, registry.host])) {
        const byDigest = await docker('images', '--digests', '--filter', `reference=${name}/*/*`, '--format', '{{.Repository}}@{{.Digest}}').catch(() => '');
        const refs = [...new Set(byDigest.split('\n'))].filter((one) => /@sha256:/.test(one));
        if (refs.length > 0) await docker('rmi', ...refs).catch(() => undefined);
      }
      await registry.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
  return scenario;
}

const ACCEPT = { accept: 'application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json' };

async function digestIn(registry: RegistryFixture, repository: string, tag: string): Promise<string | undefined> {
  const answer = await registry.send('HEAD', `/v2/${repository}/manifests/${tag}`, undefined, ACCEPT);
  return answer.status === 200 ? String(answer.headers['docker-content-digest']) : undefined;
}

/** A changelog with an entry for each version, newest first. */
export function changelog(name: string, versions: readonly string[]): string {
  return versions.map((version) => `${name} (${version}) trixie; urgency=medium\n\n  * An entry.\n\n -- Tester <tester@example.org>  Thu, 01 Jan 2026 10:00:00 +0000\n`).join('\n');
}

async function login(registry: RegistryFixture, options: RegistryOptions | undefined, dockerConfig: string): Promise<void> {
  const [user] = Object.entries(options?.users ?? {});
  if (user === undefined) return;
  writeFileSync(join(dockerConfig, 'config.json'), JSON.stringify({ auths: { [registry.host]: { auth: Buffer.from(user.join(':')).toString('base64') } } }));
}

function filesBelow(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) => (entry.isFile() ? [join(entry.parentPath, entry.name)] : []));
}
