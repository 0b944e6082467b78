import type { RegistryTrouble } from '../../shared/errors.js';

/**
 * Words with which registries refuse more bytes or images. Harbor: `DENIED`, "adding 1.0 MiB of storage resource, which when updated
 * to current usage of … will exceed the configured upper limit of …"; Quay: `DENIED`, "Quota has been exceeded on namespace"; ECR:
 * "… already has the maximum allowed number of images which is '10000'"; DigitalOcean: "registry contains 1 repositories, limit is 1".
 */
const QUOTA = /quota|will exceed the configured upper limit|maximum allowed number of images|limit is \d+\b|(?:storage|repository) limit|LimitExceeded|insufficient storage/i;

/**
 * Words with which registries refuse to move a tag. Harbor: 412 `PRECONDITION`, "… due to 'web:1' configured as immutable."; ECR: 400
 * `TAG_INVALID`, "The image tag '1' already exists in the 'web' repository and cannot be overwritten because the repository is
 * immutable."; Artifact Registry: 400 `MANIFEST_INVALID`, "cannot update tag 1. The repository has enabled tag immutability"; Quay: 409
 * `TAG_ALREADY_EXISTS`, "tag was already pushed"; Alibaba: "The requested tag already exists and cannot be overwritten."; MSR: "tag=1
 * cannot be overwritten because … is an immutable repository"; ACR's locked image: "The operation is disallowed on this … image".
 */
const IMMUTABLE_TAG = /\bimmutab(?:le|ility)\b|cannot be overwritten|TAG_ALREADY_EXISTS|tag was already pushed|operation is disallowed on this registry, repository or image/i;

/** What a registry's refusal in its own words is about; undefined: neither of these. */
export function refusalIn(words: string): Extract<RegistryTrouble, 'quota' | 'immutable-tag'> | undefined {
  if (IMMUTABLE_TAG.test(words)) return 'immutable-tag';
  return QUOTA.test(words) ? 'quota' : undefined;
}

/** Said before a registry's own words. */
export const REFUSAL_MEANS = { quota: 'its quota is used up', 'immutable-tag': 'the tag is immutable there' } as const;

/** What to try. `tag` undefined: the refusal came before there was one. */
export function refusalHints(refusal: keyof typeof REFUSAL_MEANS, host: string, repository: string, tag: string | undefined): readonly string[] {
  if (refusal === 'quota') return [`make room at ${host}, or have the quota of ${repository} raised; then run again: nothing is built twice`];
  if (tag === 'latest') return [`take "latest" out of the immutable-tag rule for ${repository} at ${host}; until then no run can move it`];
  return [`build-images plan: if ${host} has that tag by now, the next run keeps it; otherwise add a changelog entry`];
}
