import { describe, expect, it } from '@jest/globals';
import { commitMessage, differsByOurEntry, hasOurEntry, imagesToUpdate, planUpdate, type ChangelogFile, type UpdateRequest } from '../../../src/plan/update.js';
import { digestOf } from '../../../src/shared/digest.js';
import { changelogOf, said } from '../../support/tree-in-memory.js';
import { tree } from '../../support/plan-tree.js';

const REQUEST: UpdateRequest = { named: ['base'], excluded: new Set(), reason: ['Fixes'], version: undefined, date: 'Fri, 20 Nov 2026 09:00:00 +0000', signature: () => ({ author: 'A <a@b>', distribution: 'trixie', mark: 's' }), isTaken: () => false };

type Texts = Readonly<Record<string, string>>;

/** What an update comes to; changelogs have 2.0, 1.1 and 1.0 unless given, HEAD has what is in `committed`. */
function planned(text: string, { rolling = [], texts = {}, committed, ...request }: Partial<UpdateRequest> & { rolling?: readonly string[]; texts?: Texts; committed?: readonly string[] } = {}) {
  const graph = tree(text, rolling);
  const files = new Map<string, ChangelogFile>([...graph.nodes.keys()].map((image) => [image, { bytes: Buffer.from(texts[image] ?? changelogOf(image, '2.0', '1.1', '1.0')), committed: committed === undefined ? undefined : new Set(committed) }]));
  const plan = planUpdate(graph, { ...REQUEST, ...request }, files);
  return { plan, graph, files };
}

/** `image: from → to` of each step. */
function versions(...args: Parameters<typeof planned>): readonly string[] {
  const { plan } = planned(...args);
  if (!plan.ok) throw new Error(said(plan).join());
  return plan.value.steps.map(({ image, from, to }) => `${image}: ${from} → ${to}`);
}

/** The files after an update. */
function after(text: string, options: Parameters<typeof planned>[1] = {}): Texts {
  const { plan, files } = planned(text, options);
  if (!plan.ok) throw new Error(said(plan).join());
  return Object.fromEntries([...files].map(([image, { bytes }]) => [image, plan.value.steps.find((step) => step.image === image)?.text ?? Buffer.from(bytes).toString()]));
}

describe('imagesToUpdate', () => {
  it.each<[string, string, readonly string[], readonly string[], readonly string[]]>([
    ['an image and all that stands on it', 'base ← web ← api, other', ['base'], [], ['base:', 'web:base', 'api:base']],
    ['nothing above it', 'base ← web ← api', ['web'], [], ['web:', 'api:web']],
    ['an image once, though it stands on it twice', 'base ← web ← api, base ← api', ['base'], [], ['base:', 'web:base', 'api:base']],
    ['each named one an image follows, in the order of their names', 'a ← web, b ← web, c', ['b', 'a'], [], ['a:', 'b:', 'web:b,a']],
    ['a named image follows nobody', 'base ← web ← api', ['base', 'web'], [], ['base:', 'web:', 'api:base,web']],
    ['without those left out, and what stands on it only through them', 'base ← web ← api, base ← tool', ['base'], ['web'], ['base:', 'tool:base']],
    ['what stands on it another way too stays', 'base ← web ← api, base ← api', ['base'], ['web'], ['base:', 'api:base']],
  ])('%s', (_, text, named, excluded, expected) => {
    expect([...imagesToUpdate(tree(text), named, new Set(excluded))].map(([image, follows]) => `${image}:${follows.join()}`).sort()).toEqual([...expected].sort());
  });
  it('gives them parents first', () => {
    expect([...imagesToUpdate(tree('z ← m ← a'), ['z'], new Set()).keys()]).toEqual(['z', 'm', 'a']);
  });
});

