import { describe, expect, it } from '@jest/globals';
import { asNightly, nightlyAt } from '../../../src/definition/nightly.js';
import type { Definition } from '../../../src/definition/definition.js';
import { isSetOnce, planRegistryPrune, type RegistryFound } from '../../../src/plan/prune-registry.js';
import type { AgeRules } from '../../../src/plan/prune.js';
import { formatParents, LABEL } from '../../../src/state/labels.js';
import type { PublishedContent } from '../../../src/state/repository-contents.js';
import type { ImageState } from '../../../src/state/state.js';
import { manifest, nodeOf, provenance, REGISTRY, today, tree } from '../../support/plan-tree.js';

const NOW = Date.UTC(2026, 10, 30);
const DAY = 86_400_000;
const graph = tree('base ← web, run', ['run']);
const ALL_GO: AgeRules = { keep: undefined, olderThan: 0, now: NOW };

/** What a manifest is, where it is more than an image that was made a hundred days ago. */
type Made = { readonly days?: number | undefined; readonly children?: readonly string[]; readonly labels?: Readonly<Record<string, string>>; readonly labelDays?: number };
const dateOf = (days: number): string => new Date(NOW - days * DAY).toISOString();
const ours = (name: string, version?: string): Readonly<Record<string, string>> => ({ [LABEL.title]: name, [LABEL.definition]: today(name), [LABEL.parents]: formatParents({}), ...(version === undefined ? {} : { [LABEL.version]: version }) });

/** Manifests by a word, each with its tags, and what they are. */
function repository(tags: Readonly<Record<string, string>>, made: Readonly<Record<string, Made>> = {}) {
  const byTag = new Map(Object.entries(tags).flatMap(([word, names]) => names.split(' ').map((tag) => [tag, manifest(word)] as const)));
  const content = ({ days = 100, children = [], labels = {}, labelDays }: Made & { days?: number | undefined }, isUndated: boolean): PublishedContent => ({
    children: children.map(manifest),
    configs: [{ labels: { ...labels, ...(labelDays === undefined ? {} : { [LABEL.created]: dateOf(labelDays) }) }, created: isUndated ? undefined : dateOf(days), platform: 'linux/amd64' }],
  });
  const contents = new Map(Object.keys(tags).map((word) => [manifest(word), content(made[word] ?? {}, made[word] !== undefined && 'days' in made[word] && made[word].days === undefined)] as const));
  return { tags: byTag, contents };
}

const image = (version?: string, latest?: string, parents: readonly string[] = []): ImageState => {
  const labels = provenance({ definition: today('x'), parents: Object.fromEntries(parents.map((word) => [`${REGISTRY}/p-${word}:1`, manifest(word)])) });
  const published = (word: string | undefined) => (word === undefined ? undefined : { digest: manifest(word), provenance: labels });
  return { version: published(version), latest: published(latest) };
};
const found = (part: Partial<RegistryFound>): RegistryFound => ({ repositories: new Map(), images: new Map(), apps: new Map(), rollback: new Map(), ...part });
const plan = (part: Partial<RegistryFound>, rules: Partial<AgeRules> = {}, text = graph) => planRegistryPrune(text, found(part), { ...ALL_GO, ...rules });
const wordOf = new Map<string, string>(['two', 'one', 'zero', 'index', 'part', 'deep', 'x', 'y', 'a', 'b', 'c', 'd', 'e'].map((word) => [manifest(word), word]));
/** Word → `delete`, or why it stays. */
const fates = (steps: ReturnType<typeof plan>) => Object.fromEntries(steps.map(({ id, action, reasons }) => [wordOf.get(id)!, action === 'keep' ? reasons[0]!.why : 'delete']));
const web = (tags: Readonly<Record<string, string>>, made: Readonly<Record<string, Made>> = {}, more: Partial<RegistryFound> = {}, rules: Partial<AgeRules> = {}) => fates(plan({ repositories: new Map([['web', repository(tags, made)]]), ...more }, rules));
const run = (tags: Readonly<Record<string, string>>, made: Readonly<Record<string, Made>> = {}) => fates(plan({ repositories: new Map([['run', repository(tags, made)]]) }));
const RUN_IMAGE = { 'io.buildpacks.stack.id': 'org.example' };
const appOn = (word: string) => ({ 'io.buildpacks.lifecycle.metadata': JSON.stringify({ runImage: { reference: `${REGISTRY}/run@${manifest(word)}` } }) });

