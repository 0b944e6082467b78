import { describe, expect, it } from '@jest/globals';
import { formatPlan } from '../../../src/report/format-plan.js';
import { formerly, image, manifest, planFor, provenance, published, REGISTRY, rolled, today, tree, type Outside } from '../../support/plan-tree.js';

const graph = tree('base ← web ← api');
const shown = (outside: Outside, all = false, text = graph, request: Parameters<typeof planFor>[2] = {}) => formatPlan(planFor(text, outside, request), all);
const allPublished = { base: published('base'), web: published('web'), api: published('api') };
const labelled = (version: string) => image(`latest ${version}`, provenance({ definition: formerly('web'), version }));

describe('formatPlan', () => {
  it('says first what will happen to the outside, then what to whom and why, then how much of what', () => {
    expect(shown({ images: { base: published('base') } })).toEqual([
      `publishing to ${REGISTRY}`,
      '',
      '  image  now  will be  action  why',
      '  web    –    2.0      build   not in the registry yet',
      '  api    –    2.0      build   not in the registry yet',
      '',
      '2 to build, 1 up to date (not shown; --all shows them).   Run build-images to do it.',
    ]);
  });
  it('shows what is up to date when asked', () => {
    expect(shown({ images: allPublished }, true)).toContain('  web    2.0  2.0      keep    published');
    expect(shown({ images: { base: published('base') } }, true).at(-1)).toBe('2 to build, 1 up to date.   Run build-images to do it.');
  });
  it('is two lines when there is nothing to do', () => {
    expect(shown({ images: allPublished })).toEqual([`publishing to ${REGISTRY}`, '', 'Nothing to do: 3 up to date.']);
  });
  it('says in its first line that some :latest does not move', () => {
    const blocked = shown({ images: { ...allPublished, web: { ...published('web'), latest: labelled('3.0') } } });
    expect(blocked[0]).toBe(`publishing to ${REGISTRY}            not moving :latest of 1 image (see below)`);
    expect(blocked).toContain('  web    3.0  –        blocked  your checkout is older than the registry (:latest is 3.0)');
    expect(blocked.at(-1)).toBe('1 blocked, 2 up to date (not shown; --all shows them).   Update your checkout; promote IMAGE, or --rebuild of a rolling image, forces it.');
    const left = shown({ images: { ...allPublished, web: { ...published('web'), latest: image('whose') }, api: { ...published('api'), latest: image('whose') } }, olderVersion: { web: null, api: null } });
    expect(left[0]).toContain('not moving :latest of 2 images');
    const built = shown({ images: { ...allPublished, web: { latest: labelled('3.0') } } });
    expect(built[0]).toContain('not moving :latest of 1 image ');
  });
  it('shows an image that changed without a new changelog entry, though it is kept', () => {
    const drifted = image('web 2.0', provenance({ definition: formerly('web'), version: '2.0' }));
    const lines = shown({ images: { ...allPublished, web: { version: drifted, latest: drifted } } });
    expect(lines.some((line) => line.includes('changed without a new changelog entry'))).toBe(true);
    expect(lines.at(-1)).toBe('Nothing to do: 3 up to date.');
  });
  it('shows what waits because it was withdrawn, and says so in its first line', () => {
    const older = image('web 1.1', provenance({ definition: formerly('web'), version: '1.1' }));
    const lines = shown({ images: { ...allPublished, web: { ...published('web'), latest: older } }, withdrawn: { web: [{ tag: 'withdrawn-2.0', ...published('web').version! }] } });
    expect(lines[0]).toContain('not moving :latest of 1 image (see below)');
    expect(lines).toContainEqual(expect.stringMatching(/^ {2}web +1\.1 +1\.1 +keep +withdrawn-2\.0 says that it was withdrawn/));
  });
  it('counts the versions whose parents are not what they were, and names them when asked', () => {
    const behind = (name: string) => published(name, { [`${REGISTRY}/base:latest`]: manifest('base before') });
    const text = tree('base ← web, base ← api', ['base']);
    const one = { base: rolled('base'), web: behind('web'), api: published('api', { [`${REGISTRY}/base:latest`]: rolled('base').latest!.digest }) };
    expect(shown({ images: one }, false, text).slice(-2)).toEqual(['Nothing to do: 3 up to date.', '1 published version stands on what a parent was before (plan --all says which): a new changelog entry builds it on what it is.']);
    const two = shown({ images: { ...one, api: behind('api') } }, true, text);
    expect(two.at(-1)).toBe('2 published versions stand on what a parent was before: a new changelog entry builds them on what it is.');
    expect(two.filter((line) => /^ {2}(?:web|api) .* keep +published; base moved \(/.test(line))).toHaveLength(2);
  });
  it('does not count a rolling image of which there is an equal one that stands on what its parents are', () => {
    const text = tree('base ← run', ['base', 'run']);
    const run = rolled('run', { [`${REGISTRY}/base:latest`]: manifest('base before') });
    const equal = { tag: '20260101', ...image('equal', provenance({ definition: today('run'), parents: { [`${REGISTRY}/base:latest`]: rolled('base').latest!.digest } })) };
    expect(shown({ images: { base: rolled('base'), run }, dated: { run: [equal] } }, false, text).at(-1)).toBe('1 to promote, 1 up to date (not shown; --all shows them).   Run build-images to do it.');
  });
  it('does not take for up to date what nobody asked for', () => {
    const selected = (outside: Outside) => shown(outside, false, graph, { select: new Set([...graph.nodes.keys()].slice(0, 1)) }).at(-1);
    expect(selected({})).toBe('1 to build, 2 not selected (not shown; --all shows them).   Run build-images to do it.');
    expect(selected({ images: allPublished })).toBe('Nothing to do: 1 up to date, 2 not selected.');
  });
  it('counts each thing to do', () => {
    const older = { version: image('api 2.0', provenance({ definition: today('api'), version: '2.0' })), latest: labelled('1.1') };
    expect(shown({ images: { base: published('base'), api: older } }).at(-2)).toBe('1 to build, 1 to promote, 1 up to date (not shown; --all shows them).   Run build-images to do it.');
  });
  it('says every reason, and names without the namespace that all share', () => {
    const spaced = tree('ns/base ← ns/run', ['ns/base', 'ns/run']);
    const moved = { 'ns/base': { latest: image('base', provenance({ definition: formerly('ns/base') })) }, 'ns/run': { latest: image('run', provenance({ definition: formerly('ns/run'), parents: { [`${REGISTRY}/ns/base:latest`]: manifest('base') } })) } };
    expect(formatPlan(planFor(spaced, { images: moved }), false)).toContain('  run    latest  20260101  build   its definition changed; base is built in this run');
  });
});
