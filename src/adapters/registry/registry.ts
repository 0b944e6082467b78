import { digestOf, isDigest, shortDigest, type Digest } from '../../shared/digest.js';
import { RegistryError } from '../../shared/errors.js';
import { formatImageRef, type ImageRef } from '../../shared/image-ref.js';
import { registryName, repositoryIn, type RegistryMirrors } from '../../shared/registry-mirrors.js';
import type { DigestRemoval } from '../../execute/delete-digest.js';
import type { WritableRegistry } from '../../execute/writable-registry.js';
import { UnreadableImage } from '../../state/package-reader.js';
import type { RegistryContents } from '../../state/repository-contents.js';
import { HOST_PLATFORM } from '../host-platform.js';
import { readContent } from './published-content.js';
import { createMirrorReading } from './mirror-reading.js';
import { errorCodesOf, registryFaults } from './registry-faults.js';
import { createRegistryHttp, type RegistryHttpOptions } from './registry-http.js';
import { ACCEPTED_MANIFESTS, mediaTypeOf, parseConfig, parseLayers, parseManifest, pickPlatform } from './registry-manifest.js';
import type { Answer } from './registry-connection.js';
import { readVerified, type RegistryLayers } from './registry-layers.js';

/** How a registry is reached, and whose image an index stands for. */
export type RegistryOptions = RegistryHttpOptions & {
  /** `linux/amd64`; unset: `linux/` and this machine's architecture. */
  readonly platform?: string | undefined;
  /** Where content may be read from instead. */
  readonly mirrors?: RegistryMirrors;
  /** Whether a name is one that this tree publishes: what its tags are, only the registry itself can tell. Unset: none is. */
  readonly publishes?: (ref: ImageRef) => boolean;
  /** Told of a mirror that is passed over. */
  readonly warn?: (message: string) => void;
};

const MANIFEST_HEADERS = { accept: ACCEPTED_MANIFESTS } as const;

/** A 404 of a registry carries one of these; any other 404 comes from something in between (OCI distribution spec; NOT_FOUND: Harbor). */
const ABSENT = new Set(['MANIFEST_UNKNOWN', 'NAME_UNKNOWN', 'NOT_FOUND']);

const LIST_PAGES = 10_000;