describe('pruning a registry', () => {
  it('deletes old versions and nightly builds of a versioned image', () => {
    expect(web({ two: '2.0 latest', one: '1.1', zero: '1.0 1.0-20260101', a: '2.0-20260101', b: '2.0-20260101-010203' })).toEqual({ two: 'current', one: 'delete', zero: 'delete', a: 'delete', b: 'delete' });
  });
  it('deletes old dated images and nightly builds of a rolling one', () => {
    expect(run({ two: '20260103 latest', one: '20260102', zero: '20260101 20260101-2', a: 'nightly-20260101', b: 'snapshot-20260101-010203' })).toEqual({ two: 'current', one: 'delete', zero: 'delete', a: 'delete', b: 'delete' });
  });
  it('deletes a version that the changelog no longer has, and what was dated before there was a changelog, when our label says that it is ours', () => {
    expect(web({ two: '2.0', a: '0.1', b: '20250101', c: '0.2', d: '20250102' }, { a: { labels: ours('web', '0.1') }, b: { labels: ours('web') }, c: { labels: ours('web', '0.3') } })).toEqual({ two: 'current', a: 'delete', b: 'delete', c: 'strange-tag', d: 'strange-tag' });
  });
  it('names all tags that go with a manifest', () => {
    const steps = plan({ repositories: new Map([['web', repository({ two: '2.0', one: '1.0 1.1' })]]) });
    expect(steps.find(({ action }) => action === 'delete-digest')).toEqual({ image: 'web', action: 'delete-digest', id: manifest('one'), refs: [`${REGISTRY}/web:1.0`, `${REGISTRY}/web:1.1`], created: NOW - 100 * DAY, reasons: [{ why: 'not-current' }] });
  });
  it('goes children first', () => {
    const steps = plan({ repositories: new Map(['base', 'web'].map((name) => [name, repository({ one: '2.0', two: '1.0' })])) });
    expect([...new Set(steps.map(({ image: name }) => name))]).toEqual(['web', 'base']);
  });
});

describe('never deleted is', () => {
  it.each<[string, string, Readonly<Record<string, string>>, Readonly<Record<string, Made>>, Partial<RegistryFound>]>([
    ['what :latest is', 'current', { two: '2.0', x: '1.0 latest' }, {}, {}],
    ['the newest version of the changelog', 'current', { x: '2.0', two: '1.1 latest' }, {}, {}],
    ['the newest version that there is, though none is current', 'current', { x: '1.1', one: '1.0' }, {}, {}],
    ['what another image of the tree is now', 'current', { two: '2.0', x: '1.0' }, {}, { images: new Map([['base', image('x')]]) }],
    ['… by its :latest alone, too', 'current', { two: '2.0', x: '1.0' }, {}, { images: new Map([['base', image(undefined, 'x')]]) }],
    ['what a current version was built on', 'parent-of', { two: '2.0', x: '1.0' }, {}, { images: new Map([['base', image('y', undefined, ['x'])]]) }],
    ['what a current :latest was built on', 'parent-of', { two: '2.0', x: '1.0' }, {}, { images: new Map([['base', image(undefined, 'y', ['x'])]]) }],
    ['what has a withdrawn- tag', 'withdrawn', { two: '2.0', x: '1.0 withdrawn-1.0' }, {}, {}],
    ['what has a tag that this tree does not make', 'strange-tag', { two: '2.0', x: '1.0 prod' }, {}, {}],
    ['… a signature\'s, for instance', 'strange-tag', { two: '2.0', x: `sha256-${'a'.repeat(64)}.sig` }, {}, {}],
    ['… or that of another image with our labels', 'strange-tag', { two: '2.0', x: '0.1' }, { x: { labels: ours('other', '0.1') } }, {}],
    ['what an app runs on', 'run-image-of', { two: '2.0', x: '1.0' }, {}, { apps: new Map([[manifest('x'), 'tool-a/app']]) }],
    ['what an app among the tree\'s own images runs on', 'run-image-of', { two: '2.0', x: '1.0', one: '1.1' }, { two: { labels: appOn('x') } }, {}],
    ['what apps may run on, when nobody knows which there are', 'apps-unknown', { two: '2.0', x: '1.0' }, { x: { labels: RUN_IMAGE } }, { apps: undefined }],
    ['an index of which a part is what an app runs on', 'run-image-of', { two: '2.0', x: '1.0' }, { x: { children: ['part'] } }, { apps: new Map([[manifest('part'), 'tool-a/app']]) }],
    ['… or what a current image was built on', 'parent-of', { two: '2.0', x: '1.0' }, { x: { children: ['part'] } }, { images: new Map([['base', image('y', undefined, ['part'])]]) }],
    ['what :latest was before the last run that moved it', 'rollback-target', { two: '2.0', x: '1.0' }, {}, { rollback: new Map([[manifest('x'), '20261120-2104']]) }],
    ['a part of an index that stays', 'in-index', { two: '2.0', x: '1.0' }, { two: { children: ['part', 'x'] } }, {}],
    ['a part of an index that stays for its age', 'in-index', { two: '2.0', x: '1.0', index: '1.1' }, { index: { children: ['x'], days: undefined } }, {}],
    ['what nobody knows the age of', 'made-unknown', { two: '2.0', x: '1.0' }, { x: { days: undefined } }, {}],
    ['… though a tag names a day', 'made-unknown', { two: '2.0', x: '1.0 1.0-20260101' }, { x: { days: undefined } }, {}],
    ['what says that it is from 1980: builds that can be repeated do', 'made-unknown', { two: '2.0', x: '1.0' }, { x: { days: (NOW - Date.UTC(1980, 0, 1, 0, 0, 1)) / DAY } }, {}],
  ])('%s', (_, why, tags, made, more) => {
    expect(web(tags, made, more)['x']).toBe(why);
    // Without what holds on to it, it goes: nothing else keeps it.
    if (['parent-of', 'run-image-of', 'apps-unknown', 'rollback-target', 'in-index'].includes(why)) expect(web(tags, {}, {})['x']).toBe('delete');
  });
  it('but what a lifted mark is on goes: it says nothing of that', () => {
    expect(web({ two: '2.0', one: '1.1', x: '1.0 withdrawn-1.1' }, {}, {})).toMatchObject({ one: 'delete', x: 'delete' });
  });
  it.each([
    ['what :latest of a rolling image is', { two: '20260103', x: '20260101 latest' }],
    ['the newest dated image, which may be waiting for it', { two: '20260101 latest', x: '20260101-2', one: '20260101-1' }],
  ])('%s', (_, tags) => expect(run(tags)['x']).toBe('current'));
  it('what a tag that moves in another layout is', () => {
    const nodes = new Map([...graph.nodes].map(([name, node]) => [name, name === 'run' ? { ...node, definition: { ...node.definition, tagSource: { source: 'day', moving: 'stable' } as const } } : node]));
    const steps = plan({ repositories: new Map([['run', repository({ two: '20260103', x: '20260101 stable' })]]) }, {}, { ...graph, nodes });
    expect(fates(steps)).toEqual({ two: 'current', x: 'current' });
  });
  it('what apps run on, when they are known and it is none of them, is deleted', () => {
    expect(web({ two: '2.0', x: '1.0' }, { x: { labels: RUN_IMAGE } })['x']).toBe('delete');
    expect(web({ two: '2.0', x: '1.0' }, {}, { apps: undefined })['x']).toBe('delete');
  });
  it('a part of an index goes with it, if nothing else keeps it', () => {
    expect(web({ two: '2.0', x: '1.0', index: '1.1' }, { index: { children: ['x'] } })).toEqual({ two: 'current', x: 'delete', index: 'delete' });
  });
});

