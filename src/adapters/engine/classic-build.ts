import { BuildFailure, type BuildRequest, type InspectedImage } from '../../execute/build-engine.js';
import type { ContainerLimits } from '../../shared/container-limits.js';
import { EngineError, Fault } from '../../shared/errors.js';
import { parseImageRef } from '../../shared/image-ref.js';
import { answerWithin } from './answer-within.js';
import { credentialsKey, type RegistryLogin } from './buildkit-session.js';
import { classicContext } from './classic-context.js';
import { explainClassicFailure } from './classic-failure.js';
import { createClassicProgress } from './classic-progress.js';
import type { Clock } from '../clock.js';
import { placesIn } from './dockerfile-place.js';
import { asEngineFault, EngineRefusal, type EngineConnection } from './engine-connection.js';
import { errorOf, readRecords } from './engine-records.js';
import { urlSafe } from './url-safe.js';
import { inspectImage } from './inspect-image.js';

/** What the classic builder is told of its run. */
export type ClassicOptions = {
  credentialsFor(registryHost: string): Promise<RegistryLogin | undefined>;
  readonly clock: Clock;
  /** Seconds for what the engine can answer at once. */
  readonly patience: number;
  /** Why this and not BuildKit: what follows "needs BuildKit, ". */
  readonly because: string;
};

/** How long the engine gets to be gone, after a step that was killed from outside, before the step is blamed. Milliseconds. */
const SHUTDOWN_GRACE = 1_000;

/** Builds with the engine's classic builder, which applies limits and needs no session: the context is the body of the request. The image. */
export async function buildClassic(connection: EngineConnection, request: BuildRequest, options: ClassicOptions, signal: AbortSignal): Promise<InspectedImage> {
  const { clock, patience } = options;
  const quickly = <T>(ask: (signal: AbortSignal) => Promise<T>): Promise<T> => answerWithin(connection.address, patience, signal, ask);
  refuseMounts(request.dockerfile, options.because);
  if (request.limits !== undefined) await proveLimits(request.limits, quickly, connection);

  let ended = false;
  const progress = createClassicProgress((line) => {
    if (!ended) request.onLine(line);
  }, () => clock.now());
  let failure: string | undefined;
  let built = false;
  const { dockerfile, labels } = withLabels(request.dockerfile, request.labels);
  const { archive, dockerfilePath } = await classicContext(dockerfile, request.context);
  let contextFault: Error | undefined;
  archive.on('error', (error) => (contextFault = error));
  try {
    const stream = await connection.open({
      method: 'POST',
      path: '/build',
      query: classicQuery(request, dockerfilePath, labels),
      headers: { 'Content-Type': 'application/x-tar', 'X-Registry-Config': await registryConfig(request.dockerfile, options) },
      body: archive,
      signal,
    });
    try {
      for await (const record of readRecords(stream)) {
        failure ??= errorOf(record);
        built ||= typeof (record.aux as { ID?: unknown } | undefined)?.ID === 'string';
        progress.add(record);
      }
    } finally {
      stream.destroy();
    }
  } catch (error) {
    signal.throwIfAborted();
    if (contextFault === undefined && !(error instanceof EngineRefusal)) throw error instanceof Fault ? error : asEngineFault(error, connection.address);
    failure ??= (error as Error).message;
  } finally {
    archive.destroy();
    progress.end(failure);
    ended = true;
  }
  // The engine tells of a broken body in its own words, if it gets to it at all.
  if (contextFault !== undefined) throw new BuildFailure(`build context: ${contextFault.message}`, undefined);
  if (failure !== undefined) {
    // An engine that is being stopped kills its steps first and goes away a moment later: ask it before blaming the Dockerfile.
    if (/code: 137$|context canceled/.test(failure)) await clock.sleep(SHUTDOWN_GRACE, signal);
    throw (await connection.ping()) ?? (await explainClassicFailure(failure, progress.step(), request.dockerfile, request.limits));
  }
  if (!built) throw new EngineError(`the engine ended the build of ${request.tag} without an image and without a word`);
  const image = await quickly((limited) => inspectImage(connection, request.tag, limited));
  if (image === undefined) throw new EngineError(`the engine built ${request.tag} but does not have it`);
  return image;
}

