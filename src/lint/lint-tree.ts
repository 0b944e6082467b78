import { contextFiles } from '../definition/context-files.js';
import { templateOf, type Definition } from '../definition/definition.js';
import { isWithin } from '../definition/paths.js';
import { fileOf } from '../shared/config.js';
import { nearHint } from '../shared/near-names.js';
import type { Problem } from '../shared/problem.js';
import { checkChangelog } from './check-changelog.js';
import { checkDockerfile } from './check-dockerfile.js';
import { checkAptRemove, checkTest } from './check-files.js';
import { checkParents } from './check-parents.js';
import { checkSecrets } from './check-secrets.js';
import { checkSources } from './check-sources.js';
import { checkUser } from './check-user.js';
import type { Check, Draft, Finding, Subject, Surroundings } from './finding.js';
import { switchedOff } from './switched-off.js';
import { isRule, ruleOf, RULE_NAMES, type Level } from './rules.js';

const CHECKS: readonly Check[] = [checkParents, checkSources, checkUser, checkChangelog, checkSecrets, checkDockerfile, checkTest, checkAptRemove];

/** Tells the template's line of a line of the rendered Dockerfile, as far as it can be told. */
export type LineOf = (definition: Definition) => (line: number) => number | undefined;

/**
 * Everything that lint finds in a tree, by file and line.
 * @param problems what reading and ordering the tree found wrong
 */
export function lintTree(subjects: readonly Subject[], surroundings: Surroundings, problems: readonly Problem[], lineOf: LineOf): readonly Finding[] {
  const { config } = surroundings;
  const findings: Finding[] = [
    ...config.lintIgnore.flatMap(({ rule, line }) => unknownRule(rule, fileOf(config, 'lint'), line, undefined)),
    // What has a rule is found again below, with a better line.
    ...problems.filter(({ rule }) => rule === undefined).map((problem) => ofBuilding(problem, subjects)),
  ];
  for (const subject of subjects) {
    const { definition } = subject;
    const ignored = definition.control?.lintIgnore ?? [];
    for (const { rule, line } of ignored) findings.push(...unknownRule(rule, definition.control!.path, line, definition.image));
    findings.push(...contextProblems(subject, surroundings).map((problem) => ofBuilding(problem, [subject])));
    const off = switchedOff(definition, config);
    const place = placing(definition, lineOf);
    for (const check of CHECKS) findings.push(...check(subject, surroundings).filter(({ rule }) => !off.has(rule)).map(place));
  }
  return sorted(findings);
}

function unknownRule(rule: string, path: string, line: number, image: Finding['image']): readonly Finding[] {
  if (isRule(rule) && ruleOf(rule).always !== true) return [];
  const message = isRule(rule) ? `"${rule}" cannot be switched off` : `lint has no rule "${rule}"${nearHint(rule, RULE_NAMES)}`;
  return [{ rule: 'unknown-rule', level: ruleOf('unknown-rule').level, path, line, image, message }];
}

function ofBuilding({ path, line, message, severity }: Problem, subjects: readonly Subject[]): Finding {
  return { rule: 'definition', level: severity, path, ...(line === undefined ? {} : { line }), image: ownerOf(path, subjects)?.definition.image, message };
}

/** The definition whose folder holds a file, the innermost one. */
export function ownerOf<Held extends Pick<Subject, 'definition'>>(path: string, held: readonly Held[]): Held | undefined {
  return held.filter(({ definition }) => isWithin(path, definition.directory)).sort((a, b) => b.definition.directory.length - a.definition.directory.length)[0];
}

/** What is wrong with the files that a build gets: links that lead nowhere, a .dockerignore that says nothing. */
function contextProblems({ definition, image }: Subject, { files }: Surroundings): readonly Problem[] {
  if (templateOf(definition) === undefined) return [];
  const context = contextFiles(files, definition, image?.copied);
  return context.ok ? context.warnings : context.problems;
}

/** Makes findings of one definition's drafts; the lines of its template are looked for when the first one needs them. */
function placing(definition: Definition, lineOf: LineOf): (draft: Draft) => Finding {
  let lines: ((line: number) => number | undefined) | undefined;
  return ({ rule, level = ruleOf(rule).level, path, line, rendered, message, mends }) => {
    const finding = { rule, level, path, image: definition.image, message, ...(mends && { mends }) };
    if (rendered === undefined) return line === undefined ? finding : { ...finding, line };
    lines ??= lineOf(definition);
    const found = lines(rendered);
    return found === undefined ? { ...finding, message: `${message} (line ${rendered} of what "build-images render ${definition.name}" shows)` } : { ...finding, line: found };
  };
}

const RANK: Readonly<Record<Level, number>> = { error: 0, warning: 1, note: 2 };

/** The findings of several trees as those of one. */
export function joinFindings(findings: readonly (readonly Finding[])[]): readonly Finding[] {
  return sorted(findings.flat());
}

/** By file, line, level and rule; what is said twice, once. */
function sorted(findings: readonly Finding[]): readonly Finding[] {
  // A file that many images take is theirs alike.
  const unique = new Map(findings.map((finding) => [JSON.stringify({ ...finding, image: undefined }), finding]));
  const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
  return [...unique.values()].sort((a, b) => compare(a.path, b.path) || (a.line ?? 0) - (b.line ?? 0) || RANK[a.level] - RANK[b.level] || compare(a.rule, b.rule) || compare(a.message, b.message));
}

/** How many findings there are of each level; under `strict` warnings count as errors. */
export function countLevels(findings: readonly Finding[]): Readonly<Record<Level, number>> {
  const count = (wanted: Level): number => findings.filter(({ level }) => level === wanted).length;
  return { error: count('error'), warning: count('warning'), note: count('note') };
}
