import { joinPath } from '../definition/paths.js';
import { compareVersions } from '../definition/version.js';
import type { Check } from './finding.js';

/** version-order, changed-without-changelog. */
export const checkChangelog: Check = ({ definition }, { changed }) => {
  const { directory, tagSource, image } = definition;
  if (tagSource.source !== 'changelog') return [];
  const path = joinPath(directory, 'changelog');
  const [before] = tagSource.older;
  const order = before === undefined ? 1 : compareVersions(tagSource.version, before);
  const change = changed.get(image);
  return [
    ...(order > 0 ? [] : [{ rule: 'version-order' as const, path, line: 1, message: `the newest version, ${tagSource.version}, ${order === 0 ? 'is' : 'sorts below'} the one before it, ${before!}` }]),
    ...(change === undefined
      ? []
      : [{ rule: 'changed-without-changelog' as const, path, line: 1, message: `no entry tells of what changed since: ${change.path}${change.many > 1 ? ` and ${change.many - 1} more` : ''} (${change.commit === undefined ? 'not committed' : `commit ${change.commit.slice(0, 12)}`})` }]),
  ];
};
