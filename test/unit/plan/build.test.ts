import { describe, expect, it } from '@jest/globals';
import { actionsOf, formerly, image, local, manifest, planFor, provenance, published, REGISTRY, rolled, stateFor, stepOf, today, tree, whyOf } from '../../support/plan-tree.js';
import { planBuild } from '../../../src/plan/build.js';
import { LABEL } from '../../../src/state/labels.js';
import { stateOf } from '../../../src/state/state.js';

const NOT_PUBLISHING = { publish: false, to: REGISTRY, why: '--no-publish' } as const;

describe('planBuild, versioned images', () => {
  const graph = tree('base ← web ← api, base ← tool');
  const allPublished = { base: published('base'), web: published('web'), api: published('api'), tool: published('tool') };

  it('builds what the registry does not have, parents first', () => {
    const plan = planFor(graph, {});
    expect(actionsOf(plan)).toEqual({ base: 'build', web: 'build', api: 'build', tool: 'build' });
    expect(plan.steps.map((step) => step.image)).toEqual(['base', 'web', 'api', 'tool']);
    expect(stepOf(plan, 'api')).toMatchObject({ ref: `${REGISTRY}/api:2.0`, promotes: true, publishes: true, reasons: [{ why: 'not-published' }], parents: [`${REGISTRY}/web:2.0`] });
  });
  it('keeps what is published and promoted', () => {
    const plan = planFor(graph, { images: allPublished });
    expect(actionsOf(plan)).toEqual({ base: 'keep', web: 'keep', api: 'keep', tool: 'keep' });
    expect(whyOf(plan, 'api')).toEqual(['published']);
  });
  it('keeps a published version though its parent is built', () => {
    expect(actionsOf(planFor(graph, { images: { ...allPublished, base: {} } }))).toEqual({ base: 'build', web: 'keep', api: 'keep', tool: 'keep' });
  });
  it.each([
    ['is built in this run', {}, ['published', 'parent-builds']],
    ['moved since', { base: rolled('base') }, ['published', 'parent-moved']],
    ['is what it was', { base: rolled('base', {}, 'base before') }, ['published']],
  ])('keeps a published version whose parent %s, and says so', (_, base, why) => {
    const images = { ...base, web: published('web', { [`${REGISTRY}/base:latest`]: manifest('base before') }) };
    const plan = planFor(tree('base ← web', ['base']), { images });
    expect([stepOf(plan, 'web').action, whyOf(plan, 'web')]).toEqual(['keep', why]);
  });
  it('says so too of what is promoted, or left where it is', () => {
    const { version } = published('web', { [`${REGISTRY}/base:latest`]: manifest('base before') });
    const text = tree('base ← web', ['base']);
    expect(whyOf(planFor(text, { images: { base: rolled('base'), web: { version } } }), 'web')).toEqual(['promotion-pending', 'parent-moved']);
    expect(whyOf(planFor(text, { images: { base: rolled('base'), web: { version, latest: image('whose') } }, olderVersion: { web: null } }), 'web')).toEqual(['latest-unknown', 'parent-moved']);
  });
  it('claims nothing of the parents of an image without our labels', () => {
    const it = image('web 2.0');
    expect(whyOf(planFor(tree('base ← web', ['base']), { images: { web: { version: it, latest: it } } }), 'web')).toEqual(['origin-unknown']);
  });
  it('says that a published definition changed without a new changelog entry, and keeps it', () => {
    const it = image('web 2.0', provenance({ definition: formerly('web'), version: '2.0' }));
    const plan = planFor(graph, { images: { ...allPublished, web: { version: it, latest: it } } });
    expect(stepOf(plan, 'web').action).toBe('keep');
    expect(whyOf(plan, 'web')).toEqual(['changed-without-changelog']);
  });
  it('keeps a published image without our labels, of which nothing is claimed', () => {
    const it = image('web 2.0');
    const plan = planFor(graph, { images: { ...allPublished, web: { version: it, latest: it } } });
    expect(whyOf(plan, 'web')).toEqual(['origin-unknown']);
    expect(stepOf(plan, 'web').action).toBe('keep');
  });
});

