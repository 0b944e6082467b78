// Writes docs/cli.md from the program's own --help: `node scripts/document-cli.mjs`, after `npm run build`. A test compares.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * The text of docs/cli.md.
 * @param help what `--help` prints: of one verb, or of the program
 * @param verbs names, in the order of the help
 */
export function documentCli(help, verbs) {
  const block = (text) => `\`\`\`\n${text}\n\`\`\``;
  // Each verb's help ends with the table of exit codes, which stands in the first part already.
  const withoutExits = (text) => text.slice(0, text.indexOf('\n\nExit codes:'));
  return `${[
    '# Command line',
    'Made from the program\'s own `--help` by `node scripts/document-cli.mjs`; do not edit. What to do about an exit code: [operating.md](operating.md#exit-codes).',
    '## build-images',
    block(help(undefined)),
    ...verbs.flatMap((verb) => [`## ${verb}`, block(withoutExits(help(verb)))]),
  ].join('\n\n')}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const help = (verb) => {
    const { status, stdout } = spawnSync(process.execPath, [join(root, 'dist/main.js'), ...(verb === undefined ? [] : [verb]), '--help'], { encoding: 'utf8' });
    if (status !== 0) throw new Error('npm run build comes first');
    return stdout.trimEnd();
  };
  // The verbs that the program's help lists: `  build-images plan [DIRECTORY]  …`, the default one in brackets.
  const [verbLines] = help(undefined).split('\n\nOptions:');
  const verbs = [...verbLines.matchAll(/^ {2}build-images \[?([a-z-]+)/gm)].map(([, verb]) => verb);
  writeFileSync(join(root, 'docs/cli.md'), documentCli(help, verbs));
}