/** Registries over HTTP(S): all hosts, one request at a time to a new one, then many. `close` ends kept connections. */
export function createRegistry(options: RegistryOptions): WritableRegistry & RegistryContents & DigestRemoval & RegistryLayers & { close(): void } {
  const http = createRegistryHttp(options);
  const platform = options.platform ?? HOST_PLATFORM;

  const mirrors = createMirrorReading(options.mirrors ?? {}, options.warn ?? (() => undefined));

  const manifestPath = (repository: string, reference: string): string => `/v2/${repository}/manifests/${reference}`;
  const faultsOf = (ref: ImageRef) => registryFaults(registryName(ref), 'https');

  async function get(ref: ImageRef, path: string, headers: Readonly<Record<string, string>>, signal: AbortSignal, once = false): Promise<Answer> {
    return http.send({ host: ref.registry, method: 'GET', path, repository: repositoryIn(ref), headers, once }, signal);
  }

  /** Bytes that have the digest they were asked for by. */
  async function getVerified(ref: ImageRef, kind: 'manifests' | 'blobs', digest: Digest, signal: AbortSignal, once = false): Promise<Answer> {
    const repository = repositoryIn(ref);
    const answer = await get(ref, `/v2/${repository}/${kind}/${digest}`, kind === 'manifests' ? MANIFEST_HEADERS : {}, signal, once);
    if (answer.status !== 200) throw faultsOf(ref).refuses(`to show ${repository}@${shortDigest(digest)}`, answer);
    if (digestOf(answer.body) !== digest) throw faultsOf(ref).confused(`what it sends as ${repository}@${shortDigest(digest)} has another digest`);
    return answer;
  }

  /** As `getVerified`, from a mirror if one has it: the digest tells that they are the right bytes. */
  async function getAnywhere(ref: ImageRef, kind: 'manifests' | 'blobs', digest: Digest, signal: AbortSignal): Promise<Buffer> {
    const { body } = (await mirrors.first(ref, (mirrored) => getVerified(mirrored, kind, digest, signal, true))) ?? (await getVerified(ref, kind, digest, signal));
    return body;
  }

  /** Manifests that were sent along with a tag's digest, until they are asked for. */
  const sent = new Map<Digest, Buffer>();

  async function readDigest(ref: ImageRef, signal: AbortSignal, once = false): Promise<Digest | undefined> {
    const repository = repositoryIn(ref);
    const reference = ref.tag ?? ref.digest ?? 'latest';
    const path = manifestPath(repository, reference);
    const head = await http.send({ host: ref.registry, method: 'HEAD', path, repository, headers: MANIFEST_HEADERS, once }, signal);
    const told = head.headers['docker-content-digest'];
    if (head.status === 200 && typeof told === 'string' && isDigest(told)) return told;
    if (head.status !== 200 && head.status !== 404) throw faultsOf(ref).refuses(`to show ${repository}:${reference}`, head);
    const body = await readManifest(ref, signal, once);
    return body && digestOf(body);
  }

  /** A manifest; undefined only when the registry itself says that it is not there. */
  async function readManifest(ref: ImageRef, signal: AbortSignal, once = false): Promise<Buffer | undefined> {
    const repository = repositoryIn(ref);
    const reference = ref.tag ?? ref.digest ?? 'latest';
    const answer = await get(ref, manifestPath(repository, reference), MANIFEST_HEADERS, signal, once);
    if (answer.status === 200) return answer.body;
    if (answer.status === 404 && saysAbsent(answer)) return undefined;
    if (answer.status === 404) throw faultsOf(ref).confused(`answers 404 for ${repository}:${reference}, but not as a registry does; so it is unknown whether it is there`, 404);
    throw faultsOf(ref).refuses(`to show ${repository}:${reference}`, answer);
  }

  /** All pages of a list; an answer that is none ends it, unless `other` throws. */
  async function list(ref: ImageRef, first: string, key: string, what: string, other: (answer: Answer) => void, ask: (path: string) => Promise<Answer>): Promise<readonly string[]> {
    const names: string[] = [];
    let path: string | undefined = first;
    for (let pages = 0; path !== undefined; pages++) {
      if (pages === LIST_PAGES) throw faultsOf(ref).confused(`${what} has no end`);
      const answer = await ask(path);
      if (answer.status !== 200) {
        other(answer);
        return [];
      }
      names.push(...(parseNames(answer.body, key) ?? fail(faultsOf(ref).confused(`${what} is none`))));
      path = nextPage(answer, path);
    }
    return names;
  }

  return {
    async digestOf(ref, signal) {
      const mirrored = options.publishes?.(ref) === true ? undefined : await mirrors.first(ref, (one) => readDigest(one, signal, true));
      return mirrored ?? readDigest(ref, signal);
    },

    async manifestOf(ref, signal) {
      const body = await readManifest(ref, signal);
      const digest = body && digestOf(body);
      if (digest !== undefined) sent.set(digest, body!);
      return digest;
    },

    async namesOf(ref, digest, signal) {
      const byDigest = ({ registry, repository }: ImageRef): ImageRef => ({ registry, repository, digest });
      const at = await mirrors.first(ref, async (one) => ((await readDigest(byDigest(one), signal, true)) === undefined ? undefined : byDigest(one)));
      return [...(at === undefined ? [] : [at]), byDigest(ref)].map(formatImageRef);
    },

    async configOf(ref, digest, signal) {
      let manifest = parseManifest(sent.get(digest) ?? (await getAnywhere(ref, 'manifests', digest, signal)));
      sent.delete(digest);
      const name = `${repositoryIn(ref)}@${shortDigest(digest)}`;
      if (manifest?.type === 'index') {
        const entry = pickPlatform(manifest.entries, platform);
        // It may be right for others; nothing in it was made for us.
        if (entry === undefined) return { labels: {}, created: undefined, platform: 'unknown/unknown' };
        manifest = parseManifest(await getAnywhere(ref, 'manifests', entry.digest, signal));
      }
      // Something that carries no config carries no labels of ours either.
      if (manifest?.type === 'other') return { labels: {}, created: undefined, platform: 'unknown/unknown' };
      const config = manifest?.type === 'image' ? parseConfig(await getAnywhere(ref, 'blobs', manifest.config, signal)) : undefined;
      if (config === undefined) throw faultsOf(ref).confused(`${name} is no image`);
      return config;
    },

    async tagsOf(ref, signal) {
      const repository = repositoryIn(ref);
      return list(ref, `/v2/${repository}/tags/list`, 'tags', `its tag list of ${repository}`, (answer) => {
        if (answer.status === 404 && saysAbsent(answer)) return;
        throw faultsOf(ref).refuses(`to list the tags of ${repository}`, answer);
      }, (path) => get(ref, path, {}, signal));
    },

    async repositoriesOf(registry, signal) {
      const ref = { registry, repository: 'any' };
      const silent: Answer[] = [];
      try {
        const ask = (path: string): Promise<Answer> => http.send({ host: registry, method: 'GET', path, repository: 'a list of its repositories', scope: 'registry:catalog:*' }, signal);
        const all = await list(ref, '/v2/_catalog?n=1000', 'repositories', 'its list of repositories', (answer) => void silent.push(answer), ask);
        return silent.length > 0 ? undefined : all;
      } catch (error) {
        // Most registries show it to administrators, if at all.
        if (error instanceof RegistryError && error.status !== undefined && error.status < 500 && error.status !== 429) return undefined;
        throw error;
      }
    },

    async layersOf(ref, digest, signal) {
      const name = `${repositoryIn(ref)}@${shortDigest(digest)}`;
      let bytes = await getAnywhere(ref, 'manifests', digest, signal);
      let manifest = parseManifest(bytes);
      if (manifest?.type === 'index') {
        const entry = pickPlatform(manifest.entries, platform);
        if (entry === undefined) throw new UnreadableImage(`${name} holds no image for ${platform}`);
        bytes = await getAnywhere(ref, 'manifests', entry.digest, signal);
        manifest = parseManifest(bytes);
      }
      const layers = manifest?.type === 'image' ? parseLayers(bytes, await getAnywhere(ref, 'blobs', manifest.config, signal)) : undefined;
      if (layers === undefined) throw new UnreadableImage(`${name} is no image of layers`);
      return layers;
    },

    async readBlob(ref, layer, read, signal) {
      const { digest } = layer;
      const from = (at: ImageRef, once: boolean) => {
        const path = `/v2/${repositoryIn(at)}/blobs/${digest}`;
        const ask = (): Promise<Answer> => http.send({ host: at.registry, method: 'GET', path, repository: repositoryIn(at), once, streamed: true }, signal);
        return readVerified({ layer, registry: registryName(at), name: `${repositoryIn(at)}@${shortDigest(digest)}`, faults: faultsOf(at), tries: once ? 1 : 3, ask }, read);
      };
      return (await mirrors.first(ref, (mirrored) => from(mirrored, true))) ?? from(ref, false);
    },

    contentOf: (ref, digest, signal) => readContent(digest, (kind, one) => getAnywhere(ref, kind, one, signal)),

    async deleteDigest(ref, digest, signal) {
      const repository = repositoryIn(ref);
      const answer = await http.send({ host: ref.registry, method: 'DELETE', path: manifestPath(repository, digest), repository }, signal);
      if (answer.status >= 200 && answer.status < 300) return 'deleted';
      if (answer.status === 404 && saysAbsent(answer)) return 'absent';
      if (answer.status === 405 || errorCodesOf(answer).includes('UNSUPPORTED')) throw faultsOf(ref).deletesNothing(answer);
      throw faultsOf(ref).refuses(`to delete ${repository}@${shortDigest(digest)}`, answer);
    },

    async probePush(ref, signal) {
      const repository = repositoryIn(ref);
      const to = { host: ref.registry, repository };
      const begun = await http.send({ ...to, method: 'POST', path: `/v2/${repository}/blobs/uploads/` }, signal);
      if (begun.status !== 202) throw faultsOf(ref).refuses(`a push to ${repository}`, begun, { repository });
      const location = begun.headers.location;
      if (location === undefined) return;
      try {
        await http.send({ ...to, method: 'DELETE', path: pathOf(location, `/v2/${repository}/blobs/uploads/`) }, signal);
      } catch (error) {
        // Who may push need not be allowed to delete: then the upload expires.
        if (!(error instanceof RegistryError) || (error.status !== 401 && error.status !== 403)) throw error;
      }
    },

    async putTag(ref, digest, tag, signal) {
      const repository = repositoryIn(ref);
      const manifest = await getVerified(ref, 'manifests', digest, signal);
      const type = mediaTypeOf(manifest.body) ?? manifest.headers['content-type'] ?? 'application/octet-stream';
      const put = await http.send(
        { host: ref.registry, method: 'PUT', path: manifestPath(repository, tag), repository, headers: { 'content-type': type }, body: manifest.body },
        signal,
      );
      if (put.status !== 201 && put.status !== 200) throw faultsOf(ref).refuses(`to set ${repository}:${tag}`, put, { repository, tag });
      const now = await readDigest({ registry: ref.registry, repository: ref.repository, tag }, signal);
      if (now !== digest) throw faultsOf(ref).confused(`${repository}:${tag} was set to ${shortDigest(digest)} but is ${now === undefined ? 'not there' : shortDigest(now)}`);
    },

    close: () => http.close(),
  };
}

function saysAbsent(answer: Answer): boolean {
  return errorCodesOf(answer).some((code) => ABSENT.has(code));
}

function parseNames(body: Buffer, key: string): readonly string[] | undefined {
  try {
    const { [key]: names } = JSON.parse(body.toString('utf8')) as Record<string, unknown>;
    // A repository whose tags were all deleted has `null`.
    return names === null ? [] : Array.isArray(names) ? names.filter((name) => typeof name === 'string') : undefined;
  } catch {
    return undefined;
  }
}

/** `Link: </v2/…?last=x&n=100>; rel="next"` (OCI distribution spec, "Listing Tags"); only its path is used, so that no login goes elsewhere. */
function nextPage(answer: Answer, current: string): string | undefined {
  const link = answer.headers['link'];
  const [, target] = /<([^>]+)>\s*;[^,]*\brel="?next\b/i.exec(Array.isArray(link) ? link.join(',') : (link ?? '')) ?? [];
  return target === undefined ? undefined : pathOf(target, current);
}

function pathOf(location: string, current: string): string {
  const base = `http://registry.invalid${current}`;
  const url = new URL(URL.canParse(location, base) ? location : base, base);
  return `${url.pathname}${url.search}`;
}

function fail(error: Error): never {
  throw error;
}
