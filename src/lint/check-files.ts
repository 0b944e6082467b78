import { joinPath } from '../definition/paths.js';
import { templateOf } from '../definition/definition.js';
import type { Check } from './finding.js';

/** test-not-executable. */
export const checkTest: Check = ({ definition }, { config, files }) => {
  // Only where test.sh itself is what runs: an interpreter before it needs no such bit.
  if (!config.verifyArgs.some((word) => word.startsWith('{path}/test.sh'))) return [];
  const context = files.readContext(definition.directory);
  const test = context.ok ? context.value.find(({ path }) => path === 'test.sh') : undefined;
  if (test?.type !== 'file' || test.mode === 0o755) return [];
  return [{ rule: 'test-not-executable', path: joinPath(definition.directory, 'test.sh'), message: 'nobody may execute it, so the test fails: chmod +x' }];
};

/** apt-remove-proxy. */
export const checkAptRemove: Check = ({ definition }, { config }) => {
  const template = config.aptProxy === undefined ? undefined : templateOf(definition);
  return (template?.text.split('\n') ?? []).flatMap((content, index) =>
    /\|\s*apt_remove\b/.test(content)
      ? [{ rule: 'apt-remove-proxy' as const, path: template!.path, line: index + 1, message: 'behind a proxy, docker-pkg\'s text of apt_remove reads "&& \\apt-get update" on one line: it works, and looks as if a line break were missing' }]
      : [],
  );
};
