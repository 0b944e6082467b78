import type { Config } from '../shared/config.js';

/** The command that tests one image, or that there is nothing to run. */
export type ImageTest = { readonly command: string; readonly args: readonly string[] } | { readonly nothing: string };

/**
 * docker-pkg's rule for verify_command and verify_args: `{path}` is the definition's folder, `{image}` the full reference,
 * `{{` and `}}` are braces. Where a word of an argument names something in `{path}` that is not there, there is nothing to
 * verify.
 * @param directory absolute
 * @param exists whether a path is there
 */
export function imageTest(config: Config, directory: string, image: string, exists: (path: string) => boolean): ImageTest {
  for (const arg of config.verifyArgs) {
    for (const word of shellWords(arg)) {
      if (!word.includes('{path}')) continue;
      const path = word.replaceAll('{path}', directory);
      if (!exists(path)) return { nothing: `there is no ${path.slice(path.lastIndexOf('/') + 1)}` };
    }
  }
  const fill = (text: string): string => text.replace(/\{\{|\}\}|\{path\}|\{image\}/g, (found) => (found === '{path}' ? directory : found === '{image}' ? image : found[0]!));
  return { command: config.verifyCommand, args: config.verifyArgs.map(fill) };
}

/** Splits a text at blanks as a shell would, quotes taken off (POSIX shell, "Quoting", without expansions). */
function shellWords(text: string): readonly string[] {
  return [...text.matchAll(/(?:"(?:[^"\\]|\\.)*"|'[^']*'|\\.|[^\s"'\\])+/gs)].map(([word]) =>
    word.replace(/"((?:[^"\\]|\\.)*)"|'([^']*)'|\\(.)/gs, (_, double: string | undefined, single: string | undefined, plain: string | undefined) => double?.replace(/\\(.)/gs, '$1') ?? single ?? plain ?? ''),
  );
}
