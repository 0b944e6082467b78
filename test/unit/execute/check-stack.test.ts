import { describe, expect, it } from '@jest/globals';
import type { Stack } from '../../../src/definition/stack.js';
import { stackFaults } from '../../../src/execute/check-stack.js';
import type { ImageContents } from '../../../src/execute/image-contents.js';
import { stackLabels } from '../../../src/execute/stack-labels.js';

const RUN: Stack = { id: 'org.example.stack.trixie1', role: 'run', uid: 1001, gid: 1000, distro: { name: 'debian', version: '13' }, mixins: ['b', 'a'] };
const BUILD: Stack = { ...RUN, role: 'build', uid: 1000 };
const CONTROL = { path: 'control', package: undefined, dependencies: [], rolling: false, maintainer: 'A Person <a@example.org>', homepage: 'https://example.org', description: 'An image', lintIgnore: [] };
const CREATED = '2026-01-01T00:00:00Z';
const labelsOf = (stack: Stack): Readonly<Record<string, string>> => Object.fromEntries(Object.entries(stackLabels(stack, CONTROL, CREATED)).filter(([, value]) => value !== undefined)) as Record<string, string>;

const good = (stack: Stack): ImageContents => ({
  os: 'linux',
  architecture: 'amd64',
  user: `${stack.uid}:${stack.gid}`,
  env: { PATH: '/bin', ...(stack.role === 'build' ? { CNB_USER_ID: '1000', CNB_GROUP_ID: '1000', CNB_STACK_ID: stack.id } : {}) },
  labels: labelsOf(stack),
  diffIds: ['sha256:1', 'sha256:2'],
  history: [{ createdBy: 'mmdebstrap', emptyLayer: false }, { createdBy: 'RUN apt-get', emptyLayer: false }, { createdBy: 'USER', emptyLayer: true }],
  files: new Map([['/etc/os-release', 'PRETTY_NAME="Debian"\nID=debian\nVERSION_ID="13"\n'], ['/etc/passwd', `root:x:0:0::/root:/bin/sh\napp:x:${stack.uid}:1000::/home/app/:/bin/sh\n`], ['/etc/group', 'app:x:1000:\n']]),
  folders: new Map([['/home/app', { uid: stack.uid, gid: 1000, mode: 0o755 }]]),
});
const faults = (change: (image: ImageContents) => Partial<ImageContents>, stack = RUN): readonly string[] => stackFaults(stack, { ...good(stack), ...change(good(stack)) }, stackLabels(stack, CONTROL, 'some other time'));
const files = (image: ImageContents, path: string, text: string | undefined): Partial<ImageContents> => {
  const changed = new Map(image.files);
  if (text === undefined) changed.delete(path);
  else changed.set(path, text);
  return { files: changed };
};
const home = (uid: number, gid: number, mode: number): Partial<ImageContents> => ({ folders: new Map([['/home/app', { uid, gid, mode }]]) });

describe('a stack image that keeps its promise', () => {
  it.each([['run', RUN], ['build', BUILD]])('has no faults (%s)', (_, stack) => expect(faults(() => ({}), stack)).toEqual([]));
  it('may have os-release where the link in /etc points to, and a home that its group or everybody writes to', () => {
    expect(faults((image) => ({ files: new Map([...image.files].map(([path, text]) => [path === '/etc/os-release' ? '/usr/lib/os-release' : path, text])) }))).toEqual([]);
    expect([faults(() => home(0, 1000, 0o770)), faults(() => home(0, 0, 0o777))]).toEqual([[], []]);
  });
});