describe('planBuild, what the engine has', () => {
  it('is not taken for this version when its label names another: somebody built on that one and tagged it so', () => {
    const theirs = local('hacked', [`${REGISTRY}/web:2.0`], 'web', today('web'));
    expect(stepOf(planFor(tree('web'), { local: [theirs] }), 'web').action).toBe('publish');
    const inherited = { ...theirs, labels: { ...theirs.labels, 'org.opencontainers.image.version': '1.1' } };
    expect(stepOf(planFor(tree('web'), { local: [inherited] }), 'web').action).toBe('build');
  });
});

describe('planBuild, what the engine has of a rolling image', () => {
  it.each([
    ['the newest of its dated tags is what it is', ['20251231', '20260101', 'latest'], 'keep', '20260101'],
    ['a nightly build is no build of it', ['nightly-20260101', 'latest'], 'build', '20260101'],
  ])('%s', (_, tags, action, tag) => {
    const had = local('had', tags.map((one) => `${REGISTRY}/run:${one}`), 'run', today('run'));
    expect(stepOf(planFor(tree('run', ['run']), { local: [had] }, { publishing: NOT_PUBLISHING }), 'run')).toMatchObject({ action, tag });
  });
});

describe('planBuild, what the engine has of an image of docker.io', () => {
  it('is known though engines leave that registry\'s name out', () => {
    const [web] = [...tree('web').nodes.values()];
    const hub = { nodes: new Map([['web', { ...web!, ref: { registry: 'docker.io', repository: 'ns/web', tag: '2.0' } }]]), children: new Map([['web', []]]) };
    expect(stepOf(planFor(hub, { local: [local('had', ['ns/web:2.0'], 'web', today('web'))] }), 'web')).toMatchObject({ action: 'publish', localId: 'sha256:had' });
  });
});

describe('planBuild, :latest of a versioned image', () => {
  const graph = tree('web');
  const version = image('web 2.0', provenance({ definition: today('web'), version: '2.0' }));
  const labelled = (named: string) => image(`web ${named} latest`, provenance({ definition: formerly('web'), version: named }));

  it.each([
    ['moves when it is absent', undefined, 'promote', 'promotion-pending'],
    ['moves from an older version of the changelog', labelled('1.1'), 'promote', 'promotion-pending'],
    ['moves from another image that calls itself the newest version', labelled('2.0'), 'promote', 'promotion-pending'],
    ['stays on a version that the changelog does not know', labelled('3.0'), 'blocked', 'older-checkout'],
  ] as const)('%s', (_, latest, action, why) => {
    const plan = planFor(graph, { images: { web: { version, latest } } });
    expect(stepOf(plan, 'web').action).toBe(action);
    expect(whyOf(plan, 'web')).toEqual([why]);
  });
  it('is looked for among the older versions when it has no label of ours', () => {
    const images = { web: { version, latest: image('docker-pkg 1.1') } };
    expect(planFor(graph, { images }).needs).toEqual([{ need: 'older-version', image: 'web' }]);
    expect(stepOf(planFor(graph, { images, olderVersion: { web: '1.1' } }), 'web').action).toBe('promote');
    const left = planFor(graph, { images, olderVersion: { web: null } });
    expect([stepOf(left, 'web').action, whyOf(left, 'web'), left.needs]).toEqual(['keep', ['latest-unknown'], []]);
  });
  it('does not move with a build when it is a version that the changelog does not know', () => {
    const plan = planFor(graph, { images: { web: { latest: labelled('3.0') } } });
    expect(stepOf(plan, 'web')).toMatchObject({ action: 'build', publishes: true, promotes: false });
    expect(whyOf(plan, 'web')).toEqual(['not-published', 'older-checkout']);
  });
  it('stays where it is when nothing is published', () => {
    const plan = planFor(graph, { images: { web: { version, latest: labelled('1.1') } } }, { publishing: NOT_PUBLISHING });
    expect(stepOf(plan, 'web')).toMatchObject({ action: 'keep', promotes: false });
  });
});

