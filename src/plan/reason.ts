import { formatAge } from '../shared/age.js';
import { shortDigest, type Digest } from '../shared/digest.js';
import type { ImageName } from '../shared/image-ref.js';
import type { Upgrade } from '../packages/upgrade.js';
import { upgradeLines } from './upgrade-lines.js';

/** Why a step is as it is. Data; `explain` says it in words. */
export type Reason =
  | { readonly why: 'published'; readonly digest: Digest }
  | { readonly why: 'promoted'; readonly tag: string }
  | { readonly why: 'promotion-pending'; readonly from: string | undefined }
  | { readonly why: 'not-published' }
  | { readonly why: 'built-locally' }
  | { readonly why: 'parent-stays'; readonly parent: ImageName }
  | { readonly why: 'parent-builds'; readonly parent: ImageName }
  | { readonly why: 'parent-moved'; readonly parent: ImageName; readonly from: string; readonly to: string }
  /** The changelog's newest version of a parent is none that the image stands on. */
  | { readonly why: 'parent-bumped'; readonly parent: ImageName; readonly version: string }
  /** `ifDiffers`: a parent that comes out as it is now is no reason any more. */
  | { readonly why: 'parent-refreshed'; readonly parent: ImageName; readonly ifDiffers: boolean }
  /** `tried`: marks of all that a rebuild could bring, as the label holds them. */
  | { readonly why: 'packages-outdated'; readonly upgrades: readonly Upgrade[]; readonly tried: readonly string[] }
  /** Milliseconds. */
  | { readonly why: 'too-old'; readonly age: number; readonly limit: number }
  // Of what is only thought of (`plan --if-…`); `to`: undefined, any newer version. `of`: an outside image; undefined, the image itself.
  | { readonly why: 'supposed-release'; readonly package: string; readonly from: string; readonly to: string | undefined }
  | { readonly why: 'supposed-rebuild'; readonly of: string | undefined }
  | { readonly why: 'not-concerned' }
  | { readonly why: 'inputs-changed' }
  | { readonly why: 'platform-changed'; readonly from: string; readonly to: string }
  | { readonly why: 'changed-without-changelog' }
  | { readonly why: 'requested' }
  | { readonly why: 'promotion-requested' }
  | { readonly why: 'nightly'; readonly build: 'nightly' | 'snapshot' }
  /** `:latest` was taken away from what a run would move it to. */
  | { readonly why: 'withdrawn-latest'; readonly tag: string; readonly waitsFor: 'version' | 'change' }
  // Of what rollback takes back, and of what it leaves. `run`: whose move it undoes; undefined: a person named the target.
  | { readonly why: 'taken-back'; readonly run: string | undefined }
  | { readonly why: 'back-already' }
  | { readonly why: 'first-published' }
  | { readonly why: 'moved-on'; readonly run: string | undefined; readonly latest: Digest | undefined }
  | { readonly why: 'target-gone'; readonly digest: Digest }
  | { readonly why: 'stays-with'; readonly image: ImageName }
  | { readonly why: 'stood-on'; readonly children: readonly ImageName[] }
  | { readonly why: 'needed-by'; readonly child: ImageName }
  | { readonly why: 'not-selected' }
  | { readonly why: 'update-asked' }
  | { readonly why: 'parent-updated'; readonly parents: readonly ImageName[] }
  /** `moving`: the tag that moves, where it is not `latest`. */
  | { readonly why: 'older-checkout'; readonly latest: string; readonly moving?: string | undefined }
  /** The commit of `:latest` could not be looked up. */
  | { readonly why: 'age-unknown' }
  | { readonly why: 'older-parent'; readonly parent: ImageName }
  /** It failed in so many nights; `next`: the day of the next try, in milliseconds since 1970. */
  | { readonly why: 'resting'; readonly nights: number; readonly next: number }
  | { readonly why: 'rests-with'; readonly parent: ImageName }
  // Of what prune takes away, and of what it leaves:
  | { readonly why: 'not-current' }
  | { readonly why: 'leftover'; readonly run: string }
  | { readonly why: 'current'; readonly tag: string }
  /** `container web`, `run 20261120-2104`. */
  | { readonly why: 'in-use'; readonly by: string }
  | { readonly why: 'among-newest'; readonly keep: number }
  /** Milliseconds. */
  | { readonly why: 'too-young'; readonly age: number }
  | { readonly why: 'made-unknown' }
  | { readonly why: 'withdrawn'; readonly tag: string }
  | { readonly why: 'strange-tag'; readonly tag: string }
  /** One of the index's tags, or its digest. */
  | { readonly why: 'in-index'; readonly index: string }
  | { readonly why: 'parent-of'; readonly child: ImageName }
  | { readonly why: 'run-image-of'; readonly app: string }
  | { readonly why: 'apps-unknown' }
  | { readonly why: 'rollback-target'; readonly run: string }
  | { readonly why: 'origin-unknown'; readonly digest: Digest }
  | { readonly why: 'latest-unknown'; readonly digest: Digest }
  /** Names in control; `lint --fix` writes them. */
  | { readonly why: 'parents-differ'; readonly added: readonly string[]; readonly removed: readonly string[] };

