import { parseRootFs, type RootFs } from '../../src/definition/rootfs.js';
import { filesInMemory } from './tree-in-memory.js';

/** What a rootfs.yaml says; `files` are the keys that it names, a byte a letter. */
export function rootFsOf(text: string, files: Readonly<Record<string, string>> = {}): RootFs {
  const parsed = parseRootFs('rootfs.yaml', text, filesInMemory(files));
  if (!parsed.ok) throw new Error(parsed.problems.map(({ message }) => message).join('\n'));
  return parsed.value;
}