describe('planBuild, rolling images', () => {
  const graph = tree('base ← run', ['base', 'run']);
  const baseRef = `${REGISTRY}/base:latest`;
  const good = { base: rolled('base'), run: rolled('run', { [baseRef]: manifest('base latest') }) };

  it('builds under the day of the run', () => {
    const plan = planFor(graph, {});
    expect(plan.steps.map(({ tag }) => tag)).toEqual(['20260101', '20260101']);
  });
  it('takes the next tag of a day, the suffix as a number', () => {
    const dated = ['20260101-9', '20260101-10', '20260101'].map((tag) => ({ tag, ...image(tag, provenance({ definition: formerly('base') })) }));
    expect(stepOf(planFor(graph, { dated: { base: dated } }), 'base').tag).toBe('20260101-11');
  });
  it('keeps what stands on what its parent is', () => {
    expect(actionsOf(planFor(graph, { images: good }))).toEqual({ base: 'keep', run: 'keep' });
  });
  it('builds a child of a parent that is built', () => {
    const plan = planFor(graph, { images: { ...good, base: { latest: image('base latest', provenance({ definition: formerly('base') })) } } });
    expect(actionsOf(plan)).toEqual({ base: 'build', run: 'build' });
    expect([whyOf(plan, 'base'), whyOf(plan, 'run')]).toEqual([['inputs-changed'], ['parent-builds']]);
  });
  it('builds a child whose parent moved in a former run', () => {
    const plan = planFor(graph, { images: { ...good, base: rolled('base', {}, 'base newer') } });
    expect(actionsOf(plan)).toEqual({ base: 'keep', run: 'build' });
    expect(stepOf(plan, 'run').reasons).toEqual([{ why: 'parent-moved', parent: 'base', from: manifest('base latest'), to: manifest('base newer') }]);
  });
  it('promotes the newest dated tag that is already what would be built, and builds on it', () => {
    const dated = [{ tag: '20251231', ...image('base dated', provenance({ definition: today('base') })) }];
    const plan = planFor(graph, { images: { ...good, base: { latest: image('base latest', provenance({ definition: formerly('base') })) } }, dated: { base: dated } });
    expect(stepOf(plan, 'base')).toMatchObject({ action: 'promote', tag: '20251231', digest: manifest('base dated') });
    expect(whyOf(plan, 'run')).toEqual(['parent-moved']);
  });
  it.each<[string, string | undefined, string | undefined, readonly string[]]>([
    ['another platform than was built for', 'linux/amd64', 'linux/arm64', ['platform-changed']],
    ['the same in other words', 'linux/arm64', 'linux/arm64/v8', ['published']],
    ['one that nobody had named', undefined, 'linux/arm64', ['published']],
    ["the engine's own", 'linux/arm64', undefined, ['published']],
  ])('for %s: from %s to %s', (_, built, platform, why) => {
    const latest = image('base', provenance({ definition: today('base'), platform: built }));
    expect(whyOf(planFor(graph, { images: { ...good, base: { version: undefined, latest } } }, { platform }), 'base')).toEqual(why);
  });
  it('promotes no dated image of another platform', () => {
    const dated = [{ ...image('dated', provenance({ definition: today('base'), platform: 'linux/amd64' })), tag: '20251231' }];
    const images = { base: { version: undefined, latest: image('other', provenance({ definition: formerly('base') })) } };
    expect(stepOf(planFor(graph, { images, dated: { base: dated } }, { platform: 'linux/amd64' }), 'base').action).toBe('promote');
    expect(stepOf(planFor(graph, { images, dated: { base: dated } }, { platform: 'linux/arm64' }), 'base').action).toBe('build');
  });
  it('asks for the dated tags before it builds', () => {
    const state = { ...stateFor(graph, { images: good }), dated: new Map() };
    state.images.get('base');
    const plan = planBuild(graph, { ...state, images: new Map([...state.images, ['base', { version: undefined, latest: undefined }]]) }, { select: undefined, publishing: { publish: true, to: REGISTRY, as: undefined }, rebuild: false, day: '20260101', platform: undefined, definitions: new Map([['base', today('base')], ['run', today('run')]]) });
    expect(plan.needs).toContainEqual({ need: 'dated-tags', image: 'base' });
  });
  it('keeps :latest of unknown origin', () => {
    const plan = planFor(graph, { images: { ...good, base: { latest: image('whose?') }, run: rolled('run', { [baseRef]: manifest('whose?') }) } });
    expect([actionsOf(plan), whyOf(plan, 'base')]).toEqual([{ base: 'keep', run: 'keep' }, ['origin-unknown']]);
  });
  it('is refused by an older checkout, unless a rebuild is asked for', () => {
    const newer = { ...good, base: { latest: image('base latest', provenance({ definition: formerly('base'), revision: 'abcdef0123456' })) } };
    const refused = planFor(graph, { images: newer, ancestry: { abcdef0123456: false } });
    expect([actionsOf(refused), whyOf(refused, 'base')]).toEqual([{ base: 'blocked', run: 'keep' }, ['older-checkout']]);
    const forced = planFor(graph, { images: newer, ancestry: { abcdef0123456: false } }, { select: new Set(['base']), rebuild: true });
    expect(stepOf(forced, 'base')).toMatchObject({ action: 'build', reasons: [{ why: 'requested' }] });
    const known = planFor(graph, { images: newer, ancestry: { abcdef0123456: true } });
    expect(stepOf(known, 'base').action).toBe('build');
    const noGit = planFor(graph, { images: newer, ancestry: { abcdef0123456: undefined } });
    expect([stepOf(noGit, 'base').action, whyOf(noGit, 'base')]).toEqual(['build', ['inputs-changed', 'age-unknown']]);
  });
  it('does not step back with a parent of which the registry has something newer', () => {
    const standing = tree('base ← run', ['run']);
    const old = image('base 2.0', provenance({ definition: today('base'), version: '2.0' }));
    const newer = image('base 3.0', provenance({ definition: formerly('base'), version: '3.0' }));
    const images = { base: { version: old, latest: newer }, run: rolled('run', { [`${REGISTRY}/base:3.0`]: manifest('base 3.0') }) };
    const blocked = { action: 'blocked', reasons: [{ why: 'older-parent', parent: 'base' }] };
    expect(stepOf(planFor(standing, { images }), 'run')).toMatchObject(blocked);
    expect(stepOf(planFor(standing, { images }, { select: new Set(['run']) }), 'run')).toMatchObject(blocked);
    expect(stepOf(planFor(standing, { images: { ...images, base: { latest: newer } } }), 'run')).toMatchObject(blocked);
    expect(stepOf(planFor(standing, { images }, { select: new Set(['run']), rebuild: true }), 'run').action).toBe('build');
    expect(stepOf(planFor(standing, { images: { ...images, run: {} } }), 'run').action).toBe('build');
    const below = tree('base ← middle ← run', ['middle', 'run']);
    const stacked = { base: images.base, middle: rolled('middle', { [`${REGISTRY}/base:3.0`]: manifest('base 3.0') }), run: rolled('run', { [`${REGISTRY}/middle:latest`]: manifest('middle latest') }) };
    expect(actionsOf(planFor(below, { images: stacked }))).toEqual({ base: 'blocked', middle: 'blocked', run: 'keep' });
  });
  it('builds a child that failed after its parent was published', () => {
    const plan = planFor(graph, { images: { base: rolled('base', {}, 'base newer'), run: rolled('run', { [baseRef]: manifest('base latest') }) } });
    expect(stepOf(plan, 'run').action).toBe('build');
  });
});

