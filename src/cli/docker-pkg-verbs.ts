import type { Graph } from '../graph/graph.js';
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
} as const;

/** `registry/namespace/name`. */
function nameOf(graph: Graph, image: ImageName): string {
  const ref = formatImageRef(graph.nodes.get(image)!.ref);
  return ref.slice(0, ref.lastIndexOf(':'));
}

/** Why something failed is said on standard error, too. */
async function showBuild(log: DockerPkgLog): Promise<Showing> {
  const [{ createDockerPkgView }, { createLogView }, { watchLive }] = await Promise.all([import('../report/docker-pkg-lines.js'), import('../report/log-lines.js'), import('./watch-run.js')]);
  const [view, logView] = [createDockerPkgView(), createLogView()];
  const goodbye = log.inFile() ? [`You can see the logs at ${LOG_FILE}`] : [];
  return {
    plan(plan, _, { out }) {
      for (const line of [...view.nothingToDo(plan), ...goodbye]) out(line);
      for (const { level, text } of logView.plan(plan)) log.say(level, text);
    },
    async watch(_, environment, { redact }) {
      const { terminal, out } = environment;
      const live = terminal === undefined ? undefined : await watchLive(terminal, environment, redact);
      return {
        tell(event) {
          live?.tell(event);
          for (const line of view.lines(event)) out(redact(line));
          for (const { level, text } of logView.lines(event)) log.say(level, redact(text));
          if (event.type === 'run-finished') goodbye.forEach(out);
        },
        show: (progress) => live?.show(progress),
        output: (image, line) => log.line('INFO', redact(line), image),
      };
    },
  };
}
