import { describe, expect, it } from '@jest/globals';
import { routeEngine, routeRegistry, treeOfImage, type WholeRegistry } from '../../../src/cli/route.js';
import type { BuildEngine } from '../../../src/execute/build-engine.js';
import type { TreeConfig } from '../../../src/shared/config.js';
import { parseImageRef } from '../../../src/shared/image-ref.js';
import { parseConfig } from '../../../src/shared/parse-config.js';

function tree(name: string, config: string): TreeConfig {
  const checked = parseConfig(`${name}.yaml`, config);
  if (!checked.ok) throw new Error(checked.problems.map(({ message }) => message).join('\n'));
  return { name, directory: name, config: checked.value };
}

const TREES = [
  tree('first', 'registry: a.example.org\nnamespace: ns\ninsecure_registries: [plain.example.org]\n'),
  tree('inner', 'registry: a.example.org\nnamespace: ns/inner\n'),
  tree('path', 'registry: a.example.org/path\n'),
  tree('other', 'registry: b.example.org\ninsecure_registries: [plain.example.org]\nregistry_mirrors: { docker.io: [mirror.example.org], quay.example.org: [mirror.example.org] }\n'),
  tree('again', 'registry: a.example.org\nnamespace: ns\n'),
];

describe('an image is reached as the config says', () => {
  it.each([
    ['of the tree that publishes it', 'a.example.org/ns/web:1', 'first'],
    ['of the tree that publishes below the longest name', 'a.example.org/ns/inner/web', 'inner'],
    ['of a tree whose registry has a path', 'a.example.org/path/web', 'path'],
    ['of a tree without a namespace', 'b.example.org/any/thing', 'other'],
    ['of a tree that has its registry, where none publishes it', 'a.example.org/elsewhere/web', 'first'],
    ['of a tree that only begins alike, no', 'a.example.org/nsx/web', 'first'],
    ['of the first tree that names its host as insecure', 'plain.example.org/x', 'first'],
    ['of a tree that has a mirror of it', 'quay.example.org/x', 'other'],
    ['of a tree that has a mirror of Docker Hub', 'debian:12', 'other'],
    ['of the first tree, where none knows it', 'd.example.org/x', 'first'],
  ])('%s', (_, ref, name) => expect(treeOfImage(TREES, parseImageRef(ref)!).name).toBe(name));
});

describe('several registries as one', () => {
  it('each question goes where its image says', async () => {
    const asked: string[] = [];
    const registry = (name: string): WholeRegistry =>
      new Proxy({} as WholeRegistry, {
        get: (_, method: string) => async (ref: { repository: string } | string, ...more: unknown[]) => void asked.push([name, method, typeof ref === 'string' ? ref : ref.repository, ...more.slice(0, -1)].join(' ')),
      });
    const routed = routeRegistry(({ registry: host, repository }) => registry(repository === '' ? host : repository));
    const [ref, digest, signal] = [{ registry: 'r', repository: 'x' }, 'sha256:1' as const, new AbortController().signal];
    await routed.digestOf(ref, signal);
    await routed.manifestOf(ref, signal);
    await routed.configOf(ref, digest, signal);
    await routed.tagsOf(ref, signal);
    await routed.probePush(ref, signal);
    await routed.namesOf(ref, digest, signal);
    await routed.putTag(ref, digest, 'latest', signal);
    await routed.contentOf(ref, digest, signal);
    await routed.deleteDigest(ref, digest, signal);
    await routed.repositoriesOf('r', signal);
    expect(asked.splice(7)).toEqual(['x contentOf x sha256:1', 'x deleteDigest x sha256:1', 'r repositoriesOf r']);
    expect(asked).toEqual(['x digestOf x', 'x manifestOf x', 'x configOf x sha256:1', 'x tagsOf x', 'x probePush x', 'x namesOf x sha256:1', 'x putTag x sha256:1 latest']);
  });
});

describe('one engine for several trees', () => {
  it("builds, pulls and pushes with the logins and secrets of the image's tree, and does all else as ever", async () => {
    const asked: string[] = [];
    const engine = (name: string): BuildEngine => {
      const say = (method: string) => async (what: string | { tag: string }): Promise<never> => void asked.push(`${name} ${method} ${typeof what === 'string' ? what : what.tag}`) as never;
      return { build: say('build'), load: say('load'), pull: say('pull'), push: say('push'), tag: say('tag'), remove: say('remove'), inspect: say('inspect'), list: say('list') } as unknown as BuildEngine;
    };
    const routed = routeEngine(({ repository }) => engine(repository), engine('any'));
    const { signal } = new AbortController();
    await routed.build({ tag: 'r.example.org/x:1' } as never, signal);
    await routed.pull('r.example.org/y@sha256:' + '1'.repeat(64), signal);
    await routed.push('r.example.org/z:1', signal);
    await routed.inspect('sha256:1', signal);
    await routed.remove('r.example.org/z:1', signal);
    expect(asked).toEqual(['x build r.example.org/x:1', `y pull r.example.org/y@sha256:${'1'.repeat(64)}`, 'z push r.example.org/z:1', 'any inspect sha256:1', 'any remove r.example.org/z:1']);
  });
});
