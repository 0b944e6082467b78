import { validate } from 'dockerfile-utils';
import type { Check } from './finding.js';

/** LSP's DiagnosticSeverity.Error. */
const ERROR = 1;

/** dockerfile-mistake, dockerfile-habit: what dockerfile-utils finds. */
export const checkDockerfile: Check = ({ image }) => {
  if (image === undefined) return [];
  const { path } = image.dockerfile;
  return validate(image.text).map(({ severity, message, range }) => ({
    rule: severity === ERROR ? ('dockerfile-mistake' as const) : ('dockerfile-habit' as const),
    path,
    rendered: range.start.line + 1,
    message: String(message),
  }));
};
