import { digestOf, type Digest } from '../shared/digest.js';

/** One layer of an image, its bytes at hand. */
export type ArchiveLayer = {
  /** Digest of the bytes that `read` gives; of an uncompressed layer this is its diff_id. */
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  readonly compression: 'none' | 'gzip';
  /** The bytes, a piece at a time. */
  read(): AsyncIterable<Uint8Array>;
};

/** An image that an engine can load. */
export type ArchiveImage = {
  /** The config's JSON text; its digest is the image id on the graph drivers. */
  readonly config: string;
  /** Lowest first, as many as the config has diff_ids. */
  readonly layers: readonly ArchiveLayer[];
  /** The full tag it gets when loaded: `registry/namespace/name:tag`. */
  readonly tag: string;
};

/** The OCI manifest of an image; its digest is the image id in the containerd image store. */
export function imageManifest(image: Pick<ArchiveImage, 'config' | 'layers'>): string {
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: descriptor('application/vnd.oci.image.config.v1+json', image.config),
    layers: image.layers.map(({ digest, size, compression }) => ({
      mediaType: `application/vnd.oci.image.layer.v1.tar${compression === 'gzip' ? '+gzip' : ''}`,
      digest,
      size,
    })),
  });
}

/**
 * An image as a tar stream that every engine loads under its tag: an OCI image layout (OCI image spec, "Image Layout") whose
 * index names the tag as containerd reads it, with the `manifest.json` that the graph drivers read. Equal input, equal bytes.
 */
export async function* imageArchive(image: ArchiveImage): AsyncGenerator<Uint8Array> {
  const manifest = imageManifest(image);
  const index = JSON.stringify({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [
      {
        ...descriptor('application/vnd.oci.image.manifest.v1+json', manifest),
        annotations: { 'io.containerd.image.name': image.tag, 'org.opencontainers.image.ref.name': image.tag.slice(image.tag.lastIndexOf(':') + 1) },
      },
    ],
  });
  const dockerManifest = JSON.stringify([
    { Config: blobPath(digestOf(image.config)), RepoTags: [image.tag], Layers: image.layers.map(({ digest }) => blobPath(digest)) },
  ]);
  yield tarHeader('blobs/', 0);
  yield tarHeader('blobs/sha256/', 0);
  for (const layer of uniqueLayers(image.layers)) {
    yield tarHeader(blobPath(layer.digest), layer.size);
    let left = layer.size;
    for await (const piece of layer.read()) {
      left -= piece.length;
      yield piece;
    }
    if (left !== 0) throw new Error(`layer ${layer.digest} is not ${layer.size} bytes long`);
    yield padding(layer.size);
  }
  for (const [path, text] of [
    [blobPath(digestOf(image.config)), image.config],
    [blobPath(digestOf(manifest)), manifest],
    ['index.json', index],
    ['manifest.json', dockerManifest],
    ['oci-layout', JSON.stringify({ imageLayoutVersion: '1.0.0' })],
  ] as const) {
    const bytes = Buffer.from(text);
    yield tarHeader(path, bytes.length);
    yield bytes;
    yield padding(bytes.length);
  }
  yield new Uint8Array(2 * BLOCK);
}

function uniqueLayers(layers: readonly ArchiveLayer[]): readonly ArchiveLayer[] {
  return [...new Map(layers.map((layer) => [layer.digest, layer])).values()];
}

function descriptor(mediaType: string, content: string): { mediaType: string; digest: Digest; size: number } {
  return { mediaType, digest: digestOf(content), size: Buffer.byteLength(content) };
}

function blobPath(digest: Digest): string {
  return `blobs/${digest.replace(':', '/')}`;
}

const BLOCK = 512;
/** What eleven octal digits hold: 8 GiB less one byte. */
const MAX_SIZE = 0o77777777777;

function padding(size: number): Uint8Array {
  return new Uint8Array((BLOCK - (size % BLOCK)) % BLOCK);
}

/** One ustar header (POSIX.1-2017, pax, "ustar Interchange Format") of a file or, with a slash at its end, a folder: root's, dated 1970. */
function tarHeader(path: string, size: number): Uint8Array {
  if (size > MAX_SIZE) throw new Error(`${path} is larger than an image archive can hold`);
  const folder = path.endsWith('/');
  const header = Buffer.alloc(BLOCK);
  const octal = (value: number, at: number, digits: number): number => header.write(value.toString(8).padStart(digits, '0'), at);
  header.write(path, 0);
  octal(folder ? 0o755 : 0o644, 100, 7);
  octal(0, 108, 7);
  octal(0, 116, 7);
  octal(size, 124, 11);
  octal(0, 136, 11);
  header.fill(' ', 148, 156);
  header.write(folder ? '5' : '0', 156);
  header.write('ustar\u000000', 257, 'latin1');
  octal(0, 329, 7);
  octal(0, 337, 7);
  octal(header.reduce((sum, byte) => sum + byte, 0), 148, 6);
  header[154] = 0;
  return header;
}
