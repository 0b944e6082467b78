import { checkNumericUser } from '../definition/numeric-user.js';
import type { Check } from './finding.js';

/** non-numeric-user. */
export const checkUser: Check = ({ image }, { config }) => {
  const user = image?.dockerfile.user;
  if (image === undefined || user === undefined || checkNumericUser(image.dockerfile) === undefined) return [];
  // What a variable holds may well be a number; only docker-pkg's rule is about what is written.
  if (user.value.includes('$') && !config.forceNumericUser) return [];
  const level = config.forceNumericUser ? 'error' : 'note';
  return [{ rule: 'non-numeric-user', level, path: image.dockerfile.path, rendered: user.line, message: `USER ${user.value} is not numeric${config.forceNumericUser ? ', and force_numeric_user is set' : ': Kubernetes cannot tell whether it is root'}` }];
};
