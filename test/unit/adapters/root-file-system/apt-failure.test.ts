import { describe, expect, it } from '@jest/globals';
import { explainFailure, missingComponent } from '../../../../src/adapters/root-file-system/apt-failure.js';
import { RootFileSystemFailure } from '../../../../src/execute/root-file-systems.js';
import { ArchiveError } from '../../../../src/shared/errors.js';
import { rootFsOf } from '../../../support/rootfs.js';

const TAIL = ['E: apt-get update --error-on=any -oAPT::Status-Fd=<$fd> failed', 'E: setup failed: E: command failed: set -eu', 'E: mmdebstrap failed to run'];

describe('explainFailure', () => {
  it('a suite that the archive does not have is the fault of the definition', () => {
    const failure = explainFailure(
      ['Ign:1 http://archive.example.org/debian nosuch InRelease', 'Err:2 http://archive.example.org/debian nosuch Release', '  404  Not Found [IP: 192.0.2.1 80]', "E: The repository 'http://archive.example.org/debian nosuch Release' does not have a Release file.", ...TAIL],
      'exit 1',
      [],
    );
    expect(failure).toBeInstanceOf(RootFileSystemFailure);
    expect(failure.message).toBe('there is no such suite: http://archive.example.org/debian nosuch Release: 404 Not Found');
  });
  it('an archive that answers 503 for its Release file is an archive that is away', () => {
    const failure = explainFailure(
      ['Err:2 http://archive.example.org/debian trixie Release', '  503  Service Unavailable [IP: 192.0.2.1 80]', "E: The repository 'http://archive.example.org/debian trixie Release' does not have a Release file.", ...TAIL],
      'exit 1',
      [],
    );
    expect(failure).toBeInstanceOf(ArchiveError);
    expect(failure.message).toBe("The repository 'http://archive.example.org/debian trixie Release' does not have a Release file. (503 Service Unavailable)");
  });
  it.each([
    ["E: Failed to fetch http://archive.example.org/debian/dists/sid/InRelease  Could not resolve 'archive.example.org'"],
    ['E: Release file for http://archive.example.org/debian/dists/sid/InRelease is expired (invalid since 15d). Updates for this repository will not be applied.'],
    ['E: Failed to fetch http://archive.example.org/pool/a.deb  404  Not Found [IP: 192.0.2.1 80]'],
  ])('%s is the fault of the archive', (line) => {
    const why = /  (\S.*)$/.exec(line)?.[1] ?? 'Something';
    const failure = explainFailure(['Err:1 http://archive.example.org/debian sid/main amd64 something', `  ${why}`, 'Reading package lists...', line, 'E: Some index files failed to download. They have been ignored, or old ones used instead.', ...TAIL], 'exit 1', []);
    expect(failure).toBeInstanceOf(ArchiveError);
    expect(failure.message.replace(' (Something)', '')).toBe(line.slice(3).replace(/\s+/g, ' ').replace(' [IP: 192.0.2.1 80]', ''));
  });
  it('an archive that cannot be trusted is the fault of the archive, with the way to get its keys', () => {
    const failure = explainFailure(
      ['W: GPG error: http://archive.example.org/debian forky InRelease: NO_PUBKEY 0123456789ABCDEF', "E: The repository 'http://archive.example.org/debian forky InRelease' is not signed.", ...TAIL],
      'exit 1',
      [],
    );
    expect(failure).toBeInstanceOf(ArchiveError);
    expect((failure as ArchiveError).hints.join()).toContain('debian-archive-keyring');
  });
  it.each([
    [['The following packages have unmet dependencies:', ' a : Depends: b (>= 2) but 1 is to be installed', ' c : Depends: d but it is not installable', 'E: Unable to correct problems, you have held broken packages.'], 'packages that do not go together: a : Depends: b (>= 2) but 1 is to be installed'],
    [['E: Unable to correct problems, you have held broken packages.'], 'Unable to correct problems, you have held broken packages.'],
    [['E: Unable to locate package nosuch'], 'Unable to locate package nosuch'],
    [['dpkg: error processing package broken (--configure):', ' installed post-installation script returned error exit status 7', 'E: Sub-process env returned an error code (1)'], 'dpkg: error processing package broken (--configure): installed post-installation script returned error exit status 7'],
    [['dpkg: error: dpkg database is locked', 'Setting up something else'], 'dpkg: error: dpkg database is locked'],
    [['E: invalid variant. Choose from extract, custom'], 'invalid variant. Choose from extract, custom'],
    [[], 'mmdebstrap: killed by SIGKILL'],
  ])('%j is the fault of the definition', (lines, message) => {
    const failure = explainFailure([...lines, ...TAIL], 'mmdebstrap: killed by SIGKILL', []);
    expect(failure).toBeInstanceOf(RootFileSystemFailure);
    expect(failure.message).toBe(message);
  });
});

describe('a repository of rootfs.yaml', () => {
  const { repositories } = rootFsOf('suite: trixie\nrepositories:\n  one: { uri: "http://a.example.org/debian", suites: [x] }\n  two: { uris: ["http://b.example.org", "http://a.example.org/debian/"], suites: [y, z] }\n').apt;
  it.each([
    ["E: The repository 'http://a.example.org/debian x InRelease' is not signed.", 'repository one: '],
    ["E: The repository 'http://a.example.org/debian z InRelease' is not signed.", 'repository two: '],
    ['E: Release file for http://a.example.org/debian/dists/y/InRelease is expired (invalid since 1d).', 'repository two: '],
    ['E: Failed to fetch http://b.example.org/dists/z/InRelease  Connection timed out', 'repository two: '],
    ["E: The repository 'http://a.example.org/debian trixie InRelease' is not signed.", ''],
    ["E: The repository 'http://a.example.org/debian x-security InRelease' is not signed.", ''],
    ['E: Failed to fetch http://c.example.org/dists/z/InRelease  Connection timed out', ''],
  ])('%s begins with "%s"', (line, called) => {
    expect(explainFailure([line, ...TAIL], 'exit 1', repositories).message).toBe(called + line.slice(3).replace('  ', ' '));
  });
});

describe('missingComponent', () => {
  it('is said though apt only warns', () => {
    const warning = "W: Skipping acquire of configured file 'nosuch/binary-amd64/Packages' as repository 'http://archive.example.org/debian trixie InRelease' doesn't have the component 'nosuch' (component misspelt in sources.list?)";
    expect(missingComponent(['Reading package lists...', warning], [])).toBe('http://archive.example.org/debian trixie InRelease has no component nosuch');
    expect(missingComponent(['Reading package lists...'], [])).toBeUndefined();
  });
});