describe('planUpdate', () => {
  it('gives each image the version after its own', () => {
    const texts = { web: changelogOf('web', '1.0-s3'), api: changelogOf('api', '1.0+b1-s9', '1') };
    expect(() => versions('base ← web ← api', { texts })).toThrow('cannot be an image tag');
    expect(versions('base ← web ← api', { texts: { ...texts, api: changelogOf('api', 'buster-1') } })).toEqual(['base: 2.0 → 2.0-s1', 'web: 1.0-s3 → 1.0-s4', 'api: buster-1 → buster-1-s1']);
  });
  it('passes over what the changelog has had, and what is taken elsewhere', () => {
    const texts = { base: changelogOf('base', '1.0', '1.0-s1', '0.9') };
    expect(versions('base', { texts, isTaken: (image, version) => image === 'base' && version === '1.0-s2' })).toEqual(['base: 1.0 → 1.0-s3']);
  });
  it('says why: the reason itself, below the parents\' names where it follows them', () => {
    const { plan } = planned('a ← web, b ← web', { named: ['a', 'b'], reason: ['One', 'Two'] });
    const entries = plan.ok ? plan.value.steps.map(({ entry, reasons }) => [entry.split('\n').slice(2, -2), reasons]) : [];
    const own = ['   One', '   Two', '   (build-images update)'];
    expect(entries).toEqual([
      [own, [{ why: 'update-asked' }]],
      [own, [{ why: 'update-asked' }]],
      [['   Refresh for update in parent images a, b:', ...own], [{ why: 'parent-updated', parents: ['a', 'b'] }]],
    ]);
  });
  it('its steps hold the digest of what was read, and all of the new text', () => {
    const { plan } = planned('base');
    const old = changelogOf('base', '2.0', '1.1', '1.0');
    const [step] = plan.ok ? plan.value.steps : [];
    expect(step).toMatchObject({ action: 'write-file', path: 'images/base/changelog', before: digestOf(old), text: `${step!.entry}\n\n${old}` });
    expect(step!.entry.split('\n')[0]).toBe('base (2.0-s1) trixie; urgency=high');
  });
  it('rolling images get nothing, and what stands on them gets its entry', () => {
    const { plan } = planned('base ← web ← api', { rolling: ['web'] });
    expect(plan.ok && [plan.value.steps.map(({ image }) => image), plan.value.rolling]).toEqual([['base', 'api'], ['web']]);
  });

  describe('--version', () => {
    it('is for the named image alone', () => {
      expect(versions('base ← web', { version: '3.0' })).toEqual(['base: 2.0 → 3.0', 'web: 2.0 → 2.0-s1']);
    });
    it.each(['2.0', '1.0'])('one that the changelog has already is refused: %s', (version) => {
      expect(said(planned('base', { version }).plan)).toEqual([`images/base/changelog:${version === '2.0' ? 1 : 13}: has an entry for ${version} already: --version needs another`]);
    });
    it('one that sorts below is said', () => {
      const { plan } = planned('base', { version: '1.5' });
      expect([plan.ok, said(plan)]).toEqual([true, ['images/base/changelog:1: 1.5 does not sort above 2.0  [warning]']]);
    });
  });

  describe('an entry of ours', () => {
    const texts = after('base ← web');
    const more = { texts, reason: ['More'] };
    it('that is not committed gets one more reason', () => {
      expect(versions('base ← web', { ...more, committed: ['2.0', '1.1', '1.0'] })).toEqual(['base: 2.0-s1 → 2.0-s1', 'web: 2.0-s1 → 2.0-s1']);
      const { base, web } = after('base ← web', { ...more, committed: ['2.0'] });
      expect([base!, web!].map((text) => text.split('\n').slice(2, 6))).toEqual([
        ['   Fixes', '   More', '   (build-images update)', ''],
        ['   Refresh for update in parent image base:', '   Fixes', '   More', '   (build-images update)'],
      ]);
    });
    it('that is in a file which git does not have, too', () => {
      expect(versions('base', { texts, reason: ['More'], committed: [] })).toEqual(['base: 2.0-s1 → 2.0-s1']);
    });
    it.each<[string, readonly string[] | undefined]>([
      ['that is committed stays, and a new one is made', ['2.0-s1', '2.0']],
      ['stays where nobody can tell whether it is committed', undefined],
    ])('%s', (_, committed) => {
      expect(versions('base', { texts, ...(committed === undefined ? {} : { committed }) })).toEqual(['base: 2.0-s1 → 2.0-s2']);
    });
    it('that says all of it already is left, and named', () => {
      const { plan } = planned('base ← web', { texts, committed: [] });
      expect(plan.ok && plan.value).toEqual({ steps: [], rolling: [], unchanged: [{ image: 'base', path: 'images/base/changelog', version: '2.0-s1' }, { image: 'web', path: 'images/web/changelog', version: '2.0-s1' }] });
    });
    it('takes another version', () => {
      expect(versions('base', { texts, committed: [], version: '2.1' })).toEqual(['base: 2.0-s1 → 2.1']);
      expect(versions('base', { texts, committed: [], version: '2.0-s1', reason: ['More'] })).toEqual(['base: 2.0-s1 → 2.0-s1']);
      expect(said(planned('base', { texts, committed: [], version: '2.0-a1' }).plan)).toEqual([]);
      expect(said(planned('base', { texts, committed: [], version: '1.9' }).plan)).toEqual(['images/base/changelog:8: 1.9 does not sort above 2.0  [warning]']);
      expect(said(planned('base', { texts, committed: [], version: '2.0' }).plan)).toEqual(['images/base/changelog:8: has an entry for 2.0 already: --version needs another']);
    });
    it('is shown as it will be, and nothing below it', () => {
      const { plan } = planned('base', { ...more, committed: [] });
      const entry = plan.ok ? plan.value.steps[0]!.entry : '';
      expect(entry.split('\n')).toEqual(['base (2.0-s1) trixie; urgency=high', '', '   Fixes', '   More', '   (build-images update)', '', ' -- A <a@b>  Fri, 20 Nov 2026 09:00:00 +0000']);
    });
    it('is told from a person\'s', () => {
      expect([hasOurEntry('changelog', Buffer.from(texts['base']!)), hasOurEntry('changelog', Buffer.from(changelogOf('base', '2.0'))), hasOurEntry('changelog', Buffer.from([0xe9]))]).toEqual([true, false, false]);
    });
  });

  it('all faults are said at once, and nothing is planned', () => {
    const long = 'a'.repeat(127);
    const { plan } = planned('base ← web ← api', { texts: { base: changelogOf('base', long), web: changelogOf('web', long) } });
    expect([plan.ok, said(plan)]).toEqual([
      false,
      ['base', 'web'].map((image) => `images/${image}/changelog:1: the next version, "${long}-s1", cannot be an image tag: it has 130 characters (at most 128); name another with --version`),
    ]);
  });
  it('a changelog that is not UTF-8 is left alone', () => {
    const graph = tree('base');
    const bytes = Buffer.concat([Buffer.from(changelogOf('base', '1.0')), Buffer.from([0xe9])]);
    expect(said(planUpdate(graph, REQUEST, new Map([['base', { bytes, committed: undefined }]])))).toEqual(['images/base/changelog: is not UTF-8: it cannot be added to without a loss']);
  });
  it('a byte order mark stays', () => {
    const text = `\uFEFF${changelogOf('base', '1.0')}`;
    expect(after('base', { texts: { base: text } })['base']!.startsWith('\uFEFFbase (1.0-s1)')).toBe(true);
  });
});

