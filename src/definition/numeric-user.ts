import { errorAt, type Problem } from '../shared/problem.js';
import type { Dockerfile } from './dockerfile.js';

/** docker-pkg's `force_numeric_user`: the last USER must be `UID` or `UID:GID` in digits. No USER at all passes. */
export function checkNumericUser(dockerfile: Dockerfile): Problem | undefined {
  const { path, user } = dockerfile;
  if (user === undefined || isNumericUser(user.value)) return undefined;
  return { ...errorAt(path, user.line, `USER ${user.value} is not numeric, and force_numeric_user is set`), rule: 'non-numeric-user' };
}

/** Whether a USER is `UID` or `UID:GID` in digits: only then can Kubernetes tell whether it is root. */
export function isNumericUser(value: string): boolean {
  return /^\d+(?::\d+)?$/.test(value);
}