/** Why a rolling image is left that was made from a commit which this git tree does not have. `moving`: the tag that moves, where it is not `latest`. */
export function olderCheckout(revision: string, moving: string | undefined): Extract<Reason, { why: 'older-checkout' }> {
  return { why: 'older-checkout', latest: `of commit ${revision.slice(0, 12)}, which is not in this git tree`, moving };
}

/** Names as people say them: without the namespace that all of some images share. */
export function sayNames(images: readonly ImageName[]): (image: ImageName) => string {
  const first = images[0];
  const prefix = first?.includes('/') === true ? first.slice(0, first.indexOf('/') + 1) : '';
  if (prefix === '' || !images.every((image) => image.startsWith(prefix))) return (image) => image;
  return (image) => (image.startsWith(prefix) ? image.slice(prefix.length) : image);
}

function shortParent(digest: string): string {
  return digest.startsWith('id:') ? `local image ${shortDigest(digest.slice(3))}` : shortDigest(digest);
}

/** So many source packages are told in one line. */
const TOLD = 3;

function sayUpgrades(upgrades: readonly Upgrade[]): string {
  const lines = upgradeLines([...upgrades.filter(({ security }) => security), ...upgrades.filter(({ security }) => !security)]);
  return `${lines.slice(0, TOLD).join(', ')}${lines.length > TOLD ? ` and ${lines.length - TOLD} more` : ''}`;
}

