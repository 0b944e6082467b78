import { countLevels } from '../lint/lint-tree.js';
import type { Finding } from '../lint/finding.js';
import { ruleOf } from '../lint/rules.js';

/** A rule that could not be looked at, and why. */
export type Unable = { readonly rule: string; readonly why: string };

/** `path:line: level: message [rule]`. */
export function formatFinding({ path, line, level, message, rule }: Finding): string {
  return `${path}${line === undefined ? '' : `:${line}`}: ${level}: ${message} [${rule}]`;
}

/** The last lines: how much was found, and what to do. */
export function formatLintSummary(findings: readonly Finding[], images: number): readonly string[] {
  const counts = countLevels(findings);
  const said = (['error', 'warning', 'note'] as const).flatMap((level) => (counts[level] === 0 ? [] : [amount(counts[level], level)]));
  const mendable = findings.filter(({ rule }) => ruleOf(rule).mends === true).length;
  return [
    ...(findings.length === 0 ? [] : ['']),
    `${said.length === 0 ? 'nothing found' : said.join(', ')} in ${amount(images, 'definition')}.${mendable === 0 ? '' : `   build-images lint --fix mends ${mendable === 1 ? 'one of them' : `up to ${mendable} of them`}.`}`,
  ];
}

function amount(many: number, what: string): string {
  return `${many === 1 ? '1' : many.toLocaleString('en')} ${what}${many === 1 ? '' : 's'}`;
}

/** Findings as JSON: the form that scripts rely on. */
export function findingsToJson(findings: readonly Finding[], unable: readonly Unable[], images: number): unknown {
  const { error, warning, note } = countLevels(findings);
  return {
    findings: findings.map(({ path, line, image, rule, level, message }) => ({ path, line: line ?? null, image: image ?? null, rule, level, message, mends: ruleOf(rule).mends === true })),
    unable,
    definitions: images,
    counts: { error, warning, note },
  };
}
