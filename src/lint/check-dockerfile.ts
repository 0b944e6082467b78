import { validate, ValidationCode } from 'dockerfile-utils';
import type { Check } from './finding.js';

/** LSP's DiagnosticSeverity.Error. */
const ERROR = 1;

/** What it warns of, and what builders read otherwise than meant. */
const MISREAD: ReadonlySet<unknown> = new Set([ValidationCode.JSON_IN_SINGLE_QUOTES]);

/** dockerfile-mistake, dockerfile-habit: what dockerfile-utils finds. */
export const checkDockerfile: Check = ({ image }) => {
  if (image === undefined) return [];
  const { path } = image.dockerfile;
  return validate(image.text).map(({ severity, code, message, range }) => ({
    rule: severity === ERROR || MISREAD.has(code) ? ('dockerfile-mistake' as const) : ('dockerfile-habit' as const),
    path,
    rendered: range.start.line + 1,
    message: String(message),
  }));
};
