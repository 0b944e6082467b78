/** Something wrong in a file that a person wrote. `path` is as the person would type it; `line` counts from 1. */
export type Problem = {
  readonly path: string;
  readonly line?: number;
  readonly message: string;
  /** A warning does not stop the run (unless `--strict`). */
  readonly severity: 'error' | 'warning';
  /** The rule of lint that says the same. */
  readonly rule?: string;
};

/** A value, with the warnings met on the way to it; or every problem that kept us from it. */
export type Checked<T> =
  | { readonly ok: true; readonly value: T; readonly warnings: readonly Problem[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** The value, and what was odd about it. */
export function good<T>(value: T, warnings: readonly Problem[] = []): Checked<T> {
  return { ok: true, value, warnings };
}

/** Every problem found; at least one is an error. */
export function bad<T>(problems: readonly Problem[]): Checked<T> {
  return { ok: false, problems };
}

/** One error in a file. */
export function errorAt(path: string, line: number | undefined, message: string): Problem {
  return { path, ...(line === undefined ? {} : { line }), message, severity: 'error' };
}

/** One warning in a file. */
export function warningAt(path: string, line: number | undefined, message: string): Problem {
  return { path, ...(line === undefined ? {} : { line }), message, severity: 'warning' };
}

/** `path:line: message`, with `[warning]` behind what does not stop the run. */
export function formatProblem(problem: Problem): string {
  const place = problem.line === undefined ? problem.path : `${problem.path}:${problem.line}`;
  return `${place}: ${problem.message}${problem.severity === 'warning' ? '  [warning]' : ''}`;
}

/** Each problem once: many definitions may share a file in which something is wrong. */
export function distinctProblems(problems: readonly Problem[]): readonly Problem[] {
  return [...new Map(problems.map((problem) => [JSON.stringify(problem), problem])).values()];
}
