import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { dirname, normalize } from 'node:path/posix';
import { fileURLToPath } from 'node:url';
import { parseSync } from '@swc/core';

/** One thing that a file imports. */
export type Import = {
  /** A type vanishes; a value is loaded with the file; a dynamic import is loaded when it is reached. */
  readonly mode: 'type' | 'value' | 'dynamic';
  /** The file of `src` that it names (`shared/digest.ts`), or the package as it is written (`node:fs`, `yargs`). */
  readonly target: string;
  readonly isPackage: boolean;
};

/** One file of `src`, read for what it uses and not for what it does. */
export type SourceFile = {
  /** Relative to `src`. */
  readonly path: string;
  /** The stage: the first part of the path; `main` for a program and for what it needs to be a process. */
  readonly stage: string;
  readonly text: string;
  readonly imports: readonly Import[];
  /** Names that it reads, and members of plain names: `process`, `Date.now`; `new Date()` when it asks for the time. */
  readonly uses: ReadonlySet<string>;
  /** Words that a `kind` is compared with. */
  readonly comparedKinds: readonly string[];
};

/** The root of the project. */
export const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

type Tree = { readonly type?: string; readonly [key: string]: unknown };

/** Every TypeScript file of `src`. */
export function readSources(): readonly SourceFile[] {
  const root = join(PROJECT, 'src');
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => readSource(relative(root, join(root, path)), readFileSync(join(root, path), 'utf8')));
}

/** Reads one file; `path` is relative to `src`. */
export function readSource(path: string, text: string): SourceFile {
  const imports: Import[] = [];
  const uses = new Set<string>();
  const comparedKinds: string[] = [];
  const add = (mode: Import['mode'], source: unknown): void => {
    const written = (source as { value: string }).value;
    const isPackage = !written.startsWith('.');
    imports.push({ mode, isPackage, target: isPackage ? written : normalize(`${dirname(path)}/${written}`).replace(/\.js$/, '.ts') });
  };
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) return node.forEach(visit);
    if (typeof node !== 'object' || node === null) return;
    const tree = node as Tree;
    switch (tree.type) {
      case 'ImportDeclaration':
      case 'ExportAllDeclaration':
      case 'ExportNamedDeclaration':
        if (tree['source']) add(tree['typeOnly'] === true ? 'type' : 'value', tree['source']);
        return;
      case 'TsImportType':
        add('type', tree['argument']);
        return;
      case 'CallExpression':
        if ((tree['callee'] as Tree).type === 'Import') add('dynamic', (tree['arguments'] as { expression: unknown }[])[0]!.expression);
        break;
      case 'NewExpression':
        if (nameOf(tree['callee']) === 'Date' && (tree['arguments'] as unknown[] | null)?.length === 0) uses.add('new Date()');
        break;
      case 'Identifier':
        uses.add(tree['value'] as string);
        return;
      case 'MemberExpression': {
        const property = tree['property'] as Tree;
        const owner = nameOf(tree['object']);
        if (owner !== undefined && property.type === 'Identifier') uses.add(`${owner}.${property['value'] as string}`);
        visit(tree['object']);
        // What follows a dot is no name of its own.
        if (property.type !== 'Identifier') visit(property);
        return;
      }
      case 'BinaryExpression':
        if (isKind(tree['left'])) comparedKinds.push(...wordOf(tree['right']));
        if (isKind(tree['right'])) comparedKinds.push(...wordOf(tree['left']));
        break;
      case 'SwitchStatement':
        if (isKind(tree['discriminant'])) for (const { test } of tree['cases'] as { test: unknown }[]) comparedKinds.push(...wordOf(test));
        break;
    }
    for (const [key, value] of Object.entries(tree)) {
      // A key of an object or a type is no use of that name; a computed one is a node of its own.
      if (key === 'span' || (key === 'key' && (value as Tree | null)?.type === 'Identifier')) continue;
      visit(value);
    }
  };
  visit(parseSync(text, { syntax: 'typescript', target: 'es2022' }).body);
  return { path, stage: path.includes('/') ? path.slice(0, path.indexOf('/')) : 'main', text, imports, uses, comparedKinds };
}

function nameOf(node: unknown): string | undefined {
  const tree = node as Tree;
  return tree.type === 'Identifier' ? (tree['value'] as string) : undefined;
}

/** `kind`, or a member of that name of anything. */
function isKind(node: unknown): boolean {
  const tree = node as Tree;
  if (tree.type === 'MemberExpression' || tree.type === 'OptionalChainingExpression') return isKind(tree['property'] ?? tree['base']);
  return nameOf(node) === 'kind';
}

function wordOf(node: unknown): readonly string[] {
  const tree = node as Tree | null;
  return tree?.type === 'StringLiteral' ? [tree['value'] as string] : [];
}

/** Files that a file loads when it is loaded, directly or not, and the packages that come with them, each with who asks for it. */
export function loadedWith(start: string, sources: readonly SourceFile[]): ReadonlyMap<string, string> {
  const byPath = new Map(sources.map((source) => [source.path, source]));
  const loaded = new Map([[start, 'the start']]);
  for (const path of loaded.keys()) {
    for (const { mode, target } of byPath.get(path)?.imports ?? []) if (mode === 'value' && !loaded.has(target)) loaded.set(target, path);
  }
  return loaded;
}

/** One walk round for each cycle of imports, types too. */
export function importCycles(sources: readonly SourceFile[]): readonly string[] {
  const byPath = new Map(sources.map((source) => [source.path, source]));
  const done = new Set<string>();
  const cycles: string[] = [];
  const walk = (path: string, open: readonly string[]): void => {
    if (open.includes(path)) return void cycles.push([...open.slice(open.indexOf(path)), path].join(' → '));
    if (done.has(path)) return;
    for (const { target, mode } of byPath.get(path)?.imports ?? []) if (mode !== 'dynamic' && byPath.has(target)) walk(target, [...open, path]);
    done.add(path);
  };
  for (const { path } of sources) walk(path, []);
  return cycles;
}
