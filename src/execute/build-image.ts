import { stackOf, versionLabelOf, type Definition } from '../definition/definition.js';
import type { Graph, Node } from '../graph/graph.js';
import type { Step } from '../plan/step.js';
import type { TreeConfig } from '../shared/config.js';
import { RegistryError } from '../shared/errors.js';
import { formatImageRef, withTag, type ImageName } from '../shared/image-ref.js';
import { isPlatform } from '../shared/platform.js';
import { shortDigest, type Digest } from '../shared/digest.js';
import type { PublishedImage } from '../state/state.js';
import type { ParentDigests } from '../state/labels.js';
import { buildBase } from './build-base.js';
import type { InspectedImage } from './build-engine.js';
import { buildStep } from './build-step.js';
import { buildProduction, proxyEnvironment } from './build-production.js';
import { parseEpoch, type FormerBase } from './base-image.js';
import { checkStack, type StackPlatforms } from './check-stack.js';
import type { Progress } from './event.js';
import { imageLabels } from './image-labels.js';
import { untestedTag } from './leftovers.js';
import type { Parent } from './parents.js';
import type { ImageLog, Ports } from './ports.js';
import { compare, mayBeSame, rememberTry } from './same-image.js';
import { StepFailure } from './step-failure.js';
import { imageTest } from './test-command.js';
import { within } from './within.js';

/** What all images of one run share. */
export type Work = {
  /** Marks the temporary tags of this run on the engine. */
  readonly token: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly graph: Graph;
  readonly ports: Ports;
  readonly definitions: ReadonlyMap<ImageName, Digest>;
  readonly useCache: boolean;
  /** SOURCE_DATE_EPOCH, if the user set one. */
  readonly epoch: number | undefined;
  /** What `:latest` of an image is, as planning read it. */
  latest(image: ImageName): PublishedImage | undefined;
  bring(node: Node): Promise<readonly Parent[]>;
  readonly stackPlatforms: StackPlatforms;
  /** Whether a refresh of an image came out as it was. */
  cameOutSame(image: ImageName): boolean;
};

/** What one image's work made. */
export type Made = {
  /** Undefined: what the registry had already. */
  readonly id: string | undefined;
  /** Set when it is in the registry. */
  readonly digest: Digest | undefined;
  /** It is what `:latest` was, and nothing moves. */
  readonly same?: true;
};

/** Takes one image through its phases: build (unless the engine has it), test, publish. Throws what went wrong. */
export async function makeImage(step: Step, log: ImageLog, work: Work, signal: AbortSignal): Promise<Made> {
  const node = work.graph.nodes.get(step.image)!;
  const untested = isPlainBuild(step, node, work) ? step.ref : formatImageRef(withTag(node.ref, untestedTag(work.token, step.tag)));
  const show = (phase: Progress['phase'], part?: string): void => work.ports.show({ image: step.image, phase, step: part });
  const buildLog = watchedLog(log, (part) => show('build', part));
  try {
    show('pull');
    const parents = step.action === 'build' ? await work.bring(node) : [];
    show('build');
    const limit = node.tree.config.timeouts.build;
    const tooLong = (): Error => new StepFailure('build', `its build did not end within ${limit} s`);
    const image = step.action === 'build' ? await within(limit, signal, tooLong, (either) => build(step, node, parents, untested, buildLog, work, either)) : await existing(step, untested, work, signal);
    const compared = mayBeSame(step, (parent) => work.cameOutSame(parent)) ? await compare(image, node, step.latestBefore!, work.ports, signal) : undefined;
    if (compared?.same === true) {
      rememberTry(step, step.latestBefore!, work.ports);
      return keptAsItIs(step, true, work.ports);
    }
    show('test');
    await test(step, node, untested, log, work, signal);
    show('publish');
    const made = await finish(step, image, untested, whyNotPublished(step, image, parents, node.tree), work, signal);
    if (compared !== undefined && made.digest !== undefined) work.ports.refreshMemory.rememberContent(made.digest, compared.content);
    return made;
  } finally {
    // Also after an abort: the tag must not outlive its run.
    if (untested !== step.ref) await removeQuietly(untested, work);
  }
}

/** Whether nothing comes between the build and its final name: it is not tested, and stays on this engine. That spares a busy engine two requests an image. */
function isPlainBuild(step: Step, { definition, tree: { config } }: Node, { ports }: Work): boolean {
  if (step.action !== 'build' || step.publishes || step.unlessSame === true || definition.recipe.kind !== 'production') return false;
  return 'nothing' in imageTest(config, ports.absolute(definition.directory), step.ref, (path) => ports.tests.exists(path));
}

