import { describe, expect, it } from '@jest/globals';
import { digestOf } from '../../../src/shared/digest.js';
import { definitionDigest } from '../../../src/definition/definition-digest.js';
import { parseRootFs } from '../../../src/definition/rootfs.js';
import type { Definition } from '../../../src/definition/definition.js';
import { fileEntry, filesInMemory } from '../../support/tree-in-memory.js';
import { nodeOf } from '../../support/plan-tree.js';

const web = nodeOf('web', []).definition;
const files = [fileEntry('a', '1'), fileEntry('b/c', '2')];
const digest = definitionDigest(web, digestOf('FROM x'), files);
const base = (text: string): Definition => {
  const rootfs = parseRootFs('rootfs.yaml', text, filesInMemory({ 'a.gpg': '\x99a', 'b.gpg': '\x99b', 'c.gpg': '\x99a' }));
  if (!rootfs.ok) throw new Error(JSON.stringify(rootfs.problems));
  return { ...web, recipe: { kind: 'base', rootfs: rootfs.value, rootfsPath: 'rootfs.yaml' } };
};
const rootfs = 'suite: trixie\nvariant: minbase\ninclude: [aa, bb]\nenv: {A: "1", B: "2"}\n';

describe('the digest of a production definition', () => {
  it('is the same everywhere: should it change, every image is built again', () => {
    expect(digest).toBe('sha256:77288c0a9eadd97df9b63bd0aee4e56013e7de417caaa212018a45199402d5cf');
  });
  it.each([
    ['another Dockerfile', definitionDigest(web, digestOf('FROM y'), files)],
    ["a file's bytes", definitionDigest(web, digestOf('FROM x'), [fileEntry('a', '2'), files[1]!])],
    ["a file's name", definitionDigest(web, digestOf('FROM x'), [fileEntry('d', '1'), files[1]!])],
    ["a file's mode", definitionDigest(web, digestOf('FROM x'), [fileEntry('a', '1', 0o755), files[1]!])],
    ['one file more', definitionDigest(web, digestOf('FROM x'), [...files, fileEntry('d', '')])],
    ['one file less', definitionDigest(web, digestOf('FROM x'), [files[0]!])],
    ['a template in a folder of it', definitionDigest(web, digestOf('FROM x'), [...files, fileEntry('b/Dockerfile.template', '')])],
    ['parts that are cut elsewhere', definitionDigest(web, digestOf('FROM xa'), [fileEntry('', '1'), files[1]!])],
  ])('%s is another one', (_, other) => expect(other).not.toBe(digest));
  it.each([
    ['the order of files', definitionDigest(web, digestOf('FROM x'), [...files].reverse())],
    ['a changelog entry, a control field, a new test, a comment in the template', definitionDigest(web, digestOf('FROM x'), [...files, ...['changelog', 'control', 'test.sh', 'Dockerfile.template'].map((path) => fileEntry(path, 'x'))])],
    ['a folder', definitionDigest(web, digestOf('FROM x'), [...files, { type: 'directory', path: 'b' }])],
    ['a definition nested in its folder', definitionDigest({ ...web, nested: ['b2'] }, digestOf('FROM x'), [...files, fileEntry('b2/x', 'x')])],
    ['its name, version and place', definitionDigest({ ...web, image: 'other', name: 'other', directory: 'elsewhere', tagSource: { source: 'day' } }, digestOf('FROM x'), files)],
  ])('%s plays no part', (_, other) => expect(other).toBe(digest));
});

describe('the digest of a base definition', () => {
  it('is over what rootfs.yaml says, in whatever order', () => {
    const other = 'env: {B: "2", A: "1"}\nvariant: minbase\nsuite: trixie\ninclude: [aa, bb]\n';
    expect(definitionDigest(base(other), undefined, [])).toBe(definitionDigest(base(rootfs), undefined, [fileEntry('README', 'x')]));
  });
  it('is another one when that says something else', () => {
    expect(definitionDigest(base(rootfs.replace('[aa, bb]', '[aa, cc]')), undefined, [])).not.toBe(definitionDigest(base(rootfs), undefined, []));
    expect(definitionDigest(base(rootfs.replace('B: "2"', 'B: "3"')), undefined, [])).not.toBe(definitionDigest(base(rootfs), undefined, []));
  });
  it('is the same as before there were preferences, repositories, options of apt and a choice of tools', () => {
    expect(definitionDigest(base('suite: trixie\n'), undefined, [])).toBe('sha256:b16f22121901895290a0548049439205193f98fd4f604d9687e297d63ab1c3da');
  });
  it.each([
    ['another tool', 'tool: debuerreotype'],
    ['a preference', 'preferences: [{package: hello, pin: version 2*, priority: 900}]'],
    ['an option of apt', 'apt_config: {"APT::Install-Recommends": false}'],
    ['a repository', 'repositories: {x: {uri: "https://x.example.org", suites: [y], key: a.gpg}}'],
    ['another key of it', 'repositories: {x: {uri: "https://x.example.org", suites: [y], key: b.gpg}}'],
  ])('is another one with %s', (_, line) => {
    const others = ['', 'repositories: {x: {uri: "https://x.example.org", suites: [y], key: a.gpg}}'].filter((other) => other !== line);
    for (const other of others) expect(definitionDigest(base(rootfs + line), undefined, [])).not.toBe(definitionDigest(base(rootfs + other), undefined, []));
  });
  it.each([
    ['a proxy', 'http_proxy: http://proxy.example.org:3128', ''],
    ['the tool that is there anyway', 'tool: mmdebstrap', ''],
    ["the name of a key's file", 'repositories: {x: {uri: "https://x.example.org", suites: [y], key: c.gpg}}', 'repositories: {x: {uri: "https://x.example.org", suites: [y], key: a.gpg}}'],
  ])('%s plays no part', (_, line, other) => expect(definitionDigest(base(rootfs + line), undefined, [])).toBe(definitionDigest(base(rootfs + other), undefined, [])));
});
