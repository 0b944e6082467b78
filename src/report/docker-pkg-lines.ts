import { NO_LOGIN, publishingsOf } from '../plan/publishing.js';
import type { Plan, Publishing, Step } from '../plan/step.js';
import type { Event } from '../execute/event.js';
import { EXIT } from '../shared/errors.js';
import type { ImageName } from '../shared/image-ref.js';

/** How a build is shown to whoever knows docker-pkg: its headings, its lines, in its order. */
export type DockerPkgView = {
  /** What one event is to the terminal, at once. */
  lines(event: Event): readonly string[];
  /** All that is shown of a plan with nothing to do. */
  nothingToDo(plan: Plan): readonly string[];
};

/**
 * docker-pkg 4.0.4's terminal, as observed. It publishes when all is built, and we do so image by image: what was published
 * is held back until the run has ended, so that the headings keep their order.
 */
export function createDockerPkgView(): DockerPkgView {
  let steps: ReadonlyMap<ImageName, Step> = new Map();
  let publishing: readonly Publishing[] | undefined;
  const atEnd: string[] = [];

  const refOf = (image: ImageName): string => steps.get(image)?.ref ?? image;
  const nameOf = (image: ImageName): string => withoutTag(refOf(image));
  const notBuilt = (image: ImageName): readonly string[] => [` ERROR: image ${nameOf(image)} failed to build, see logs for details`];
  const builds = (image: ImageName): boolean => steps.get(image)?.action === 'build';
  const later = (line: string): readonly string[] => {
    atEnd.push(line);
    return [];
  };
  const begin = (plan: Pick<Plan, 'steps' | 'publishing'>): readonly string[] => {
    steps = new Map(plan.steps.map((step) => [step.image, step]));
    publishing = publishingsOf(plan.publishing);
    return ['Will build the following images:', ...plan.steps.filter(({ action }) => action === 'build').map(({ ref }) => `* ${ref}`), '== Step 1: building images =='];
  };
  const end = (isDone: boolean): readonly string[] => ['== Step 2: publishing ==', ...(publishing ?? []).flatMap((tree) => (tree.publish ? [] : [notPublishing(tree.why)])), ...atEnd, ...(isDone ? ['== Build done! =='] : [])];

  return {
    nothingToDo: (plan) => [...begin(plan), ...end(true)],
    lines(event) {
      switch (event.type) {
        case 'run-started':
          return begin(event);
        case 'tested':
        case 'untested':
          return builds(event.image) ? [`* Built image ${refOf(event.image)}`] : [];
        case 'failed':
          if (event.phase === 'build' || event.phase === 'test') return notBuilt(event.image);
          return later(` ERROR: ${event.phase === 'promote' ? ':latest of image' : 'image'} ${nameOf(event.image)} failed to ${event.phase === 'promote' ? 'move' : 'publish'}, see logs for details`);
        case 'blocked':
        case 'not-started':
          return builds(event.image) ? notBuilt(event.image) : later(` ERROR: image ${nameOf(event.image)} failed to publish, see logs for details`);
        case 'published':
          return later(`Successfully published image ${refOf(event.image)}`);
        case 'finished-locally':
          return publishing?.some(({ publish }) => publish) === true ? later(`NOT publishing image ${refOf(event.image)}: ${event.because}`) : [];
        case 'run-finished':
          // A run that ended before its plan was begun has shown no heading yet.
          return publishing === undefined ? [] : end(event.exit === EXIT.ok || event.exit === EXIT.failed);
        case 'night-started':
        case 'step-started':
        case 'built':
        case 'promotion-intended':
        case 'withdrawn':
        case 'lifted':
        case 'promoted':
        case 'put-back':
        case 'stopped':
        case 'cache-pruned':
        case 'prune-started':
        case 'deleted':
        case 'kept':
        case 'warning':
        case 'unchanged':
          return [];
      }
    },
  };
}

function notPublishing(why: string): string {
  return why.startsWith(NO_LOGIN) ? 'NOT publishing images as we have no auth setup' : `NOT publishing images: ${why}`;
}

/** `registry/namespace/name` of `registry/namespace/name:tag`. */
function withoutTag(ref: string): string {
  return ref.slice(0, ref.lastIndexOf(':'));
}