async function removeQuietly(ref: string, { ports }: Work): Promise<void> {
  await ports.engine.remove(ref, AbortSignal.timeout(4000)).catch(() => undefined);
}

/** What a refresh that brings nothing new makes of an image: what `:latest` was. */
export function keptAsItIs(step: Step, built: boolean, { tell }: Pick<Ports, 'tell'>): Made {
  const digest = step.latestBefore!;
  tell({ type: 'unchanged', image: step.image, tag: step.now ?? 'latest', digest, built });
  return { id: undefined, digest, same: true };
}

/** A log that also tells which step of the build a line begins. */
function watchedLog(log: ImageLog, onStep: (step: string) => void): ImageLog {
  return {
    ...log,
    line(text) {
      log.line(text);
      const step = buildStep(text);
      if (step !== undefined) onStep(step);
    },
  };
}

async function build(step: Step, node: Node, parents: readonly Parent[], untested: string, log: ImageLog, work: Work, signal: AbortSignal): Promise<InspectedImage> {
  const { ports, graph } = work;
  const started = ports.now();
  const { definition, tree: { config } } = node;
  const digest = work.definitions.get(step.image)!;
  const folder = await ports.revisionOf(definition.context ?? definition.directory);
  const recorded: ParentDigests = Object.fromEntries(parents.map((parent) => [recordedRef(parent.ref, node, graph), parent.digest]));
  const baseParent = parents.find(({ ref }) => ref === node.base);
  const base = baseParent === undefined ? undefined : { ref: recordedRef(baseParent.ref, node, graph), digest: baseParent.digest, labels: baseParent.image.labels };
  const version = versionLabelOf(definition.tagSource) === undefined ? undefined : step.tag;
  const tried = step.reasons.flatMap((reason) => (reason.why === 'packages-outdated' ? reason.tried : []));
  const facts = { definition, digest, parents: recorded, folder, base, version, platform: config.platform, tried };

  // The one place of executing in which kinds differ.
  let image: InspectedImage;
  switch (definition.recipe.kind) {
    case 'production':
    case 'stack': {
      const labels = imageLabels({ ...facts, created: new Date(work.startedAt).toISOString().replace(/\.\d+Z$/, 'Z'), packages: undefined });
      const { templatePath } = definition.recipe;
      image = await buildProduction({ image: step.image, templatePath, dockerfile: node.dockerfile!, parents, labels, tag: untested, noCache: !work.useCache, log }, config, ports, signal);
      // Looked at behind the build: then nothing that it read can have been other files.
      if (ports.digestNow(step.image) !== digest) {
        // By its final name it would be taken for what its label says.
        await removeQuietly(untested, work);
        throw new StepFailure('build', 'its files changed since this run was planned; run again');
      }
      break;
    }
    case 'base': {
      const { rootfs, rootfsPath } = definition.recipe;
      const labels = (created: string, packages: Digest): Readonly<Record<string, string>> => imageLabels({ ...facts, created, packages });
      await buildBase({ rootfs, rootfsPath, tag: untested, epoch: work.epoch, former: formerBase(work.latest(step.image), digest), labels, log }, config, ports, signal);
      image = await present(untested, work, signal);
      break;
    }
  }
  ports.tell({ type: 'built', image: step.image, seconds: (ports.now() - started) / 1000, size: image.size, id: image.id });
  return image;
}

/** What an earlier run left on the engine, under this run's name for what is not tested. */
async function existing(step: Step, untested: string, work: Work, signal: AbortSignal): Promise<InspectedImage> {
  await work.ports.engine.tag(step.localId!, untested, signal);
  return present(untested, work, signal);
}

/** Whether making an image needs room for temporary files beside the engine's disk. */
export function fillsScratch({ recipe }: Definition): boolean {
  return recipe.kind === 'base';
}

/** The reference under which a parent is recorded: one of the tree by its own, whatever way the Dockerfile spells it. */
function recordedRef(ref: string, node: Node, graph: Graph): string {
  const image = node.sources.find((source) => source.ref === ref)?.image;
  return image === undefined ? ref : formatImageRef(graph.nodes.get(image)!.ref);
}

/** What the published base was made with, if it was made from this same definition. */
function formerBase(latest: PublishedImage | undefined, digest: Digest): FormerBase | undefined {
  const { provenance } = latest ?? {};
  const epoch = parseEpoch(provenance?.created);
  if (provenance === undefined || provenance.definition !== digest || provenance.packages === undefined || epoch === undefined) return undefined;
  return { epoch, packagesDigest: provenance.packages };
}

