import type { Log } from 'sarif';
import type { Finding } from '../lint/finding.js';
import { ruleOf, RULE_NAMES } from '../lint/rules.js';

/**
 * Findings in SARIF 2.1.0 (OASIS), which code review tools read. Paths are as they were typed, from where the program was run; help is
 * told by its place in our documents, since a helpUri must be a whole URL.
 */
export function findingsToSarif(findings: readonly Finding[], version: string): Log {
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'build-images',
            version,
            rules: RULE_NAMES.map((id) => ({
              id,
              shortDescription: { text: ruleOf(id).finds },
              help: { text: `docs/lint.md#${id}` },
              defaultConfiguration: { level: ruleOf(id).level },
            })),
          },
        },
        columnKind: 'utf16CodeUnits',
        results: findings.map(({ rule, level, path, line, message }) => ({
          ruleId: rule,
          ruleIndex: RULE_NAMES.indexOf(rule),
          level,
          message: { text: message },
          locations: [{ physicalLocation: { artifactLocation: { uri: uriOf(path) }, ...(line === undefined ? {} : { region: { startLine: line } }) } }],
        })),
      },
    ],
  };
}

/** A path as a relative reference (RFC 3986, 4.2), or as a file URI when it begins at the root. */
function uriOf(path: string): string {
  const encoded = path.split('/').map(encodeURIComponent).join('/');
  return encoded.startsWith('/') ? `file://${encoded}` : encoded;
}
