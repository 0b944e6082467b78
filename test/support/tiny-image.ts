import { request as requestPlain } from 'node:http';
import { request as requestTls } from 'node:https';
import { gzipSync } from 'node:zlib';
import { digestOf, type Digest } from '../../src/shared/digest.js';

/** One tiny image: no layer is large, the labels are what tests are about. */
export type TinyImage = {
  readonly labels?: Readonly<Record<string, string>>;
  /** RFC 3339. */
  readonly created?: string;
  /** Which manifest type it is stored as. */
  readonly format?: 'oci' | 'docker';
  /** `linux/amd64`. */
  readonly platform?: string;
  /** Lowest first; unset: one that is empty. */
  readonly layers?: readonly TinyLayer[];
};

/** A layer as it is pushed, and the tar that it is said to unpack to. */
export type TinyLayer = { readonly bytes: Uint8Array; readonly tar: Uint8Array; readonly mediaType?: string };

/** An answer, read to its end. */
export type PlainAnswer = { readonly status: number; readonly headers: Readonly<Record<string, string | string[] | undefined>>; readonly body: Buffer };

/** One request to a registry, with none of the code under test. */
export type Send = (method: string, path: string, body?: string | Uint8Array, headers?: Readonly<Record<string, string>>) => Promise<PlainAnswer>;

/** Requests to one registry. */
export function sendTo(url: string, options: { readonly ca?: string | undefined; readonly login?: { readonly username: string; readonly password: string }; readonly token?: (repository: string) => string } = {}): Send {
  const { login, token } = options;
  const basic = login === undefined ? {} : { authorization: `Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}` };
  return (method, path, body, headers = {}) =>
    new Promise((resolve, reject) => {
      const [, repository = ''] = /^\/v2\/(.+)\/(?:manifests|blobs|tags)\//.exec(path) ?? [];
      const authorization = token === undefined ? basic : { authorization: `Bearer ${token(repository)}` };
      const all = { method, headers: { ...authorization, ...headers }, agent: false, ...(options.ca === undefined ? {} : { ca: options.ca }) };
      const request = (url.startsWith('https:') ? requestTls : requestPlain)(new URL(path, url), all);
      request.once('error', reject);
      request.once('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('error', reject);
        response.once('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }));
      });
      request.end(body);
    });
}

/** Pushing without an engine. */
export type Pushes = {
  /** Pushes an image; the manifest's digest. */
  pushImage(repository: string, tag: string, image?: TinyImage): Promise<Digest>;
  /** Pushes an index of images, one per platform; the index's digest. */
  pushIndex(repository: string, tag: string, images: readonly TinyImage[], format?: 'oci' | 'docker'): Promise<Digest>;
};

const MEDIA = {
  oci: {
    manifest: 'application/vnd.oci.image.manifest.v1+json',
    index: 'application/vnd.oci.image.index.v1+json',
    config: 'application/vnd.oci.image.config.v1+json',
    layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
  },
  docker: {
    manifest: 'application/vnd.docker.distribution.manifest.v2+json',
    index: 'application/vnd.docker.distribution.manifest.list.v2+json',
    config: 'application/vnd.docker.container.image.v1+json',
    layer: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  },
} as const;

/** Pushes as the distribution specification has it: blobs, then the manifest. */
export function pushesTo(send: Send): Pushes {
  async function expectStatus(status: number, what: string, answer: Promise<PlainAnswer>): Promise<PlainAnswer> {
    const got = await answer;
    if (got.status !== status) throw new Error(`${what}: ${got.status} ${got.body.toString()}`);
    return got;
  }
  async function putBlob(repository: string, bytes: Uint8Array): Promise<void> {
    const begun = await expectStatus(202, `POST ${repository}`, send('POST', `/v2/${repository}/blobs/uploads/`));
    const target = new URL(String(begun.headers['location']), 'http://registry.invalid');
    target.searchParams.set('digest', digestOf(bytes));
    await expectStatus(201, `PUT ${repository}`, send('PUT', `${target.pathname}${target.search}`, bytes, { 'content-type': 'application/octet-stream' }));
  }
  async function putManifest(repository: string, reference: string, type: string, manifest: string): Promise<Digest> {
    await expectStatus(201, `PUT ${repository}:${reference}`, send('PUT', `/v2/${repository}/manifests/${reference}`, manifest, { 'content-type': type }));
    return digestOf(manifest);
  }
  async function putImage(repository: string, tag: string | undefined, image: TinyImage): Promise<{ readonly digest: Digest; readonly size: number }> {
    const media = MEDIA[image.format ?? 'oci'];
    const empty = Buffer.alloc(1024);
    const layers: readonly TinyLayer[] = image.layers ?? [{ bytes: gzipSync(empty), tar: empty }];
    const config = Buffer.from(
      JSON.stringify({
        ...(image.created === undefined ? {} : { created: image.created }),
        ...platformOf(image),
        config: { Labels: image.labels ?? null },
        rootfs: { type: 'layers', diff_ids: layers.map(({ tar }) => digestOf(tar)) },
      }),
    );
    for (const { bytes } of layers) await putBlob(repository, bytes);
    await putBlob(repository, config);
    const manifest = JSON.stringify({
      schemaVersion: 2,
      mediaType: media.manifest,
      config: { mediaType: media.config, size: config.length, digest: digestOf(config) },
      layers: layers.map(({ bytes, mediaType = media.layer }) => ({ mediaType, size: bytes.length, digest: digestOf(bytes) })),
    });
    return { digest: await putManifest(repository, tag ?? digestOf(manifest), media.manifest, manifest), size: manifest.length };
  }
  return {
    pushImage: async (repository, tag, image = {}) => (await putImage(repository, tag, image)).digest,
    async pushIndex(repository, tag, images, format = 'oci') {
      const manifests = [];
      for (const image of images) {
        const pushed = await putImage(repository, undefined, { format, ...image });
        manifests.push({ mediaType: MEDIA[format].manifest, ...pushed, platform: platformOf(image) });
      }
      return putManifest(repository, tag, MEDIA[format].index, JSON.stringify({ schemaVersion: 2, mediaType: MEDIA[format].index, manifests }));
    },
  };
}

function platformOf({ platform = 'linux/amd64' }: TinyImage): object {
  const [os, architecture, variant] = platform.split('/');
  return { os, architecture, ...(variant === undefined ? {} : { variant }) };
}