async function present(ref: string, work: Work, signal: AbortSignal): Promise<InspectedImage> {
  const image = await work.ports.engine.inspect(ref, signal);
  if (image === undefined) throw new StepFailure('build', `the engine no longer has ${ref}`);
  return image;
}

async function test(step: Step, node: Node, untested: string, log: ImageLog, work: Work, signal: AbortSignal): Promise<void> {
  const { ports } = work;
  const { config } = node.tree;
  const stack = stackOf(node.definition);
  if (stack !== undefined) await checkStack(node.definition, stack, untested, log, { images: ports.images, platforms: work.stackPlatforms }, signal);
  const directory = ports.absolute(node.definition.directory);
  const wanted = imageTest(config, directory, untested, (path) => ports.tests.exists(path));
  if ('nothing' in wanted) {
    ports.tell({ type: 'untested', image: step.image, because: wanted.nothing });
    return;
  }
  const started = ports.now();
  const last: string[] = [];
  const onLine = (line: string): void => {
    log.line(line);
    last.push(line);
    if (last.length > 8) last.shift();
  };
  log.line(`$ ${[wanted.command, ...wanted.args].join(' ')}`);
  const end = await ports.tests.run({ ...wanted, directory, environment: proxyEnvironment(config), timeoutSeconds: config.timeouts.test, onLine }, signal);
  const seconds = (ports.now() - started) / 1000;
  switch (end.end) {
    case 'exited':
      if (end.code !== 0) throw new StepFailure('test', `its test failed: exit ${end.code}`, last);
      ports.tell({ type: 'tested', image: step.image, seconds });
      return;
    case 'killed':
      throw new StepFailure('test', `its test was killed (${end.signal})`, last);
    case 'timed-out':
      throw new StepFailure('test', `its test did not end within ${config.timeouts.test} s`, last);
    case 'not-started':
      throw new StepFailure('test', `its test could not be started: ${end.because}`);
  }
}

/** Why a good image stays on this engine; undefined: it is published. */
function whyNotPublished(step: Step, image: InspectedImage, parents: readonly Parent[], { config }: TreeConfig): string | undefined {
  if (!step.publishes) return 'not publishing';
  if (config.platform !== undefined && !isPlatform(image.platform, config.platform)) return `it is for ${image.platform}, and the config says platform: ${config.platform}`;
  return parents.find(({ unpublishable }) => unpublishable !== undefined)?.unpublishable;
}

/** Whether a pushed manifest is this image: engines note it at the image, or (containerd's store) call the image by it. */
async function isImage(digest: Digest, id: string, { ports }: Work, signal: AbortSignal): Promise<boolean> {
  return digest === id || (await ports.engine.inspect(id, signal))?.repoDigests.some((name) => name.endsWith(`@${digest}`)) === true;
}

/** @param name what the image is called so far */
async function finish(step: Step, image: InspectedImage, name: string, because: string | undefined, work: Work, signal: AbortSignal): Promise<Made> {
  const { engine, registry, tell } = work.ports;
  const node = work.graph.nodes.get(step.image)!;
  if (because !== undefined) {
    if (name !== step.ref) await engine.tag(image.id, step.ref, signal);
    tell({ type: 'finished-locally', image: step.image, tag: step.tag, id: image.id, because });
    return { id: image.id, digest: undefined };
  }
  const ref = withTag(node.ref, step.tag);
  const taken = await registry.digestOf(ref, signal);
  if (taken !== undefined) throw new StepFailure('publish', `${step.ref} was published by someone else since this run began; run again`);
  await engine.tag(image.id, step.ref, signal);
  const limit = node.tree.config.timeouts.build;
  // A registry that takes the last byte and never answers would keep the engine waiting for ever.
  const digest = await within(limit, signal, () => new RegistryError(`the push of ${step.ref} did not end within ${limit} s`, node.ref.registry, undefined), (either) => engine.push(step.ref, either));
  if (!(await isImage(digest, image.id, work, signal))) throw new StepFailure('publish', `what was pushed as ${step.ref} is not the image that was tested: another run on this engine took its name meanwhile; publish a new version`);
  const answered = await registry.digestOf(ref, signal);
  if (answered !== digest) throw new StepFailure('publish', `${step.ref} is ${answered === undefined ? 'not there' : shortDigest(answered)} in the registry right after ${shortDigest(digest)} was pushed: somebody else writes to it; run again`);
  tell({ type: 'published', image: step.image, tag: step.tag, digest });
  return { id: image.id, digest };
}
