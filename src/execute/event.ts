import type { PendingFix } from '../plan/pending-fix.js';
import type { PrunePlan } from '../plan/prune.js';
import type { Plan, Step } from '../plan/step.js';
import type { ExitCode } from '../shared/errors.js';
import type { Digest } from '../shared/digest.js';
import type { ImageName } from '../shared/image-ref.js';

/** The phase of the work on one image that something happened in. */
export type Phase = 'build' | 'test' | 'publish' | 'promote' | 'delete';

/** Where the work on one image is. For the eye of whoever watches: a run tells thousands of these, and no journal keeps them. */
export type Progress = {
  readonly image: ImageName;
  /** `pull`: what it stands on is brought to the engine. */
  readonly phase: Phase | 'pull';
  /** What the phase is at, as its tool names it: `[4/7] RUN make`; undefined: nothing is known of it. */
  readonly step: string | undefined;
};

/** Something that happened in a run. `at`: milliseconds since 1970. The journal holds these, one a line, and every view is a fold of them. */
export type Event = { readonly at: number } & (
  | { readonly type: 'run-started'; readonly run: string; readonly publishing: Plan['publishing']; readonly nightly?: Plan['nightly']; readonly steps: readonly Step[] }
  /** Of each image that is built: one digest over what is tried. `night`: when it began, in milliseconds since 1970. */
  | { readonly type: 'night-started'; readonly run: string; readonly night: number; readonly tries: Readonly<Record<ImageName, Digest>>; /** What images waited for then. */ readonly fixes: readonly PendingFix[] }
  | { readonly type: 'step-started'; readonly image: ImageName; readonly action: Step['action']; readonly reasons: Step['reasons'] }
  | { readonly type: 'built'; readonly image: ImageName; readonly seconds: number; /** bytes */ readonly size: number; readonly id: string }
  | { readonly type: 'tested'; readonly image: ImageName; readonly seconds: number }
  | { readonly type: 'untested'; readonly image: ImageName; readonly because: string }
  | { readonly type: 'published'; readonly image: ImageName; readonly tag: string; readonly digest: Digest }
  /** A refresh came out as `tag` (`digest`), or, where `built` is false, all that it stands on did. */
  | { readonly type: 'unchanged'; readonly image: ImageName; readonly tag: string; readonly digest: Digest; readonly built: boolean }
  | { readonly type: 'finished-locally'; readonly image: ImageName; readonly tag: string; readonly id: string; readonly because: string }
  | {
      readonly type: 'failed';
      readonly image: ImageName;
      readonly phase: Phase;
      readonly message: string;
      /** The last lines that tell why, and where: ready to be shown below the message. */
      readonly detail: readonly string[];
      readonly log: string | undefined;
      readonly exit: ExitCode;
    }
  | { readonly type: 'blocked'; readonly image: ImageName; readonly by: ImageName }
  | { readonly type: 'not-started'; readonly image: ImageName; readonly because: string }
  | { readonly type: 'stopped'; readonly message: string; /** What to try. */ readonly detail: readonly string[]; readonly exit: ExitCode }
  | { readonly type: 'cache-pruned'; /** bytes */ readonly freed: number; /** bytes */ readonly keep: number }
  | { readonly type: 'promotion-intended'; readonly image: ImageName; readonly tag: string; readonly digest: Digest; readonly from: Digest | undefined; readonly moving?: string | undefined }
  /** What `:latest` is about to leave has this tag by now: no run moves it there again. */
  | { readonly type: 'withdrawn'; readonly image: ImageName; readonly tag: string; readonly digest: Digest }
  /** The tag is on another image than it names: what it marked is withdrawn no more. */
  | { readonly type: 'lifted'; readonly image: ImageName; readonly tag: string }
  | { readonly type: 'promoted'; readonly image: ImageName; readonly tag: string; readonly digest: Digest; readonly from: Digest | undefined; readonly was: string | undefined; /** The tag that moved; unset: `latest`. */ readonly moving?: string | undefined }
  /** `:latest` of one image is back at `digest`, since that of `because`, with which it moves, could not be moved. */
  | { readonly type: 'put-back'; readonly image: ImageName; readonly digest: Digest; readonly was: string | undefined; readonly because: ImageName; readonly moving?: string | undefined }
  | { readonly type: 'prune-started'; readonly run: string; readonly plan: PrunePlan }
  /** `id`: the engine's image id, or the manifest's digest; `refs`: the names that went. */
  | { readonly type: 'deleted'; readonly image: ImageName; readonly id: string; readonly refs: readonly string[] }
  /** What was to be deleted and was not, for something that came up since the plan. */
  | { readonly type: 'kept'; readonly image: ImageName; readonly id: string; readonly refs: readonly string[]; readonly because: string }
  | { readonly type: 'warning'; readonly image: ImageName | undefined; readonly message: string }
  | { readonly type: 'run-finished'; readonly run: string; readonly seconds: number; readonly exit: ExitCode }
);

type WithoutTime<E> = E extends unknown ? Omit<E, 'at'> : never;

/** An event before it is told when. */
export type Happening = WithoutTime<Event>;