describe('planBuild, selection', () => {
  const graph = tree('base ← web ← api, base ← tool');

  it('brings unpublished parents of what is built along, and never children', () => {
    const plan = planFor(graph, {}, { select: new Set(['web']) });
    expect(actionsOf(plan)).toEqual({ base: 'build', web: 'build', api: 'keep', tool: 'keep' });
    expect([whyOf(plan, 'base'), whyOf(plan, 'api')]).toEqual([['not-published', 'needed-by'], ['not-selected']]);
  });
  it('leaves a published parent as it is', () => {
    expect(actionsOf(planFor(graph, { images: { base: published('base') } }, { select: new Set(['web']) }))).toEqual({ base: 'keep', web: 'build', api: 'keep', tool: 'keep' });
  });
  it('rebuilds a version that is not published as VERSION-local, too: what is only tried is not pushed', () => {
    const plan = planFor(graph, { images: { base: published('base') } }, { select: new Set(['web']), rebuild: true });
    expect(stepOf(plan, 'web')).toMatchObject({ action: 'build', tag: '2.0-local', publishes: false, promotes: false });
    const both = planFor(graph, {}, { select: new Set(['base', 'web']), rebuild: true });
    expect(both.steps.slice(0, 2).map(({ image, tag, publishes }) => [image, tag, publishes])).toEqual([['base', '2.0-local', false], ['web', '2.0-local', false]]);
  });
  it('rebuilds a published version as VERSION-local that is never pushed', () => {
    const plan = planFor(graph, { images: { base: published('base'), web: published('web') } }, { select: new Set(['web']), rebuild: true });
    expect(stepOf(plan, 'web')).toMatchObject({ action: 'build', tag: '2.0-local', publishes: false, promotes: false });
    expect(stepOf(plan, 'base').action).toBe('keep');
  });
});