describe('a stack image that does not', () => {
  it.each<[string, readonly string[], readonly string[]]>([
    ['another system', faults(() => ({ os: 'windows', architecture: '' })), ['its os is "windows", not linux', 'its config names no architecture']],
    ['another distro', faults((image) => files(image, '/etc/os-release', 'ID=debian\nVERSION_ID="12"\n')), ['/etc/os-release says debian 12, and stack.yaml says debian 13']],
    ['a distro without a version', faults((image) => files(image, '/etc/os-release', 'ID=debian\n')), ['/etc/os-release says debian without VERSION_ID, and stack.yaml says debian 13']],
    ['no os-release', faults((image) => files(image, '/etc/os-release', undefined)), ['it has no /etc/os-release']],
    ['another user', faults(() => ({ user: '' })), ['its user is "", not 1001:1000: does its Dockerfile end in the middle of an instruction?']],
    ['a user without an account', faults((image) => files(image, '/etc/passwd', 'root:x:0:0::/root:/bin/sh\n')), ['/etc/passwd has no user with uid 1001']],
    ['another group', faults((image) => files(image, '/etc/passwd', 'app:x:1001:7::/home/app:/bin/sh\n')), ['user app (1001) has the primary group 7, and stack.yaml says gid 1000']],
    ['no group', faults((image) => files(image, '/etc/group', 'root:x:0:\n')), ['/etc/group has no group with gid 1000']],
    ['no home', faults(() => ({ folders: new Map() })), ['user app has no home: there is no folder /home/app/']],
    ['no home named', faults((image) => files(image, '/etc/passwd', 'app:x:1001:1000\n')), ['user app has no home: there is no folder (none is named)']],
    ['another\'s home', faults(() => home(0, 0, 0o775)), ['user app cannot write to its home /home/app/ (it is 0:0\'s, mode 775)']],
    ['a home of its own that is read-only', faults(() => home(1001, 1000, 0o577)), ['user app cannot write to its home /home/app/ (it is 1001:1000\'s, mode 577)']],
    ['no PATH', faults(() => ({ env: {} })), ['PATH is not set in it']],
    ['no CNB variables', faults(() => ({ env: { PATH: '/bin', CNB_USER_ID: '7' } }), BUILD), ['CNB_USER_ID is "7", not "1000"', 'CNB_GROUP_ID is not set, not "1000"', 'CNB_STACK_ID is not set, not "org.example.stack.trixie1"']],
    ['a label of something else', faults((image) => ({ labels: { ...image.labels, 'io.buildpacks.stack.id': 'other', 'io.buildpacks.rebasable': '' } })), ['label io.buildpacks.stack.id is "other", not "org.example.stack.trixie1"', 'label io.buildpacks.rebasable is "", not "true"']],
    ['a build image with a run image\'s label', faults((image) => ({ labels: { ...image.labels, 'io.buildpacks.base.id': 'x' } }), BUILD), ['label io.buildpacks.base.id is "x", not ""']],
    ['a short history', faults(() => ({ history: [{ createdBy: 'import', emptyLayer: false }] })), ['its history has 1 entries with a layer for 2 layers']],
    ['an empty layer', faults((image) => ({ diffIds: [image.diffIds[0]!, 'sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef'] })), ['layer 2 of 2 is empty (RUN apt-get): leave that instruction out, or join it with another']],
    ['a layer twice', faults((image) => ({ diffIds: [image.diffIds[0]!, image.diffIds[0]!] })), ['layer 2 of 2 is layer 1 once more (RUN apt-get)']],
  ])('%s', (_, found, wanted) => expect(found).toEqual(wanted));
});

describe('the labels of a stack image', () => {
  it('are of both generations, and those that apps are moved by are the run image\'s alone', () => {
    const both = {
      'io.buildpacks.stack.id': RUN.id,
      'io.buildpacks.stack.mixins': '["a","b"]',
      ...Object.fromEntries(['stack', 'base'].flatMap((generation) => Object.entries({ 'distro.name': 'debian', 'distro.version': '13', maintainer: CONTROL.maintainer, homepage: CONTROL.homepage, released: CREATED, description: CONTROL.description }).map(([key, value]) => [`io.buildpacks.${generation}.${key}`, value]))),
    };
    expect(labelsOf(BUILD)).toEqual(both);
    expect(labelsOf(RUN)).toEqual({ ...both, 'io.buildpacks.base.id': RUN.id, 'io.buildpacks.rebasable': 'true' });
  });
});
