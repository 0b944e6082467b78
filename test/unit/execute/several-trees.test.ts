import { describe, expect, it } from '@jest/globals';
import type { Graph } from '../../../src/graph/graph.js';
import { configOf } from '../../support/tree-in-memory.js';
import { runInMemory } from '../../support/run-in-memory.js';

/** Gives an image another tree's config. */
const other = (name: string, lines: string) => (graph: Graph): Graph => ({
  ...graph,
  nodes: new Map([...graph.nodes].map(([image, node]) => [image, image === name ? { ...node, tree: { name: 'other', directory: 'other', config: configOf(lines) } } : node])),
});

describe('running a plan of several trees', () => {
  it("builds and tests each image as its own tree's config says", async () => {
    const tests: string[] = [];
    const { exit, requests } = await runInMemory('base ← web', {
      graph: other('web', 'http_proxy: http://proxy.example.org\nverify_command: /bin/theirs\nverify_args: ["{image}"]\ntimeouts: { test: 7 }\ncontainer_limits: { memory: 1g }\n'),
      config: configOf('verify_command: /bin/ours\nverify_args: ["{image}"]\n'),
      before({ ports }) {
        const { run } = ports.tests;
        ports.tests.run = (test, signal) => {
          tests.push(`${test.command} ${test.timeoutSeconds}`);
          return run(test, signal);
        };
      },
    });
    expect(exit).toBe(0);
    expect(tests).toEqual(['/bin/ours 600', '/bin/theirs 7']);
    expect([requests.get('base')!.buildArgs, requests.get('web')!.buildArgs['http_proxy']]).toEqual([{}, 'http://proxy.example.org']);
    expect([requests.get('base')!.limits, requests.get('web')!.limits]).toEqual([undefined, { memory: 2 ** 30 }]);
  });
});