/** The reason as a person says it; `say` turns images into names. */
export function explain(reason: Reason, say: (image: ImageName) => string): string {
  switch (reason.why) {
    case 'published':
      return 'published';
    case 'promoted':
      return `${reason.tag} has this definition and these parents already`;
    case 'promotion-pending':
      return reason.from === undefined ? 'published, but there is no :latest yet' : `published, but :latest is still ${reason.from}`;
    case 'not-published':
      return 'not in the registry yet';
    case 'parent-stays':
      return `it stays here with ${say(reason.parent)}, whose tree does not publish`;
    case 'built-locally':
      return 'built here from this definition and these parents';
    case 'parent-builds':
      return `${say(reason.parent)} is built in this run`;
    case 'parent-moved':
      return `${say(reason.parent)} moved (${shortParent(reason.from)} → ${shortParent(reason.to)})`;
    case 'parent-bumped':
      return `${say(reason.parent)} is ${reason.version} by now`;
    case 'parent-refreshed':
      return `${say(reason.parent)} is refreshed${reason.ifDiffers ? ', unless that comes out the same' : ''}`;
    case 'packages-outdated':
      return sayUpgrades(reason.upgrades);
    case 'too-old':
      return `made ${formatAge(reason.age)} ago (max_age: ${formatAge(reason.limit)})`;
    case 'supposed-release':
      return `it has ${reason.package} ${reason.from}${reason.to === undefined ? '' : ` → ${reason.to}`}`;
    case 'supposed-rebuild':
      return reason.of === undefined ? 'it is supposed to be rebuilt' : `${reason.of} is supposed to be rebuilt`;
    case 'not-concerned':
      return 'not concerned';
    case 'inputs-changed':
      return 'its definition changed';
    case 'platform-changed':
      return `it is for ${reason.from}, and the config says platform: ${reason.to}`;
    case 'changed-without-changelog':
      return 'published, but its definition changed without a new changelog entry';
    case 'requested':
      return 'a rebuild was asked for';
    case 'promotion-requested':
      return 'its promotion was asked for';
    case 'nightly':
      return `a ${reason.build} build was asked for`;
    case 'withdrawn-latest':
      return `${reason.tag} says that it was withdrawn: it waits for ${reason.waitsFor === 'version' ? 'a newer changelog version' : 'a change of its definition, of a parent or of its packages'}; build-images promote lifts that`;
    case 'taken-back':
      return reason.run === undefined ? 'it was asked for' : `it undoes run ${reason.run}`;
    case 'back-already':
      return 'it is there already';
    case 'first-published':
      return 'it was published for the first time: there is nothing to go back to';
    case 'moved-on':
      return `it was moved on since${reason.run === undefined ? '' : ` run ${reason.run}`} (to ${reason.latest === undefined ? 'nothing' : shortDigest(reason.latest)}): left; build-images rollback IMAGE --to TAG moves it all the same`;
    case 'target-gone':
      return `what it was before, ${shortDigest(reason.digest)}, is gone from the registry; build-images rollback IMAGE --to TAG takes it to another`;
    case 'stays-with':
      return `it moves together with ${say(reason.image)}, which stays`;
    case 'stood-on':
      return `${reason.children.map(say).join(', ')} ${reason.children.length === 1 ? 'stands' : 'stand'} on what it leaves: a rolling one is built anew by the next run, a version has to be taken back, too`;
    case 'needed-by':
      return `${say(reason.child)} stands on it`;
    case 'not-selected':
      return 'not selected';
    case 'update-asked':
      return 'it was named';
    case 'parent-updated':
      return `${reason.parents.map(say).join(' and ')} ${reason.parents.length === 1 ? 'is' : 'are'} updated`;
    case 'older-checkout':
      return `your checkout is older than the registry (:${reason.moving ?? 'latest'} is ${reason.latest})`;
    case 'age-unknown':
      return 'without git nobody can tell whether this checkout is older than the registry';
    case 'older-parent':
      return `it would step back: ${say(reason.parent)} is older here than in the registry`;
    case 'resting':
      return `it failed ${reason.nights === 1 ? 'last night' : `in ${reason.nights} nights`}: the next try is on ${new Date(reason.next).toISOString().slice(0, 10)}`;
    case 'rests-with':
      return `it waits for ${say(reason.parent)}`;
    case 'not-current':
      return 'not the current one';
    case 'leftover':
      return `left by run ${reason.run}, which is no more`;
    case 'current':
      return `the current one (${reason.tag})`;
    case 'in-use':
      return `${reason.by} uses it`;
    case 'among-newest':
      return reason.keep === 1 ? 'the newest of the others' : `among the ${reason.keep} newest of the others`;
    case 'too-young':
      return `made ${formatAge(reason.age)} ago`;
    case 'made-unknown':
      return 'nobody knows when it was made';
    case 'withdrawn':
      return `${reason.tag} keeps what was withdrawn`;
    case 'strange-tag':
      return `its tag ${reason.tag} is none that this tree makes`;
    case 'in-index':
      return `part of the index ${reason.index}, which stays`;
    case 'parent-of':
      return `${say(reason.child)}, as it is now, was built on it`;
    case 'run-image-of':
      return `the app ${reason.app} runs on it`;
    case 'apps-unknown':
      return 'apps may run on it, and the registry does not tell which repositories it has';
    case 'rollback-target':
      return `:latest was this before run ${reason.run} moved it`;
    case 'origin-unknown':
      return 'published, origin unknown: kept';
    case 'latest-unknown':
      return `:latest (${shortDigest(reason.digest)}) is none of the versions in the changelog: left; build-images promote forces it`;
    case 'parents-differ':
      return [...(reason.added.length === 0 ? [] : [`names ${reason.added.join(', ')}`]), ...(reason.removed.length === 0 ? [] : [`no longer ${reason.removed.join(', ')}`])].join(', ');
  }
}
