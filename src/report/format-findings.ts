import { countLevels } from '../lint/lint-tree.js';
import { explain } from '../plan/reason.js';
import type { WriteFile } from '../plan/write-file.js';
import { formatTable } from './table.js';
import type { Finding } from '../lint/finding.js';

/** A rule that could not be looked at, and why. */
export type Unable = { readonly rule: string; readonly why: string };

/** `path:line: level: message [rule]`: one line, whatever files are called. */
export function formatFinding({ path, line, level, message, rule }: Finding): string {
  return `${path}${line === undefined ? '' : `:${line}`}: ${level}: ${message} [${rule}]`.replace(/[\x00-\x1f\x7f]/g, ' ');
}

/** The last lines: how much was found, and what to do. */
export function formatLintSummary(findings: readonly Finding[], images: number): readonly string[] {
  const counts = countLevels(findings);
  const said = (['error', 'warning', 'note'] as const).flatMap((level) => (counts[level] === 0 ? [] : [amount(counts[level], level)]));
  const mendable = findings.filter(({ mends }) => mends).length;
  return [
    ...(findings.length === 0 ? [] : ['']),
    `${said.length === 0 ? 'nothing found' : said.join(', ')} in ${amount(images, 'definition')}.${mendable === 0 ? '' : `   build-images lint --fix mends ${mendable === 1 ? 'one of them' : `up to ${mendable} of them`}.`}`,
  ];
}

/** What is written, file by file, and why. */
export function formatMending(steps: readonly WriteFile[], isDryRun: boolean): readonly string[] {
  const rows = steps.map(({ path, reasons }) => [path, reasons.map((reason) => explain(reason, (image) => image)).join(', ')]);
  const total = steps.length === 0 ? 'nothing to mend.' : `${amount(steps.length, 'file')} ${isDryRun ? 'would be written; nothing was changed.' : 'written.'}`;
  return [...formatTable(rows), ...(steps.length === 0 ? [] : ['']), total];
}

function amount(many: number, what: string): string {
  return `${many === 1 ? '1' : many.toLocaleString('en')} ${what}${many === 1 ? '' : 's'}`;
}

/** Findings as JSON: the form that scripts rely on. */
export function findingsToJson(findings: readonly Finding[], unable: readonly Unable[], images: number): unknown {
  const { error, warning, note } = countLevels(findings);
  return {
    findings: findings.map(({ path, line, image, rule, level, message, mends }) => ({ path, line: line ?? null, image: image ?? null, rule, level, message, mends: mends === true })),
    unable,
    definitions: images,
    counts: { error, warning, note },
  };
}
