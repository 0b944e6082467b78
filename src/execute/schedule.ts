import type { ImageName } from '../shared/image-ref.js';

/** What became of one image. */
export type Result =
  /** Done, or nothing was to be done: what stands on it may go on. */
  | 'done'
  | 'failed'
  /** Something that it stands on failed. */
  | 'blocked'
  /** Nothing was tried: the run stopped first. */
  | 'not-started';

/** One image to work on, and what must be done before it. */
export type Task = {
  readonly image: ImageName;
  readonly parents: readonly ImageName[];
};

/** How tasks are worked through, and who is told. */
export type ScheduleOptions = {
  /** How many at once. */
  readonly jobs: number;
  /** Works on one image; resolves to whether it succeeded. Must not reject. */
  readonly run: (image: ImageName) => Promise<boolean>;
  /** Asked before each start: false ends the run once what is under way has ended. */
  readonly mayStart: (image: ImageName) => boolean;
  /** Started only when nothing else can be. */
  readonly last?: ReadonlySet<ImageName> | undefined;
  /** Told of each image that is never tried, and of the failed one nearest above it. */
  readonly onBlocked: (image: ImageName, by: ImageName) => void;
};

/** Length of the longest chain of tasks that begins with each task. */
export function chainLengths(tasks: readonly Task[]): ReadonlyMap<ImageName, number> {
  const length = new Map(tasks.map(({ image }) => [image, 1]));
  // Tasks come parents first, so backwards each child is known before its parents.
  for (const { image, parents } of [...tasks].reverse()) {
    for (const parent of parents) if (length.has(parent)) length.set(parent, Math.max(length.get(parent)!, length.get(image)! + 1));
  }
  return length;
}

/**
 * Works through tasks (given parents first), several at once: of those whose parents are done, the one with the longest chain
 * of descendants first, and those of `last` behind all others. A failure blocks descendants and nobody else.
 */
export async function schedule(tasks: readonly Task[], options: ScheduleOptions): Promise<ReadonlyMap<ImageName, Result>> {
  const results = new Map<ImageName, Result>();
  const known = new Set(tasks.map(({ image }) => image));
  const waitsFor = new Map(tasks.map(({ image, parents }) => [image, new Set(parents.filter((parent) => known.has(parent)))]));
  const children = new Map<ImageName, ImageName[]>(tasks.map(({ image }) => [image, []]));
  for (const [image, parents] of waitsFor) for (const parent of parents) children.get(parent)!.push(image);
  const length = chainLengths(tasks);
  const position = new Map(tasks.map(({ image }, index) => [image, index]));
  const ready = tasks.filter(({ image }) => waitsFor.get(image)!.size === 0).map(({ image }) => image);

  const block = (failed: ImageName): void => {
    const waiting = [...children.get(failed)!];
    for (const image of waiting) {
      if (results.has(image)) continue;
      results.set(image, 'blocked');
      options.onBlocked(image, failed);
      waiting.push(...children.get(image)!);
    }
  };
  const finish = (image: ImageName, succeeded: boolean): void => {
    results.set(image, succeeded ? 'done' : 'failed');
    if (!succeeded) return block(image);
    for (const child of children.get(image)!) {
      const missing = waitsFor.get(child)!;
      missing.delete(image);
      if (missing.size === 0 && !results.has(child)) ready.push(child);
    }
  };

  const turn = (image: ImageName): number => (options.last?.has(image) === true ? 1 : 0);
  const running = new Set<Promise<void>>();
  for (;;) {
    while (ready.length > 0 && running.size < options.jobs) {
      ready.sort((a, b) => turn(a) - turn(b) || length.get(b)! - length.get(a)! || position.get(a)! - position.get(b)!);
      if (!options.mayStart(ready[0]!)) break;
      const image = ready.shift()!;
      const work: Promise<void> = options.run(image).then((succeeded) => {
        finish(image, succeeded);
        running.delete(work);
      });
      running.add(work);
    }
    if (running.size === 0) break;
    await Promise.race(running);
  }
  for (const { image } of tasks) if (!results.has(image)) results.set(image, 'not-started');
  return results;
}
