import type { Unknown } from '../../packages/package-archive.js';

/** Why a suite cannot be read. */
export class SuiteFault extends Error {
  constructor(
    readonly why: Unknown['why'],
    says: string,
  ) {
    super(says);
  }

  /** Whether it may come of a mirror that is being updated, or of a proxy that keeps too much: worth one more look, past caches. */
  get mayBeStale(): boolean {
    return this.why === 'wrong-signature' || this.why === 'mismatch' || this.why === 'replayed' || this.why === 'expired';
  }
}