describe('planBuild, what the engine has', () => {
  const graph = tree('base ← web');
  const baseRef = `${REGISTRY}/base:2.0`;
  const baseLocal = local('aaa', [baseRef], 'base', today('base'));

  it('publishes an image that is exactly what would be built', () => {
    const plan = planFor(graph, { local: [baseLocal] });
    expect(stepOf(plan, 'base')).toMatchObject({ action: 'publish', localId: 'sha256:aaa' });
  });
  it('builds what stands on a parent that was never pushed', () => {
    const web = local('bbb', [`${REGISTRY}/web:2.0`], 'web', today('web'), { [baseRef]: 'id:sha256:aaa' });
    expect(actionsOf(planFor(graph, { local: [baseLocal, web] }))).toEqual({ base: 'publish', web: 'build' });
    expect(actionsOf(planFor(graph, { local: [baseLocal, web] }, { publishing: NOT_PUBLISHING }))).toEqual({ base: 'keep', web: 'keep' });
  });
  it.each([
    ['of another definition', local('aaa', [baseRef], 'base', formerly('base'))],
    ['with inherited labels', local('aaa', [baseRef], 'parent', today('base'))],
    ['under another tag', local('aaa', [`${REGISTRY}/base:1.0`], 'base', today('base'))],
  ])('builds in spite of a local image %s', (_, found) => {
    expect(stepOf(planFor(graph, { local: [found] }), 'base').action).toBe('build');
  });
  it.each<[string, string | undefined, string | undefined, string]>([
    ['is published', undefined, undefined, 'publish'],
    ['is published', 'linux/arm64', 'linux/arm64/v8', 'publish'],
    ['is not', 'linux/arm64', undefined, 'build'],
    ['is not', undefined, 'linux/arm64', 'build'],
    ['is not', 'linux/arm64', 'linux/amd64', 'build'],
  ])('what was built here %s: for platform %s, where now %s is built for', (_, built, platform, action) => {
    const found = { ...baseLocal, labels: { ...baseLocal.labels, ...(built === undefined ? {} : { [LABEL.platform]: built }) } };
    expect(stepOf(planFor(graph, { local: [found] }, { platform }), 'base').action).toBe(action);
  });
  it('builds in spite of a local image whose outside parent moved', () => {
    const standing = tree('outside/debian:12 ← web');
    const web = local('bbb', [`${REGISTRY}/web:2.0`], 'web', today('web'), { 'outside/debian:12': manifest('debian') });
    const select = new Set(['web']);
    const plan = (digest: ReturnType<typeof manifest>) => planFor(standing, { local: [web], outside: { 'outside/debian:12': digest }, images: { 'outside/debian:12': published('outside/debian:12') } }, { select });
    expect(stepOf(plan(manifest('debian')), 'web').action).toBe('publish');
    expect(stepOf(plan(manifest('debian newer')), 'web').action).toBe('build');
  });
  it('asks the engine only when something is unpublished', () => {
    const images = new Map([['base', published('base')], ['web', published('web')]]);
    const request = { select: undefined, publishing: { publish: true, to: REGISTRY, as: undefined }, rebuild: false, day: '20260101', platform: undefined, definitions: new Map([['base', today('base')], ['web', today('web')]]) } as const;
    expect(planBuild(graph, stateOf(images), request).needs).toEqual([]);
    expect(planBuild(graph, stateOf(new Map([...images, ['web', { version: undefined, latest: undefined }]])), request).needs).toContainEqual({ need: 'local-images' });
  });
});

