import type { Node } from '../graph/graph.js';
import type { Step } from '../plan/step.js';
import type { Digest } from '../shared/digest.js';
import { RegistryError } from '../shared/errors.js';
import type { ImageName } from '../shared/image-ref.js';
import type { InspectedImage } from './build-engine.js';
import type { Ports } from './ports.js';

/** What was built, against what is published: whether it is the same but for times; `content`: what it is, for the next time. */
export type Comparison = { readonly same: boolean; readonly content: Digest };

/** Whether all that a step is built for beside itself came out as it was. */
export function isSpared(step: Step, cameOutSame: (parent: ImageName) => boolean): boolean {
  return step.unlessSame === true && step.reasons.every((reason) => (reason.why === 'parent-refreshed' ? cameOutSame(reason.parent) : reason.why === 'age-unknown'));
}

/** Whether a step's image may still come out as it is: none of its parents became another one. */
export function mayBeSame(step: Step, cameOutSame: (parent: ImageName) => boolean): boolean {
  return step.unlessSame === true && step.reasons.every((reason) => reason.why !== 'parent-refreshed' || cameOutSame(reason.parent));
}

/** Compares a built image with what `:latest` is, which is pulled if nobody remembers what it holds. What cannot be had is not the same. */
export async function compare(built: InspectedImage, { ref }: Node, latest: Digest, { engine, images, registry, refreshMemory }: Pick<Ports, 'engine' | 'images' | 'registry' | 'refreshMemory'>, signal: AbortSignal): Promise<Comparison> {
  const content = await images.digestOf(built.id, signal);
  const remembered = refreshMemory.content(latest);
  if (remembered !== undefined) return { same: remembered === content, content };
  const names = await registry.namesOf(ref, latest, signal);
  try {
    const there = await present(names);
    if (there === undefined) await engine.pull(names.at(-1)!, signal, built.platform);
    const published = await images.digestOf(there ?? names.at(-1)!, signal);
    refreshMemory.rememberContent(latest, published);
    return { same: published === content, content };
  } catch (error) {
    if (error instanceof RegistryError && error.status !== undefined) return { same: false, content };
    throw error;
  }

  async function present(candidates: readonly string[]): Promise<string | undefined> {
    for (const name of candidates) if ((await engine.inspect(name, signal)) !== undefined) return name;
    return undefined;
  }
}

/** Keeps in mind what a rebuild was made for that gave the same image again. */
export function rememberTry({ reasons }: Step, latest: Digest, { refreshMemory, now }: Pick<Ports, 'refreshMemory' | 'now'>): void {
  const marks = reasons.flatMap((reason) => (reason.why === 'packages-outdated' ? reason.tried : []));
  refreshMemory.rememberTried(latest, { marks: [...new Set([...(refreshMemory.tried(latest)?.marks ?? []), ...marks])], at: now() });
}
