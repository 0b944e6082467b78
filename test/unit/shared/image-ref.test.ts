import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { formatImageRef, parseImageRef, repositoryOf, withTag } from '../../../src/shared/image-ref.js';

const DIGEST = `sha256:${'a'.repeat(64)}`;

describe('parseImageRef', () => {
  it.each([
    ['debian', { registry: '', repository: 'debian' }],
    ['debian:12', { registry: '', repository: 'debian', tag: '12' }],
    ['library/debian', { registry: '', repository: 'library/debian' }],
    ['registry.example.org/base/web:1.0', { registry: 'registry.example.org', repository: 'base/web', tag: '1.0' }],
    ['localhost/web', { registry: 'localhost', repository: 'web' }],
    ['builder:5000/web', { registry: 'builder:5000', repository: 'web' }],
    ['127.0.0.1:5000/web:2', { registry: '127.0.0.1:5000', repository: 'web', tag: '2' }],
    ['builder/web', { registry: '', repository: 'builder/web' }],
    [`web@${DIGEST}`, { registry: '', repository: 'web', digest: DIGEST }],
    [`r.example.org/web:1@${DIGEST}`, { registry: 'r.example.org', repository: 'web', tag: '1', digest: DIGEST }],
    ['a__b/c-d.e', { registry: '', repository: 'a__b/c-d.e' }],
    [`web:${'t'.repeat(128)}`, { registry: '', repository: 'web', tag: 't'.repeat(128) }],
  ])('%s', (text, ref) => {
    expect(parseImageRef(text)).toEqual(ref);
    expect(formatImageRef(ref as never)).toBe(text);
  });
  it.each(['', 'Web', 'web:', 'web:-1', `web:${'t'.repeat(129)}`, 'web@sha256:12', 'web@', 'a..b', '/web', 'web/', 'r.example.org/', 'a//b', 'web:1:2', '-web', 'web_', 'w eb', `web@${DIGEST.toUpperCase()}`])('"%s" is no image reference', (text) => {
    expect(parseImageRef(text)).toBeUndefined();
  });
  it('reads back whatever it formatted', () => {
    const component = fc.stringMatching(/^[a-z0-9]+([._-][a-z0-9]+)*$/, { maxLength: 12 });
    const ref = fc.record(
      { registry: fc.constantFrom('', 'r.example.org', 'localhost', 'host:5000'), repository: fc.array(component, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/')), tag: fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,20}$/), digest: fc.constant(DIGEST as never) },
      { requiredKeys: ['registry', 'repository'] },
    );
    // Without a registry, a first component with a dot would be one.
    fc.assert(fc.property(ref.filter(({ registry, repository }) => registry !== '' || !repository.includes('/') || !/[.:]/.test(repository.split('/')[0]!)), (one) => expect(parseImageRef(formatImageRef(one))).toEqual(one)), { numRuns: 300 });
  });
});

describe('parts of a reference', () => {
  const ref = parseImageRef(`r.example.org/a/web:1@${DIGEST}`)!;
  it('another tag drops tag and digest', () => expect(formatImageRef(withTag(ref, 'latest'))).toBe('r.example.org/a/web:latest'));
  it('the repository has neither', () => expect(repositoryOf(ref)).toBe('r.example.org/a/web'));
});
