import { expect, it } from '@jest/globals';
import { refusalHints, refusalIn } from '../../../../src/adapters/registry/registry-refusal.js';

it.each<[string, string, ReturnType<typeof refusalIn>]>([
  ['Harbor', 'DENIED: adding 330.1 MiB of storage resource, which when updated to current usage of 48.5 MiB will exceed the configured upper limit of 350.0 MiB.', 'quota'],
  ['an older Harbor', 'denied: Quota exceeded when processing the request of adding 1.3 MiB, which when added to current usage of 235.9 MiB will exceed the configured upper limit of 100.0 MiB.', 'quota'],
  ['Quay', 'DENIED: Quota has been exceeded on namespace', 'quota'],
  ['ECR', "denied: The repository with name 'web' in registry with id '984445323385' already has the maximum allowed number of images which is '10000'", 'quota'],
  ['DigitalOcean', 'denied: registry contains 1 repositories, limit is 1', 'quota'],
  ['Harbor', "PRECONDITION: Failed to process request due to 'web:1' configured as immutable.", 'immutable-tag'],
  ['ECR', "TAG_INVALID: The image tag 'latest' already exists in the 'web' repository and cannot be overwritten because the repository is immutable.", 'immutable-tag'],
  ['Artifact Registry', 'manifest invalid: cannot update tag 1. The repository has enabled tag immutability', 'immutable-tag'],
  ['Quay', 'TAG_ALREADY_EXISTS: tag was already pushed', 'immutable-tag'],
  ['Quay, as the engine says it', 'unknown: tag was already pushed', 'immutable-tag'],
  ['Alibaba', 'denied: The requested tag already exists and cannot be overwritten.', 'immutable-tag'],
  ['MSR', 'unknown: tag=latest cannot be overwritten because msr.example.org/base/web is an immutable repository', 'immutable-tag'],
  ['ACR', 'unsupported: The operation is disallowed on this registry, repository or image.', 'immutable-tag'],
  ['a registry without a right', 'denied: requested access to the resource is denied', undefined],
  ['a rate limit', 'toomanyrequests: You have reached your pull rate limit. You may increase the limit by authenticating', undefined],
  ['an engine without a connection', 'Get "https://registry.example.org/v2/": dial tcp: i/o timeout', undefined],
])('%s: "%s"', (_, words, expected) => expect(refusalIn(words)).toBe(expected));

it('what to do about an immutable tag depends on the tag', () => {
  expect(refusalHints('immutable-tag', 'registry.example.org', 'base/web', 'latest')).toEqual(['take "latest" out of the immutable-tag rule for base/web at registry.example.org; until then no run can move it']);
  expect(refusalHints('immutable-tag', 'registry.example.org', 'base/web', '1.0')).toEqual(['build-images plan: if registry.example.org has that tag by now, the next run keeps it; otherwise add a changelog entry']);
});
