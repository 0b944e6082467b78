import { createHash } from 'node:crypto';
import type { Digest } from '../../shared/digest.js';
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
export type VerifiedReading = { readonly digest: Digest; readonly urls: readonly string[]; readonly registry: string; readonly name: string; readonly faults: ReturnType<typeof registryFaults>; readonly tries: number; ask(): Promise<Answer> };

/** Reads a stream whose bytes must have a digest. */
export async function readVerified<T>({ digest, urls, registry, name, faults, tries, ask }: VerifiedReading, read: (bytes: AsyncIterable<Uint8Array>) => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let left = tries; ; left--) {
    const answer = await ask();
    const { content } = answer;
    if (answer.status === 404) throw new UnreadableImage(`${registry} does not have the layer ${name}${urls.length === 0 ? '' : `: it is kept elsewhere, and nobody else is asked`}`);
    if (content === undefined) throw faults.refuses(`to show ${name}`, answer);
    const hash = createHash('sha256');
    let broke: Error | undefined;
    const hashed = async function* (): AsyncGenerator<Uint8Array> {
      try {
        for await (const piece of content.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
          hash.update(piece);
          yield piece;
        }
      } catch (error) {
        broke = error as Error;
        throw error;
      }
    };
    try {
      const made = await read(hashed());
      // What stands behind the end of a gzip stream is of no use, but of the digest.
      if (!content.readableEnded) for await (const piece of content as AsyncIterable<Buffer>) hash.update(piece);
      if (`sha256:${hash.digest('hex')}` !== digest) throw new UnreadableImage(`what ${registry} sends as ${name} has another digest`);
      return made;
    } catch (error) {
      signal.throwIfAborted();
      if (broke === undefined) throw error;
      if (left === 1) throw faults.noAnswer(connectionFaultOf(broke, false), { tries, seconds: 0, retryAfter: undefined });
    } finally {
      content.destroy();
    }
  }
}