describe('planBuild, at its edges', () => {
  const graph = tree('base ← web');
  const baseRef = `${REGISTRY}/base:2.0`;
  const baseLocal = local('aaa', [baseRef], 'base', today('base'));
  const unlabelled = { version: image('web 2.0', provenance({ definition: today('web'), version: '2.0' })), latest: image('docker-pkg 1.1') };

  it('brings no unpublished parent along for an image that is kept', () => {
    expect(actionsOf(planFor(graph, { images: { web: published('web') } }, { select: new Set(['web']) }))).toEqual({ base: 'keep', web: 'keep' });
  });
  it('rebuilds what is selected, and not the parents that come along', () => {
    const plan = planFor(graph, {}, { select: new Set(['web']), rebuild: true });
    expect([whyOf(plan, 'base'), whyOf(plan, 'web')]).toEqual([['not-published', 'needed-by'], ['requested']]);
    expect(stepOf(planFor(graph, { local: [baseLocal] }, { select: new Set(['base']), rebuild: true }), 'base').action).toBe('build');
    expect(actionsOf(planFor(graph, { local: [baseLocal] }, { select: new Set(['web']), rebuild: true }))).toEqual({ base: 'publish', web: 'build' });
  });
  it('takes an unselected parent from the engine when nothing is published, and publishes it when something is', () => {
    const select = new Set(['web']);
    const here = planFor(graph, { local: [baseLocal] }, { select, publishing: NOT_PUBLISHING });
    expect([stepOf(here, 'base'), stepOf(here, 'web').action]).toEqual([expect.objectContaining({ action: 'keep', localId: 'sha256:aaa' }), 'build']);
    expect(actionsOf(planFor(graph, { local: [baseLocal] }, { select }))).toEqual({ base: 'publish', web: 'build' });
  });
  it('does not ask what :latest is when nothing is published', () => {
    expect(planFor(graph, { images: { base: published('base'), web: unlabelled } }, { publishing: NOT_PUBLISHING }).needs).toEqual([]);
    expect(planFor(graph, { images: { base: published('base'), web: unlabelled } }).needs).toEqual([{ need: 'older-version', image: 'web' }]);
  });
  it('says where a :latest that may not move stays, and builds all the same', () => {
    const plan = planFor(graph, { images: { base: published('base'), web: { latest: image('whose') } }, olderVersion: { web: null } });
    expect([stepOf(plan, 'web'), whyOf(plan, 'web')]).toEqual([expect.objectContaining({ action: 'build', publishes: true, promotes: false }), ['not-published', 'latest-unknown']]);
  });
});

