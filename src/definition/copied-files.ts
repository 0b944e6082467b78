import { normalize } from 'node:path/posix';
import type { Argument, Instruction, JSONInstruction, ModifiableInstruction } from 'dockerfile-ast';
import { readDockerfile, type Met } from './dockerfile.js';

/** Frontends whose instructions we know. */
const KNOWN_SYNTAX = /^(?:docker\.io\/)?docker\/dockerfile(?::|@|$)/;
const REMOTE = /^(?:https?|ftp|git|ssh):\/\/|^git@/i;
/** Kinds of RUN --mount that take nothing of the context. */
const OTHER_MOUNTS: ReadonlySet<string> = new Set(['cache', 'tmpfs', 'secret', 'ssh']);

/**
 * The paths of the build context that a Dockerfile takes files from: those that COPY, ADD and RUN --mount name, up to the first
 * part that is a pattern. Undefined: it takes all, or a path depends on what only the build knows.
 */
export function copiedFiles(text: string): readonly string[] | undefined {
  const paths: (string | undefined)[] = [];
  const { sources } = readDockerfile(text, (met) => {
    const keyword = met.instruction.getKeyword();
    if (keyword === 'COPY' || keyword === 'ADD') paths.push(...copySources(met));
    else if (keyword === 'RUN') paths.push(...mountSources(met));
  });
  if (sources.some(({ kind, ref }) => kind === 'syntax' && !KNOWN_SYNTAX.test(ref))) return undefined;
  const known = paths.map((path) => (path === undefined ? undefined : contextPath(path)));
  return known.some((path) => path === undefined || path === '') ? undefined : [...new Set(known as string[])].sort();
}

function copySources({ instruction, expand }: Met): readonly (string | undefined)[] {
  if (flagsOf(instruction).some((flag) => flag.getName() === 'from')) return [];
  const copy = instruction as JSONInstruction;
  const words = copy.getOpeningBracket() === null ? copy.getArguments() : copy.getJSONStrings();
  // Behind the line of a heredoc stands its text, which the parser takes for words.
  const { line } = instruction.getRange().start;
  const written = words.some(isHeredoc) ? words.filter((word) => word.getRange().start.line === line) : words;
  return written.slice(0, -1).flatMap((word) => {
    if (isHeredoc(word)) return [];
    const path = expand(word.getRange());
    return path !== undefined && instruction.getKeyword() === 'ADD' && REMOTE.test(path) ? [] : [path];
  });
}

function isHeredoc(word: Argument): boolean {
  return word.getValue().startsWith('<<');
}

function mountSources({ instruction, expand }: Met): readonly (string | undefined)[] {
  return flagsOf(instruction).flatMap((flag) => {
    const range = flag.getValueRange();
    if (flag.getName() !== 'mount' || range === null) return [];
    const options = new Map((expand(range) ?? 'unknown').split(',').map((option) => option.split('=', 2) as [string, string | undefined]));
    if (options.has('from') || OTHER_MOUNTS.has(options.get('type') ?? 'bind')) return [];
    return [options.has('unknown') ? undefined : (options.get('source') ?? options.get('src') ?? '.')];
  });
}

function flagsOf(instruction: Instruction): ReturnType<ModifiableInstruction['getFlags']> {
  return (instruction as ModifiableInstruction).getFlags();
}

/** A source as a path below the context's root, which nothing leads out of; '' is the root. */
function contextPath(source: string): string {
  const parts = normalize(`/${source}`).split('/').filter((part) => part !== '');
  const pattern = parts.findIndex((part) => /[*?[\\]/.test(part));
  return parts.slice(0, pattern < 0 ? parts.length : pattern).join('/');
}
