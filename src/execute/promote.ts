import { parseImageRef, withTag, type ImageName } from '../shared/image-ref.js';
import { shortDigest, type Digest } from '../shared/digest.js';
import type { Ports } from './ports.js';
import { StepFailure } from './step-failure.js';

/** One move of `:latest`. */
export type Promotion = {
  readonly image: ImageName;
  /** The immutable tag, full: `registry/namespace/name:tag`. */
  readonly ref: string;
  readonly digest: Digest;
  /** What `:latest` was when this was planned. */
  readonly from: Digest | undefined;
  /** What people call that. */
  readonly was: string | undefined;
};

/** Moves `:latest` of one image by its manifest alone, unless somebody moved it meanwhile. The intent is told before, the deed after. */
export async function promote(promotion: Promotion, ports: Pick<Ports, 'registry' | 'tell'>, signal: AbortSignal): Promise<void> {
  const { image, digest, from, was } = promotion;
  const ref = parseImageRef(promotion.ref)!;
  const tag = ref.tag!;
  const now = await ports.registry.digestOf(withTag(ref, 'latest'), signal);
  if (now !== digest) {
    if (now !== from) throw new StepFailure('promote', `:latest was moved by someone else since this run began (to ${now === undefined ? 'nothing' : shortDigest(now)}) and was left there; build-images plan says what it is`);
    ports.tell({ type: 'promotion-intended', image, tag, digest, from });
    await ports.registry.putTag(ref, digest, 'latest', signal);
  }
  ports.tell({ type: 'promoted', image, tag, digest, from, was });
}
