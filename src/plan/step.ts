import type { Kind } from '../definition/definition.js';
import type { Nightly } from '../definition/nightly.js';
import type { Digest } from '../shared/digest.js';
import type { ImageName } from '../shared/image-ref.js';
import type { Need } from '../state/state.js';
import type { Reason } from './reason.js';

/** What will be done to one image. */
export type Action =
  /** Nothing. */
  | 'keep'
  /** Build, test, publish, and at the end promote. */
  | 'build'
  /** The engine has it: test, publish, and at the end promote. */
  | 'publish'
  /** The registry has it: only `:latest` moves. */
  | 'promote'
  /** Something must be done that may not: nothing is. */
  | 'blocked';

/** One image of a plan. */
export type Step = {
  readonly image: ImageName;
  /** `registry/namespace/name:tag`, as it will be. */
  readonly ref: string;
  readonly tag: string;
  readonly kind: Kind;
  readonly action: Action;
  /** Every image it stands on: those of the tree, then outside images. Full references. */
  readonly parents: readonly string[];
  readonly reasons: readonly Reason[];
  /** The tag that is published now, as far as it is known. */
  readonly now: string | undefined;
  /** Whether the image goes to the registry (build, publish). */
  readonly publishes: boolean;
  /** Whether `:latest` moves to it at the end. */
  readonly promotes: boolean;
  /** The tag that moves, where it is not `latest`. */
  readonly moving?: string | undefined;
  /** Not published when it comes out as `:latest` is, and not built when that is so of all that it is built for. */
  readonly unlessSame?: true;
  /** The tag that marks what `:latest` leaves as withdrawn. */
  readonly withdraws?: string | undefined;
  /** The tag that marked what `:latest` moves to as withdrawn, and does so no more. */
  readonly lifts?: string | undefined;
  /** What `:latest` was when this was planned; it must still be that when it moves. */
  readonly latestBefore: Digest | undefined;
  /** keep, promote, and a rebuilt published version: the manifest that children stand on. */
  readonly digest: Digest | undefined;
  /** publish, or keep when built locally: the engine's image id. */
  readonly localId: string | undefined;
};

/** Whether and where a run publishes, and why so. */
export type Publishing =
  | { readonly publish: true; readonly to: string; readonly as: string | undefined }
  | { readonly publish: false; readonly to: string; readonly why: string };

/** That of a tree alone; of several trees, each one's, in their order. */
export type RunPublishing = Publishing | readonly (Publishing & { readonly tree: string })[];

/** Steps for every image of the graph, parents first; and what should be read before the plan can be believed. */
export type Plan = {
  readonly publishing: RunPublishing;
  /** Set: a nightly or snapshot build. */
  readonly nightly?: Nightly | undefined;
  readonly steps: readonly Step[];
  readonly needs: readonly Need[];
  /** Set: something that was asked for by name is not in it, and the run's exit code is 1 at least. */
  readonly isPartial?: boolean | undefined;
};

/** Whether a step changes anything. */
export function isPending(step: Step): boolean {
  return step.action === 'build' || step.action === 'publish' || step.action === 'promote';
}

/** Whether a step keeps its image only because nobody asked for it: then nothing tells that the image is up to date. */
export function isLeftOut(step: Step): boolean {
  return step.action === 'keep' && step.reasons.some(({ why }) => why === 'not-selected');
}

/** Whether `:latest` stays behind since what it would move to was withdrawn. */
export function isWithheld(step: Step): boolean {
  return step.reasons.some(({ why }) => why === 'withdrawn-latest');
}

/** A plan as JSON: the form that scripts rely on. */
export function planToJson(plan: Plan): unknown {
  return {
    publishing: plan.publishing,
    ...(plan.nightly === undefined ? {} : { nightly: plan.nightly }),
    steps: plan.steps.map(({ image, ref, tag, kind, action, parents, reasons, withdraws, lifts }) => ({
      image,
      ref,
      tag,
      kind,
      action,
      parents,
      reasons,
      ...(withdraws === undefined ? {} : { withdraws }),
      ...(lifts === undefined ? {} : { lifts }),
    })),
  };
}