describe('planBuild, rolling images at their edges', () => {
  const graph = tree('base ← run', ['base', 'run']);
  const baseRef = `${REGISTRY}/base:latest`;
  const stale = { latest: image('base latest', provenance({ definition: formerly('base'), revision: 'abcdef0123456' })) };

  it('a rebuild that is asked for is built, though a dated tag has it already', () => {
    const dated = { base: [{ tag: '20251231', ...image('base dated', provenance({ definition: today('base') })) }] };
    expect(stepOf(planFor(graph, { images: { base: rolled('base') }, dated }, { select: new Set(['base']), rebuild: true }), 'base')).toMatchObject({ action: 'build', tag: '20260101' });
  });
  it('takes no tag of the day that the engine has', () => {
    const there = local('aaa', [`${REGISTRY}/base:20260101`, `${REGISTRY}/base:1.0`], 'base', formerly('base'));
    expect(stepOf(planFor(graph, { local: [there] }), 'base').tag).toBe('20260101-2');
  });
  it('knows a recorded parent by its whole name', () => {
    const recorded = { [`${REGISTRY}/base-old:latest`]: manifest('another'), [baseRef]: manifest('base latest') };
    expect(stepOf(planFor(graph, { images: { base: rolled('base'), run: rolled('run', recorded) } }), 'run').action).toBe('keep');
  });
  it('knows a recorded parent under whichever tag it had', () => {
    expect(whyOf(planFor(graph, { images: { base: rolled('base'), run: rolled('run', { [`${REGISTRY}/base:20251231`]: manifest('base before') }) } }), 'run')).toEqual(['parent-moved']);
    expect(whyOf(planFor(graph, { images: { base: rolled('base'), run: rolled('run', { [`${REGISTRY}/base`]: manifest('base before') }) } }), 'run')).toEqual(['parent-moved']);
  });
  it('does not take another tag of the parent\'s repository, which it also copies from, for the parent', () => {
    const older = `${REGISTRY}/base:20251101`;
    const [base, run] = [graph.nodes.get('base')!, graph.nodes.get('run')!];
    const both = { ...graph, nodes: new Map([['base', base], ['run', { ...run, sources: [...run.sources, { ref: older, image: undefined }] }]]) };
    const recorded = { [older]: manifest('base of November'), [baseRef]: manifest('base latest') };
    expect(stepOf(planFor(both, { images: { base: rolled('base'), run: rolled('run', recorded) } }), 'run').action).toBe('keep');
    const before = { [older]: manifest('base of November'), [`${REGISTRY}/base:20251231`]: manifest('base before') };
    expect(stepOf(planFor(both, { images: { base: rolled('base'), run: rolled('run', before) } }), 'run').reasons).toEqual([{ why: 'parent-moved', parent: 'base', from: manifest('base before'), to: manifest('base latest') }]);
  });
  it('takes a parent that was not recorded for no move', () => {
    expect(stepOf(planFor(graph, { images: { base: rolled('base'), run: rolled('run', {}) } }), 'run').action).toBe('keep');
  });
  it('asks git before it goes over a newer checkout\'s image', () => {
    expect(planFor(graph, { images: { base: stale } }).needs).toContainEqual({ need: 'ancestry', revision: 'abcdef0123456', tree: 'images' });
    expect(planFor(graph, { images: { base: stale } }, { publishing: NOT_PUBLISHING }).needs).toEqual([]);
    expect(planFor(graph, { images: { base: stale }, ancestry: { abcdef0123456: true } }).needs).toEqual([]);
  });
});

describe('planBuild, a rolling image on a parent that is older here', () => {
  const graph = tree('base ← run', ['run']);
  const newer = { version: image('base 2.0', provenance({ definition: today('base'), version: '2.0' })), latest: image('base 3.0', provenance({ definition: formerly('base'), version: '3.0' })) };
  const images = { base: newer, run: rolled('run', { [`${REGISTRY}/base:3.0`]: manifest('base 3.0') }) };

  it('stays where it is', () => {
    const plan = planFor(graph, { images });
    expect([actionsOf(plan), stepOf(plan, 'run').reasons]).toEqual([{ base: 'blocked', run: 'blocked' }, [{ why: 'older-parent', parent: 'base' }]]);
  });
  it('is built when that is asked for, and when nothing is published', () => {
    expect(stepOf(planFor(graph, { images }, { select: new Set(['run']), rebuild: true }), 'run').action).toBe('build');
    expect(stepOf(planFor(graph, { images }, { publishing: NOT_PUBLISHING }), 'run').action).toBe('build');
  });
  it('is built for a parent that merely moved', () => {
    const moved = { base: published('base'), run: rolled('run', { [`${REGISTRY}/base:1.1`]: manifest('base 1.1') }) };
    expect(whyOf(planFor(graph, { images: moved }), 'run')).toEqual(['parent-moved']);
  });
});
