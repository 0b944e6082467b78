import { replaceSources } from '../definition/dockerfile.js';
import type { Config } from '../shared/config.js';
import type { ImageName } from '../shared/image-ref.js';
import { NoSpaceError } from '../shared/errors.js';
import { BuildFailure, type InspectedImage } from './build-engine.js';
import { failureLines } from './failure-lines.js';
import type { Parent } from './parents.js';
import type { ImageLog, Ports } from './ports.js';
import { StepFailure } from './step-failure.js';

/** One production image's build. */
export type ProductionBuild = {
  readonly image: ImageName;
  readonly templatePath: string;
  readonly dockerfile: string;
  readonly parents: readonly Parent[];
  readonly labels: Readonly<Record<string, string>>;
  /** Full reference that the result gets. */
  readonly tag: string;
  readonly noCache: boolean;
  readonly log: ImageLog;
};

/** How many of a failed build's last lines are shown. */
const SHOWN_LINES = 8;

/** How many of all steps' last lines are looked through for them. */
const KEPT_LINES = 200;

/** Proxies as build arguments, in both spellings that programs look for; Docker keeps these out of history and config. */
export function proxyEnvironment(config: Config): Readonly<Record<string, string>> {
  const proxy = config.httpProxy;
  return proxy === undefined ? {} : { http_proxy: proxy, https_proxy: proxy, HTTP_PROXY: proxy, HTTPS_PROXY: proxy };
}

/** Builds a rendered Dockerfile on the parents' run tags. */
export async function buildProduction(build: ProductionBuild, config: Config, ports: Pick<Ports, 'engine' | 'readContext'>, signal: AbortSignal): Promise<InspectedImage> {
  const runTags = new Map(build.parents.map(({ ref, runTag }) => [ref, runTag]));
  const dockerfile = replaceSources(build.dockerfile, (ref) => runTags.get(ref));
  const context = ports.readContext(build.image);
  if (!context.ok) throw new StepFailure('build', context.problems[0]!.message, context.problems.map(({ path, message }) => `${path}: ${message}`));
  const last: string[] = [];
  const onLine = (line: string): void => {
    build.log.line(line);
    if (line.trim() === '') return;
    last.push(line);
    if (last.length > KEPT_LINES) last.shift();
  };
  try {
    return await ports.engine.build(
      { dockerfile, context: context.value, tag: build.tag, labels: build.labels, buildArgs: proxyEnvironment(config), noCache: build.noCache, platform: config.platform, limits: config.containerLimits, onLine },
      signal,
    );
  } catch (error) {
    if (!(error instanceof BuildFailure)) throw error;
    const shown = failureLines(last, SHOWN_LINES);
    // The program that a RUN starts meets the full disk, not the engine. What is mounted into a build is smaller than the disk.
    if (shown.some((line) => /no space left on device/i.test(line) && !/\/dev\/shm/.test(line))) throw new NoSpaceError(`no space left on the engine's disk: ${error.message}`, ['docker system df   (shows what takes it)']);
    throw new StepFailure('build', error.message, [...shown, `${build.templatePath}${error.line === undefined ? '' : ` (line ${error.line} of the rendered Dockerfile)`}`]);
  }
}
