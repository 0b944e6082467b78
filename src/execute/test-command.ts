import type { Config } from '../shared/config.js';

/** The command that tests one image, or that there is nothing to run. */
export type ImageTest = { readonly command: string; readonly args: readonly string[] } | { readonly nothing: string };

/**
 * docker-pkg's rule for verify_command and verify_args: `{path}` is the definition's folder, `{image}` the full reference; an
 * argument with `{path}` whose first word is not there means that there is nothing to verify.
 * @param exists whether a path is there
 */
export function imageTest(config: Config, directory: string, image: string, exists: (path: string) => boolean): ImageTest {
  const fill = (text: string): string => text.replaceAll('{path}', directory).replaceAll('{image}', image);
  for (const arg of config.verifyArgs) {
    if (!arg.includes('{path}')) continue;
    const file = fill(arg.trim().split(/\s+/)[0]!);
    if (!exists(file)) return { nothing: `there is no ${file.slice(file.lastIndexOf('/') + 1)}` };
  }
  return { command: config.verifyCommand, args: config.verifyArgs.map(fill) };
}
