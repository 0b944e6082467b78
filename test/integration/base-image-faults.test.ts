import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRootFileSystems } from '../../src/adapters/root-file-system/root-file-system.js';
import type { RootFs } from '../../src/definition/rootfs.js';
import type { RootFsRequest } from '../../src/execute/root-file-systems.js';
import { ArchiveError, Fault } from '../../src/shared/errors.js';
import { startAptRepository, type AptRepository } from '../support/apt-repository.js';
import { rootFsOf } from '../support/rootfs.js';

const never = new AbortController().signal;
const rootFileSystems = createRootFileSystems();
const folders: string[] = [];
let repository: AptRepository;

beforeAll(async () => {
  repository = await startAptRepository();
  await repository.addSuite('good', [{ name: 'hello', version: '1.0' }]);
  await repository.addSuite('stranger', [{ name: 'hello', version: '1.0' }], { otherKey: true });
  await repository.addSuite('expired', [{ name: 'hello', version: '1.0' }], { validUntil: 'Sat, 01 Jan 2022 00:00:00 UTC' });
}, 60_000);

afterAll(async () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  await repository.close();
});

function request(change: Partial<RootFsRequest> = {}): RootFsRequest {
  const workDirectory = mkdtempSync(join(tmpdir(), 'base-image-test-'));
  folders.push(workDirectory);
  return { chooseEpoch: () => 1_700_000_000, proxy: undefined, workDirectory, onLine: () => undefined, ...change };
}

const rootFs = (text: string): RootFs => rootFsOf(text, { 'key.gpg': Buffer.from(repository.keyring, 'base64').toString('latin1') });

describe.each(['mmdebstrap', 'debuerreotype'] as const)('a root file system that %s cannot make', (tool) => {
  /** Of a suite whose package lists are short, and alone: no package of a real variant can be had. */
  const failing = async (lines: string): Promise<Error> => {
    const asked = request();
    const suite = /^suite:/m.test(lines) ? '' : 'suite: trixie-updates\nmirrors: [http://deb.debian.org/debian]\n';
    const error = await rootFileSystems.make({ ...rootFs(`tool: ${tool}\n${suite}${lines}`), variant: 'custom' }, asked, never).then(
      () => new Error('it was made'),
      (reason: Error) => reason,
    );
    expect(readdirSync(asked.workDirectory)).toEqual([]);
    return error;
  };
  const example = (suite: string, uri = repository.uri, more = 'key: key.gpg'): string => `repositories: { example: { uri: "${uri}", suites: [${suite}], ${more} } }\n`;

  it.each([
    ['a suite that is not there', 'suite: nosuchsuite\nmirrors: [http://deb.debian.org/debian]', /^there is no such suite: http:\/\/deb\.debian\.org\/debian nosuchsuite Release: 404 Not Found$/],
    ['a package that is not there', 'include: [no-such-package]', /^Unable to locate package no-such-package$/],
    ['a component that is not there', 'components: [main, nosuch]', /^http:\/\/deb\.debian\.org\/debian trixie-updates InRelease has no component nosuch$/],
    ['a preference for a release that is not there', 'preferences: [{ package: hello, pin: release n=nosuch, priority: 900 }]', /^no archive is "release n=nosuch", which a preference for hello asks for \(there are: release .*n=trixie-updates.*\)$/],
    ['a preference for a host that is not there', 'preferences: [{ package: "*", pin: "origin nosuch.example.org", priority: 900 }]', /^no archive is "origin nosuch\.example\.org", which a preference for \* asks for \(there are: origin deb\.debian\.org\)$/],
  ])('%s is the fault of the definition', async (_, lines, message) => {
    const failure = await failing(lines);
    expect([failure.name, failure.message]).toEqual(['RootFileSystemFailure', expect.stringMatching(message)]);
  }, 120_000);

  it.each([
    ['has no such suite', () => example('nosuch'), /^repository example: there is no such suite: http:.* nosuch Release: 404 Not Found$/],
    ['has no such component', () => example('good', repository.uri, 'key: key.gpg, components: [main, nosuch]'), /^repository example: .* has no component nosuch$/],
  ])('a repository that %s is the fault of the definition, by its name', async (_, lines, message) => {
    const failure = await failing(lines());
    expect([failure.name, failure.message]).toEqual(['RootFileSystemFailure', expect.stringMatching(message)]);
  }, 120_000);

  it('an archive that does not answer is an error of the archive', async () => {
    const failure = await failing('suite: trixie\nmirrors: [http://127.0.0.1:9/debian]\napt_config: { "Acquire::Retries": 0 }');
    expect(failure).toBeInstanceOf(ArchiveError);
    expect(failure.message).toMatch(/^Failed to fetch .*Could not connect to 127\.0\.0\.1:9/);
  }, 120_000);

  it.each([
    ['is signed by another key', () => example('stranger'), /^repository example: The repository '.* stranger InRelease' is not signed\. \(.*NO_PUBKEY [0-9A-F]{16}\)$/, ['its key in rootfs.yaml must be the one that signs it: gpg --show-keys FILE']],
    ["has no key of its own and is not Debian's", () => example('good', repository.uri, ''), /^repository example: The repository '.* good InRelease' is not signed\. \(.*NO_PUBKEY [0-9A-F]{16}\)$/, ['its key in rootfs.yaml must be the one that signs it: gpg --show-keys FILE']],
    ['is expired', () => example('expired'), /^repository example: Release file for .*\/dists\/expired\/InRelease is expired \(invalid since .*\)/, []],
    ['does not answer', () => `${example('good', 'http://127.0.0.1:9/debian')}apt_config: { "Acquire::Retries": 0 }`, /^repository example: Failed to fetch http:\/\/127\.0\.0\.1:9\/debian\/dists\/good\/InRelease Could not connect to 127\.0\.0\.1:9/, []],
  ])('a repository that %s is an error of the archive, by its name', async (_, lines, message, hints) => {
    const failure = await failing(lines());
    expect(failure).toBeInstanceOf(ArchiveError);
    expect([failure.message, (failure as ArchiveError).hints]).toEqual([expect.stringMatching(message), hints]);
  }, 120_000);

  it('an abort in the middle of an installation leaves no process, no mount and no file', async () => {
    const abort = new AbortController();
    const asked = request({
      onLine(line) {
        if (/^I: (?:installing essential packages|Unpacking required packages)/.test(line)) abort.abort(new Error('interrupted'));
      },
    });
    await expect(rootFileSystems.make(rootFs(`suite: trixie\ntool: ${tool}`), asked, abort.signal)).rejects.toThrow('interrupted');
    expect(readdirSync(asked.workDirectory)).toEqual([]);
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(asked.workDirectory);
    const left = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
      .filter((pid) => {
        try {
          return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(asked.workDirectory);
        } catch {
          return false;
        }
      });
    expect(left).toEqual([]);
  }, 300_000);
});

describe('a machine without the tool', () => {
  it.each([
    ['mmdebstrap', 'apt-get install mmdebstrap'],
    ['debuerreotype', 'apt-get install debuerreotype debootstrap wget'],
  ])('is told what to install for %s', async (tool, hint) => {
    const failure = await createRootFileSystems({ path: '/nowhere' })
      .make(rootFs(`suite: trixie\ntool: ${tool}`), request(), never)
      .catch((reason: Error) => reason);
    expect(failure).toBeInstanceOf(Fault);
    expect([(failure as Fault).message, (failure as Fault).hints]).toEqual([`${tool} is not installed`, [hint]]);
  });
});
