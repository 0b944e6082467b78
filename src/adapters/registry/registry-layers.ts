import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { ImageRef } from '../../shared/image-ref.js';
import type { ImageLayer, ImageLayers } from '../../state/image-layers.js';
import { UnreadableImage } from '../../state/package-reader.js';
import { connectionFaultOf } from './connection-fault.js';
import type { Answer } from './registry-connection.js';
import type { registryFaults } from './registry-faults.js';

/** Layers of images that a registry has. Each promise rejects as those of ImageLayers do. */
export interface RegistryLayers extends Pick<ImageLayers, 'layersOf'> {
  /**
   * Hands a layer's bytes to a reader while they come, from a mirror if one has them. What `read` makes of them counts only if they
   * have the layer's digest; a connection that breaks makes it begin anew.
   */
  readBlob<T extends object>(ref: ImageRef, layer: ImageLayer, read: (bytes: AsyncIterable<Uint8Array>) => Promise<T>, signal: AbortSignal): Promise<T>;
}

/** What is read, how often it may break, and in whose words it fails. */
export type VerifiedReading = { readonly layer: ImageLayer; readonly registry: string; readonly name: string; readonly faults: ReturnType<typeof registryFaults>; readonly tries: number; ask(): Promise<Answer> };

/** Reads a stream whose bytes must have a layer's digest: what was made of others does not count, nor what is wrong with them. */
export async function readVerified<T>({ layer, registry, name, faults, tries, ask }: VerifiedReading, read: (bytes: AsyncIterable<Uint8Array>) => Promise<T>): Promise<T> {
  for (let left = tries; ; left--) {
    const answer = await ask();
    if (answer.status === 404) throw new UnreadableImage(`${registry} does not have the layer ${name}${layer.urls.length === 0 ? '' : `: it is kept elsewhere, and nobody else is asked`}`);
    if (answer.content === undefined) throw faults.refuses(`to show ${name}`, answer);
    try {
      const end = await readHashed(answer.content, layer, read);
      switch (end.status) {
        case 'fulfilled':
          return end.value;
        case 'rejected':
          throw end.reason;
        case 'other bytes':
          throw new UnreadableImage(`what ${registry} sends as ${name} has another digest`);
        case 'broken':
          if (left === 1) throw faults.noAnswer(connectionFaultOf(end.error, false), { tries, seconds: 0, retryAfter: undefined });
      }
    } finally {
      answer.content.destroy();
    }
  }
}

/** What was made of bytes that are the layer's, or what is wrong with them; or they were not to be had. */
type Reading<T> = PromiseSettledResult<T> | { readonly status: 'other bytes' } | { readonly status: 'broken'; readonly error: Error };

async function readHashed<T>(content: Readable, { digest, size }: ImageLayer, read: (bytes: AsyncIterable<Uint8Array>) => Promise<T>): Promise<Reading<T>> {
  const hash = createHash('sha256');
  let broke: Error | undefined;
  let length = 0;
  const hashed = async function* (): AsyncGenerator<Uint8Array> {
    try {
      for await (const piece of content.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        hash.update(piece);
        length += piece.length;
        // No digest is to be had any more; and who sends other bytes may have no end of them.
        if (length > size) return;
        yield piece;
      }
    } catch (error) {
      broke = error as Error;
      throw error;
    }
  };
  const [made] = await Promise.allSettled([read(hashed())]);
  // What stands behind the end of what was read, or behind a fault in it, is of no use, but of the digest.
  if (broke === undefined && length <= size && !content.readableEnded) for await (const _ of hashed()) continue;
  if (broke !== undefined) return { status: 'broken', error: broke };
  return `sha256:${hash.digest('hex')}` === digest ? made : { status: 'other bytes' };
}
