/** One sample of a metric. */
export type Sample = { readonly name: string; readonly labels: Readonly<Record<string, string>>; readonly value: number };

/**
 * Reads Prometheus' text format 0.0.4 as strictly as its description is (prometheus.io/docs/instrumenting/exposition_formats): every line
 * ends with a line feed; HELP and TYPE stand once and before the samples, which stand together; names, escapes and numbers are right.
 */
export function parsePrometheus(text: string): readonly Sample[] {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const samples: Sample[] = [];
  const [helped, typed, seen] = [new Set<string>(), new Map<string, string>(), new Set<string>()];
  const ended = new Set<string>();
  let current = '';
  const enter = (name: string): void => {
    if (name === current) return;
    if (current !== '') ended.add(current);
    if (ended.has(name)) throw new Error(`${name} stands in two places`);
    current = name;
  };
  for (const line of text.slice(0, -1).split('\n')) {
    const [, keyword, about, rest] = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/.exec(line) ?? [];
    if (keyword !== undefined) {
      enter(about!);
      if (keyword === 'HELP' ? helped.has(about!) : typed.has(about!)) throw new Error(`${keyword} of ${about} stands twice`);
      if (keyword === 'HELP') {
        if (/\\(?![\\n])/.test(rest!)) throw new Error(`a wrong escape in ${line}`);
        helped.add(about!);
      } else {
        if (!['counter', 'gauge', 'histogram', 'summary', 'untyped'].includes(rest!)) throw new Error(`no type: ${rest}`);
        if (samples.some(({ name }) => name === about)) throw new Error(`TYPE of ${about} stands behind its samples`);
        typed.set(about!, rest!);
      }
      continue;
    }
    const [, name, , inner, value] = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(.*)\})? (-?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|Inf)|\+Inf|NaN)$/.exec(line) ?? [];
    if (name === undefined) throw new Error(`no line of the format: ${line}`);
    enter(name);
    if (!helped.has(name) || !typed.has(name)) throw new Error(`${name} has no HELP or TYPE before it`);
    const labels = parseLabels(inner ?? '');
    const key = JSON.stringify([name, Object.entries(labels).sort()]);
    if (seen.has(key)) throw new Error(`the same sample twice: ${line}`);
    seen.add(key);
    samples.push({ name, labels, value: Number(value!.replace('Inf', 'Infinity')) });
  }
  return samples;
}

function parseLabels(text: string): Readonly<Record<string, string>> {
  const labels: Record<string, string> = {};
  let rest = text;
  while (rest !== '') {
    const [whole, name, value] = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\[\\"n])*)"(?:,|$)/.exec(rest) ?? [];
    if (whole === undefined) throw new Error(`no labels: {${text}}`);
    if (name! in labels) throw new Error(`the label ${name} stands twice`);
    labels[name!] = value!.replace(/\\(.)/g, (_, sign: string) => (sign === 'n' ? '\n' : sign));
    rest = rest.slice(whole.length);
  }
  return labels;
}
