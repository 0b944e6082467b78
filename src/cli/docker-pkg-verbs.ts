import type { Event } from '../execute/event.js';
import type { Graph } from '../graph/graph.js';
import type { DockerPkgPruneView } from '../report/docker-pkg-prune.js';
import { formatImageRef, type ImageName } from '../shared/image-ref.js';
import { LOG_FILE, type DockerPkgLog } from './docker-pkg-log.js';
import type { Verb } from './verb.js';
import type { Showing } from './watch-run.js';

/** The verbs of docker-pkg: build-images' own, each shown in docker-pkg's lines, which stand on standard output, and in its log. */
export const DOCKER_PKG_VERBS = {
  async build(log: DockerPkgLog): Promise<Verb> {
    const [{ buildShown }, showing] = await Promise.all([import('./build.js'), showBuild(log)]);
    return buildShown(showing);
  },

  async update(log: DockerPkgLog): Promise<Verb> {
    const [{ imagesNamed, updateShown }, { selectImages }, { formatUpdate }] = await Promise.all([import('./update.js'), import('../graph/select.js'), import('../report/format-update.js')]);
    return updateShown({
      // docker-pkg takes every name for a glob's beginning and end; a plain one is the whole name to us.
      named(graph, names) {
        const globs = names.filter((name) => /[*?[]/.test(name));
        const { images, missed } = selectImages(graph, globs.map((glob) => `*${glob}:*`));
        return [...images, ...imagesNamed(graph, [...names.filter((name) => !globs.includes(name)), ...globs.filter((glob) => missed.includes(`*${glob}:*`))])];
      },
      show(graph, plan, end, _, { out }) {
        out('Will update the following images: ');
        for (const { image } of [...plan.steps, ...plan.unchanged]) out(`* ${nameOf(graph, image)}`);
        out('== Step 1: adding updates');
        for (const line of formatUpdate(plan, end)) log.line('INFO', line);
      },
    });
  },

  async prune(log: DockerPkgLog): Promise<Verb> {
    const [{ pruneShown }, { selection }, { isVersioned }, { createDockerPkgPruneView }, { formatPrunePlan }] = await Promise.all([
      import('./prune.js'),
      import('./planning.js'),
      import('../graph/graph.js'),
      import('../report/docker-pkg-prune.js'),
      import('../report/format-prune.js'),
    ]);
    let view: DockerPkgPruneView | undefined;
    return pruneShown({
      begin(tree, options, { out }) {
        const selected = selection(tree, options);
        const mine = [...tree.graph.nodes].reverse().filter(([image]) => selected?.has(image) !== false);
        const night = options.nightlyId;
        view = createDockerPkgPruneView(new Map(mine.map(([image, node]) => [image, night === undefined ? formatImageRef(node.ref) : isVersioned(node) ? `${formatImageRef(node.ref)}-${night}` : `${nameOf(tree.graph, image)}:nightly-${night}`])));
        for (const line of view.begin()) out(line);
      },
      plan(plan, _, { out }) {
        for (const line of view!.nothingToDo(plan.steps)) out(line);
        for (const line of formatPrunePlan(plan, false)) if (line !== '') log.line('INFO', line);
      },
      watch: watchedBy((event) => view!.lines(event), log),
    });
  },
} as const;

/** `registry/namespace/name`. */
function nameOf(graph: Graph, image: ImageName): string {
  const ref = formatImageRef(graph.nodes.get(image)!.ref);
  return ref.slice(0, ref.lastIndexOf(':'));
}

/** Why something failed is said on standard error, too. */
async function showBuild(log: DockerPkgLog): Promise<Showing> {
  const [{ createDockerPkgView }, { createLogView }] = await Promise.all([import('../report/docker-pkg-lines.js'), import('../report/log-lines.js')]);
  const view = createDockerPkgView();
  const goodbye = log.inFile() ? [`You can see the logs at ${LOG_FILE}`] : [];
  return {
    plan(plan, _, { out }) {
      for (const line of [...view.nothingToDo(plan), ...goodbye]) out(line);
      for (const { level, text } of createLogView().plan(plan)) log.say(level, text);
    },
    watch: watchedBy((event) => [...view.lines(event), ...(event.type === 'run-finished' ? goodbye : [])], log),
  };
}

/** A run's lines on standard output, all that happens in the log. */
function watchedBy(linesOf: (event: Event) => readonly string[], log: DockerPkgLog): Showing['watch'] {
  return async (_, environment, { redact }) => {
    const [{ createLogView }, { watchLive }] = await Promise.all([import('../report/log-lines.js'), import('./watch-run.js')]);
    const { terminal, out } = environment;
    const logView = createLogView();
    const live = terminal === undefined ? undefined : await watchLive(terminal, environment, redact);
    return {
      tell(event) {
        live?.tell(event);
        for (const line of linesOf(event)) out(redact(line));
        for (const { level, text } of logView.lines(event)) log.say(level, redact(text));
      },
      show: (progress) => live?.show(progress),
      output: (image, line) => log.line('INFO', redact(line), image),
    };
  };
}