describe('by its age', () => {
  const tags = { two: '2.0', a: '1.1', b: '1.0', c: '1.0-20261101' };
  it.each<[string, Partial<AgeRules>, Readonly<Record<string, Made>>, Readonly<Record<string, string>>]>([
    ['the newest stay', { keep: 1, olderThan: undefined }, { a: { days: 40 }, b: { days: 50 }, c: { days: 60 } }, { a: 'delete', b: 'delete', c: 'among-newest' }],
    ['what is younger stays', { olderThan: 45 * DAY }, { a: { days: 40 }, b: { days: 50 }, c: { days: 60 } }, { a: 'too-young', b: 'delete', c: 'too-young' }],
    ['a label counts as the config does: the later one', { olderThan: 45 * DAY }, { a: { days: 90, labelDays: 40 }, b: { days: 40, labelDays: 90 }, c: { days: 60 } }, { a: 'too-young', b: 'too-young', c: 'too-young' }],
    ['and so does the day in a tag', { olderThan: 30 * DAY }, { a: { days: 90 }, b: { days: 90 }, c: { days: 90 } }, { a: 'delete', b: 'delete', c: 'too-young' }],
    ['a label alone tells it, too', { olderThan: 45 * DAY }, { a: { days: undefined, labelDays: 90 }, b: { days: undefined, labelDays: 40 }, c: {} }, { a: 'delete', b: 'too-young', c: 'too-young' }],
  ])('%s', (_, rules, made, fate) => expect(web(tags, made, {}, rules)).toEqual({ two: 'current', ...fate }));
  it('a tag that ends in digits which are no day tells nothing', () => {
    const steps = plan({ repositories: new Map([['web', repository({ two: '2.0', a: '1.0-20269999' }, { a: { days: 90 } })]]) }, { olderThan: 30 * DAY });
    expect(steps.find(({ id }) => id === manifest('a'))).toMatchObject({ action: 'delete-digest', created: NOW - 90 * DAY });
  });
  it('what is current is not counted among the newest', () => {
    expect(web({ two: '2.0', a: '1.1', b: '1.0' }, { two: { days: 1 }, a: { days: 2 }, b: { days: 3 } }, {}, { keep: 1, olderThan: undefined })).toEqual({ two: 'current', a: 'among-newest', b: 'delete' });
  });
});

describe('a tag that is set once', () => {
  const [versioned, rolling] = [nodeOf('web', []).definition, nodeOf('run', [], ['run']).definition];
  it.each<[string, Definition, readonly string[], readonly string[]]>([
    ['of a versioned image', versioned, ['2.0', '1.0', '1.0-20260101', '2.0-20260101-010203'], ['latest', 'prod', '20260101', '9.9', '9.9-20260101', '2.0-local', 'nightly-20260101']],
    ['of a rolling image', rolling, ['20260101', '20260101-2', 'nightly-20260101', 'snapshot-20260101-010203'], ['latest', 'prod', '2.0', '2.0-20260101']],
    ['of a tree that is read for a nightly build', asNightly(versioned, nightlyAt('nightly', 0)), ['20260101'], ['latest', '2.0']],
  ])('%s', (_, definition, once, others) => expect([...once, ...others].filter((tag) => isSetOnce(definition, tag))).toEqual(once));
});
