import { expect, it } from '@jest/globals';
import { ArchiveError, EngineError, EXIT, Fault, RegistryError, UsageError } from '../../../src/shared/errors.js';
import { docsOf, DOCUMENTED } from '../../../src/shared/fault-docs.js';

const registry = (status: number | undefined, trouble?: RegistryError['trouble']): RegistryError => new RegistryError('it', 'registry.example.org', status, [], trouble);

it.each<[string, Fault, string | undefined]>([
  ['a registry that does not answer', registry(undefined), 'operating.md#registry-unreachable'],
  ['a registry in trouble', registry(503), 'operating.md#registry-unreachable'],
  ['a registry that is asked too much', registry(429), 'operating.md#registry-unreachable'],
  ['a login that is refused', registry(401), 'operating.md#registry-login'],
  ['a right that is missing', registry(403), 'operating.md#registry-login'],
  ['another refusal', registry(405), 'operating.md#registry-refuses'],
  ['a quota, whatever its status', registry(403, 'quota'), 'operating.md#registry-quota'],
  ['an immutable tag', registry(undefined, 'immutable-tag'), 'operating.md#immutable-tags'],
  ['a certificate', registry(undefined, 'certificate'), 'operating.md#registry-certificate'],
  ['a registry without TLS', registry(undefined, 'no-tls'), 'operating.md#registry-without-tls'],
  ['the places of logins', new Fault(EXIT.registry, 'it'), 'operating.md#credentials'],
  ['an engine', new EngineError('it'), 'operating.md#engine-unreachable'],
  ['a package archive', new ArchiveError('it'), 'operating.md#archive-unreachable'],
  ['a command line', new UsageError('it'), undefined],
])('%s', (_, fault, docs) => {
  expect(docsOf(fault)).toBe(docs);
  if (docs !== undefined) expect(DOCUMENTED).toContain(docs.split('#')[1]);
});