/** The engine would say it only once it gets there, after all that stands above. */
function refuseMounts(dockerfile: string, because: string): void {
  for (const { keyword, flags, line } of placesIn(dockerfile)) {
    const mount = keyword === 'RUN' ? flags.find((flag) => flag.startsWith('--mount=')) : undefined;
    if (mount !== undefined) throw new BuildFailure(`RUN --mount${/\btype=(?:secret|ssh)\b/.exec(mount)?.[0].replace('type', '=type') ?? ''} needs BuildKit, ${because}`, line);
  }
}

type EngineAbilities = { readonly MemoryLimit?: boolean; readonly CPUShares?: boolean; readonly CPUSet?: boolean };

/** An engine that cannot apply a limit builds without it and says so nowhere. */
async function proveLimits(limits: ContainerLimits, quickly: <T>(ask: (signal: AbortSignal) => Promise<T>) => Promise<T>, connection: EngineConnection): Promise<void> {
  const able = (await quickly((signal) => connection.ask({ method: 'GET', path: '/info', signal }))) as EngineAbilities;
  const lacking = [
    limits.memory !== undefined && able.MemoryLimit === false ? 'memory' : undefined,
    limits.cpushares !== undefined && able.CPUShares === false ? 'cpushares' : undefined,
    limits.cpusetcpus !== undefined && able.CPUSet === false ? 'cpusetcpus' : undefined,
  ].filter((name) => name !== undefined);
  if (lacking.length > 0) throw new EngineError(`the engine cannot limit ${lacking.join(', ')} on this machine, as container_limits asks`, ['docker info shows what its kernel lacks']);
}

function classicQuery(request: BuildRequest, dockerfile: string, labels: Readonly<Record<string, string>>): Record<string, string> {
  return {
    dockerfile,
    t: request.tag,
    labels: JSON.stringify(labels),
    buildargs: JSON.stringify(request.buildArgs),
    rm: '1',
    forcerm: '1',
    ...Object.fromEntries(Object.entries(request.limits ?? {}).map(([limit, value]) => [limit, String(value)])),
    ...(request.noCache ? { nocache: '1' } : {}),
    ...(request.platform === undefined ? {} : { platform: request.platform }),
  };
}

/** What a Dockerfile's line may hold. Characters. */
const LONGEST_LINE = 60_000;

/**
 * The labels as one instruction more: of those in its query the engine makes an instruction, and so a container, each. What a line
 * cannot hold is left for the query.
 */
function withLabels(dockerfile: string, labels: Readonly<Record<string, string>>): { readonly dockerfile: string; readonly labels: Readonly<Record<string, string>> } {
  const all = Object.entries(labels);
  const inLine = all.filter((label) => !/[\u0000-\u001f]/.test(label.join('')));
  // Nothing is special inside single quotes (Dockerfile reference, "Environment replacement").
  const quoted = (text: string): string => `'${text.replaceAll("'", `'"'"'`)}'`;
  const line = `LABEL ${inLine.map(([key, value]) => `${quoted(key)}=${quoted(value)}`).join(' ')}`;
  if (inLine.length === 0 || line.length > LONGEST_LINE || /[\\`]\s*$/.test(dockerfile)) return { dockerfile, labels };
  return { dockerfile: `${dockerfile.trimEnd()}\n${line}\n`, labels: Object.fromEntries(all.filter((label) => !inLine.includes(label))) };
}

/** The logins for the registries that the Dockerfile names, all at once: the classic builder asks for none later. */
async function registryConfig(dockerfile: string, { credentialsFor }: ClassicOptions): Promise<string> {
  const named = placesIn(dockerfile).flatMap(({ keyword, args, flags }) => (keyword === 'FROM' ? [args.split(/\s+/)[0]!] : flags.flatMap((flag) => /^--from=(.+)/.exec(flag)?.[1] ?? [])));
  const hosts = new Set(named.flatMap((name) => parseImageRef(name)?.registry ?? []).map(credentialsKey));
  const logins = await Promise.all([...hosts].map(async (host) => [host, await credentialsFor(host)] as const));
  const config = Object.fromEntries(logins.flatMap(([host, login]) => (login === undefined ? [] : [[host, { ...login, serveraddress: host }]])));
  return urlSafe(config);
}
