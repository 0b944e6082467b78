import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startAptClient } from '../support/apt-client.js';
import { startAptRepository, type AptRepository, type SuiteOptions } from '../support/apt-repository.js';

/** The archive that tests release packages in is one that apt itself takes, in every form. */
let repository: AptRepository;

beforeAll(async () => {
  repository = await startAptRepository();
}, 60_000);

afterAll(() => repository.close());

describe('the archive that tests release packages in', () => {
  it.each<[string, string, SuiteOptions]>([
    ['an ordinary suite', 'plain', {}],
    ['by hash', 'by-hash', { byHash: true, packing: ['xz'] }],
    ['with a detached signature', 'detached', { signed: 'detached', packing: ['plain'] }],
    ['with an index for all architectures', 'all-apart', { allApart: true, packing: ['bz2'] }],
    ['a flat one', 'flat/', {}],
  ])('apt takes a release and a later one: %s', async (_, suite, how) => {
    const apt = startAptClient(`deb [signed-by=KEY] ${repository.uri} ${suite}${suite.endsWith('/') ? '' : ' main'}\n`, repository.key.keyring);
    await repository.addSuite(suite, [{ name: 'hello', version: '1.0' }, { name: 'other', version: '2:1', fields: { Depends: 'hello' } }], how);
    expect([await apt.update(), await apt.candidate('hello')]).toEqual([true, '1.0']);
    await repository.release(suite, [{ name: 'hello', version: '1.1' }]);
    expect([await apt.update(), await apt.candidate('hello')]).toEqual([true, '1.1']);
    apt.close();
  });
});
