import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { helpText } from '../../../src/cli/args.js';
import { VERBS, type VerbName } from '../../../src/cli/verbs.js';
import { KNOWN_KEYS, parseConfig } from '../../../src/shared/parse-config.js';
import { parseRootFs } from '../../../src/definition/rootfs.js';
import { RULE_NAMES, ruleOf } from '../../../src/lint/rules.js';
import { EXIT_MEANING } from '../../../src/shared/errors.js';
import { DOCUMENTED } from '../../../src/shared/fault-docs.js';
import { PROJECT } from '../../support/source-tree.js';
import { filesInMemory } from '../../support/tree-in-memory.js';

const read = (path: string): string => readFileSync(join(PROJECT, path), 'utf8');
const PAGES = ['README.md', 'docs/architecture.md', 'docs/definitions.md', 'docs/operating.md', 'docs/lint.md', 'docs/refresh.md', 'docs/cli.md', 'docs/migrating-from-docker-pkg.md'];

/** As GitHub and others make anchors of headings: lower case, blanks as dashes, other signs left out. */
const anchorOf = (heading: string): string => heading.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, '').trim().replaceAll(' ', '-');
const anchorsOf = (text: string): readonly string[] => [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => anchorOf(heading!));
const linksOf = (text: string): readonly string[] => [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!).filter((target) => !/^[a-z]+:/.test(target));

/** Which of a page's links lead nowhere. */
function deadLinks(page: string, text: string): readonly string[] {
  return linksOf(text).filter((target) => {
    const [path = '', anchor] = target.split('#');
    const file = path === '' ? page : join(dirname(page), path);
    if (!existsSync(join(PROJECT, file))) return true;
    return anchor !== undefined && !anchorsOf(file === page ? text : read(file)).includes(anchor);
  });
}

/** The keys that tables list: what stands in code quotes in the first column below `heading`. */
function keysBelow(text: string, heading: string): readonly string[] {
  const section = text.slice(text.indexOf(`\n${heading}\n`) + heading.length + 2).split(/\n#+ /)[0]!;
  const firstColumns = [...section.matchAll(/^\| (`[^|]*`) \|/gm)].map(([, column]) => column!);
  return firstColumns.flatMap((column) => [...column.matchAll(/`([a-z_]+)`/g)].map(([, key]) => key!));
}

describe('the documents', () => {
  it('docs/cli.md is what node scripts/document-cli.mjs makes of --help', async () => {
    const script = '../../../scripts/document-cli.mjs';
    const { documentCli } = (await import(script)) as { documentCli(help: (verb: VerbName | undefined) => string, verbs: readonly string[]): string };
    expect(read('docs/cli.md')).toBe(documentCli(helpText, Object.keys(VERBS)));
  });
  it.each(PAGES)('no link of %s leads nowhere', (page) => {
    expect(deadLinks(page, read(page))).toEqual([]);
  });
  it('a link that leads nowhere would be noticed', () => {
    expect(deadLinks('docs/cli.md', '# A b\n[1](#a-b) [2](#c) [3](nowhere.md) [4](operating.md#exit-codes) [5](operating.md#nowhere) [6](https://example.org)')).toEqual(['#c', 'nowhere.md', 'operating.md#nowhere']);
  });
  it('what messages point to is there', () => {
    const anchors = anchorsOf(read('docs/operating.md'));
    expect(DOCUMENTED.filter((part) => !anchors.includes(part))).toEqual([]);
  });
  it('what to do is said of every exit code', () => {
    const headings = [...read('docs/operating.md').matchAll(/^### Exit (\d+(?:, \d+)*)/gm)].flatMap(([, codes]) => codes!.split(', '));
    expect(headings).toEqual(Object.keys(EXIT_MEANING).filter((code) => code !== '0'));
  });
  it('no key of rootfs.yaml is left out or made up', () => {
    const [, named] = /there are: ([a-z_, ]+)/.exec(JSON.stringify(parseRootFs('rootfs.yaml', 'suite: trixie\nqqqqqqqqqq: 1\n', filesInMemory({}))))!;
    expect(keysBelow(read('docs/definitions.md'), '## rootfs.yaml')).toEqual(named!.split(', '));
  });
  it('no key of the config is left out or made up', () => {
    const config = parseConfig('config.yaml', 'registry: localhost:1');
    if (!config.ok) throw new Error('no config');
    expect([...keysBelow(read('docs/definitions.md'), '## config.yaml')].sort()).toEqual([...KNOWN_KEYS, ...Object.keys(config.value.timeouts)].sort());
  });
  it('every reason is in the table of docs/operating.md, and no other', () => {
    const reasons = [...read('src/plan/reason.ts').matchAll(/readonly why: '([a-z-]+)'/g)].map(([, why]) => why!);
    const section = read('docs/operating.md').split('| `why` in JSON |')[1]!.split('\n\n')[0]!;
    expect([...section.matchAll(/^\| `([a-z-]+)`/gm)].map(([, why]) => why!).sort()).toEqual([...new Set(reasons)].sort());
  });
  it('every rule of lint is in the table of docs/lint.md with its level and what it finds, and has a part of its own', () => {
    const text = read('docs/lint.md');
    const rows = [...text.matchAll(/^\| \[`([a-z-]+)`\]\(#([a-z-]+)\) \| ([a-z ]+) \| (.*) \|$/gm)].map(([, name, anchor, level, finds]) => [name, anchor, level, finds]);
    expect(rows).toEqual(RULE_NAMES.map((name) => [name, name, [ruleOf(name).level, ...(ruleOf(name).raised === undefined ? [] : ['error'])].join(' or '), ruleOf(name).finds]));
    expect([...text.matchAll(/^### (.*)$/gm)].map(([, heading]) => heading)).toEqual(RULE_NAMES);
  });
  it('every event is in the table of docs/operating.md, and no other', () => {
    const events = [...read('src/execute/event.ts').matchAll(/readonly type: '([a-z-]+)'/g)].map(([, type]) => type!);
    const section = read('docs/operating.md').split('\n| type | tells |')[1]!.split('\n\n')[0]!;
    expect([...section.matchAll(/^\| `([a-z-]+)`/gm)].map(([, type]) => type!).sort()).toEqual([...new Set(events)].sort());
  });
});