describe('differsByOurEntry', () => {
  const old = changelogOf('base', '2.0', '1.1', '1.0');
  const ours = after('base')['base']!;
  it.each<[string, string, string | undefined, boolean]>([
    ['no difference', old, old, true],
    ['an entry of ours', ours, old, true],
    ['an entry of ours to which a person added', ours.replace('   Fixes', '   Fixes\n   More'), old, true],
    ['a person\'s entry', `${changelogOf('base', '3.0')}\n${old}`, old, false],
    ['an entry of ours, and a change below it', ours.replace('Entry.', 'Other.'), old, false],
    ['a change alone', old.replace('Entry.', 'Other.'), old, false],
    ['a file that HEAD does not have', ours, undefined, false],
    ['no changelog', 'x', old, false],
  ])('%s: %#', (_, text, head, expected) => {
    expect(differsByOurEntry('changelog', Buffer.from(text), head === undefined ? undefined : Buffer.from(head))).toBe(expected);
  });
});

describe('commitMessage', () => {
  it.each([
    ['base', ['base'], 'Update base'],
    ['base ← web', ['base'], 'Update base and 1 image that stands on it'],
    ['base ← web ← api', ['base'], 'Update base and 2 images that stand on it'],
    ['a ← web, b', ['a', 'b'], 'Update a, b and 1 image that stands on them'],
    ['a, b, c, d ← web', ['a', 'b', 'c', 'd'], 'Update 4 images and 1 image that stands on them'],
  ])('%s: %s', (text, named, subject) => {
    const { plan, graph } = planned(text, { named });
    expect(plan.ok && commitMessage(graph, plan.value, { ...REQUEST, named }).split('\n')[0]).toBe(subject);
  });
  it('holds the reason and each version, of entries that were there already too', () => {
    const texts = { ...after('base ← web'), web: changelogOf('web', '1.0') };
    const { plan, graph } = planned('base ← web ← api', { texts, committed: [] });
    expect(plan.ok && commitMessage(graph, plan.value, { ...REQUEST, reason: ['One', 'Two'] })).toBe('Update base and 2 images that stand on it\n\nOne\nTwo\n\nweb 1.0 → 1.0-s1\napi 2.0 → 2.0-s1\nbase 2.0-s1');
  });
});
