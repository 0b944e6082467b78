/** What a build of a Dockerfile brings up to date beyond what it stands on: every package, or those of some names. */
export type UpgradedPackages = { readonly all: boolean; readonly names: ReadonlySet<string> };

/**
 * What the final stage, and the stages that it is FROM, upgrade by apt: all packages by an upgrade, those of an install by name, which
 * brings the newest of what is there already (apt-get(8), "install"). Words that only a shell knows are passed over.
 */
export function upgradedPackages(dockerfile: string): UpgradedPackages {
  const names = new Set<string>();
  let all = false;
  for (const command of finalCommands(dockerfile)) {
    const words = command.trim().split(/\s+/);
    const apt = words.findIndex((word) => /^(?:.*\/)?(?:apt|apt-get|aptitude)$/.test(word));
    if (apt < 0) continue;
    const [verb, ...rest] = withoutOptions(words.slice(apt + 1));
    if (/^(?:dist-|full-|safe-)?upgrade$/.test(verb ?? '')) all = true;
    if (verb === 'install') for (const word of rest) if (/^[a-z0-9][a-z0-9+.-]+(?:[=/:].*)?$/.test(word)) names.add(word.replace(/[=/:].*$/, ''));
  }
  return { all, names };
}

/** apt's options stand anywhere; of the short ones four take the next word. */
function withoutOptions(words: readonly string[]): readonly string[] {
  return words.filter((word, at) => !word.startsWith('-') && !/^(?:-[a-zA-Z]*[otca]|--(?:option|target-release|default-release|config-file|host-architecture))$/.test(words[at - 1] ?? ''));
}

/** The shell commands of the final stage and of the stages it is FROM. */
function finalCommands(dockerfile: string): readonly string[] {
  const lines = dockerfile
    .split('\n')
    .filter((line) => !/^\s*#/.test(line))
    .join('\n')
    .replace(/\\[ \t]*\r?\n/g, ' ')
    .split('\n');
  const stages: { readonly from: string; readonly name: string | undefined; readonly lines: string[] }[] = [];
  for (const line of lines) {
    const [, from, name] = /^\s*FROM\s+(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?/i.exec(line) ?? [];
    if (from !== undefined) stages.push({ from: from.toLowerCase(), name: name?.toLowerCase(), lines: [] });
    else stages.at(-1)?.lines.push(line);
  }
  const commands: string[] = [];
  for (let at = stages.length - 1; at >= 0; ) {
    const { from, lines: own } = stages[at]!;
    commands.push(...own.flatMap((line) => line.split(/&&|\|\||[;|]/)));
    at = stages.slice(0, at).findLastIndex(({ name }) => name === from);
  }
  return commands;
}
