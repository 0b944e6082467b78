import { seeded, type Chance } from './seeded.js';

/** Files of apt's sources, made up: absolute path → text. One in six has what apt refuses. */
export function randomSources(seed: number): Readonly<Record<string, string>> {
  const chance = seeded(seed);
  const many = (most: number, make: () => string): readonly string[] => Array.from({ length: 1 + chance.below(most) }, make);
  return {
    ...(chance.is(0.8) ? { '/etc/apt/sources.list': many(4, () => oneLine(chance)).join('\n') + (chance.is(0.8) ? '\n' : '') } : {}),
    ...(chance.is(0.5) ? { [`/etc/apt/sources.list.d/${chance.one(['a.list', 'b-1_2.list', 'c.list.save', '.d.list', 'e e.list', 'f.LIST', 'g', 'h.x.list'])}`]: many(2, () => oneLine(chance)).join('\n') } : {}),
    ...(chance.is(0.7) ? { [`/etc/apt/sources.list.d/${chance.one(['a.sources', 'z.sources', 'b.sources~', 'c.sources.disabled'])}`]: many(3, () => stanza(chance)).join(chance.one(['\n', '\n\n', '# x\n\n'])) } : {}),
  };
}

const URIS = ['http://a.example.org/debian', 'http://a.example.org/debian/', 'https://b.example.org', 'http://c.example.org:8080/x/y', 'http://d.example.org/$(ARCH)/z', 'HTTP://e.example.org/d'];
const SUITES = ['trixie', 'trixie-updates', 'stable/updates', './', 'x/', 'x/$(ARCH)/', '/'];
const COMPONENTS = ['main', 'contrib', 'non-free', 'updates/main'];

function oneLine(chance: Chance): string {
  if (chance.is(0.15)) return chance.one(['', '  ', '# deb http://a.example.org/debian trixie main', '\t# x', '#']);
  const odd = chance.is(0.05);
  const suite = chance.one(SUITES);
  const gap = (): string => chance.one([' ', ' ', '  ', '\t']);
  const options = chance.is(0.5) ? `[${chance.one(['', ' '])}${Array.from({ length: 1 + chance.below(2) }, () => chance.one(['arch=amd64', 'arch=i386,amd64', 'arch=armhf', 'arch+=arm64', 'arch-=i386', 'trusted=yes', 'trusted=no', 'signed-by=/usr/share/keyrings/k.gpg', 'lang=en', 'pdiffs=no', 'check-valid-until=no', 'x=y', 'by-hash="no"'])).join(' ')}${chance.one(['', ' '])}]${gap()}` : '';
  const components = suite.endsWith('/') !== (odd && chance.is(0.5)) ? [] : chance.some(COMPONENTS, 1, 2);
  const words = [chance.one(odd ? ['rpm', 'Deb', 'deb'] : ['deb', 'deb', 'deb', 'deb-src']), odd && chance.is(0.3) ? 'nowhere' : chance.one(URIS), suite, ...components].filter((_, at) => !(odd && chance.is(0.1) && at > 0));
  return `${chance.one(['', '', ' '])}${words[0]!}${gap()}${options}${words.slice(1).join(gap())}${chance.one(['', '', ' ', ' # why', '#', '\r'])}`;
}

function stanza(chance: Chance): string {
  const odd = chance.is(0.06);
  const exact = chance.is(0.2);
  const suites = chance.some(SUITES.filter((suite) => suite.endsWith('/') === exact), 1, 2);
  const name = (text: string): string => chance.one([text, text, text.toLowerCase(), text.toUpperCase()]);
  const words = (all: readonly string[]): string => all.join(chance.one([' ', ' ', '  ', '\n ', '\n\t']));
  const fields = [
    ['Types', words(chance.one(odd ? [['deb', 'rpm'], []] : [['deb'], ['deb'], ['deb', 'deb-src'], ['deb-src']]))],
    ['URIs', words(chance.some(URIS, odd && chance.is(0.3) ? 0 : 1, 2))],
    ['Suites', words(suites)],
    ...(exact ? [] : [['Components', words(chance.some(COMPONENTS, odd ? 0 : 1, 2))]]),
    ...(chance.is(0.3) ? [['Enabled', chance.one(['yes', 'no', 'NO', 'false', '0', '1', 'off', 'maybe', ''])]] : []),
    ...(chance.is(0.3) ? [['Architectures', chance.one(['amd64', 'i386 amd64', 'armhf', 'i386,amd64'])]] : []),
    ...(chance.is(0.15) ? [['Architectures-Add', 'arm64']] : []),
    ...(chance.is(0.15) ? [['Architectures-Remove', 'i386']] : []),
    ...(chance.is(0.2) ? [['Trusted', chance.one(['yes', 'no', 'true', '1'])]] : []),
    ...(chance.is(0.2) ? [['Signed-By', chance.one(['/usr/share/keyrings/k.gpg', '/usr/share/keyrings/k.gpg ,/usr/share/keyrings/l.gpg'])]] : []),
    ...(chance.is(0.2) ? [['X-Note', 'a\n b\n .']] : []),
  ].filter(() => !(odd && chance.is(0.1)));
  return fields.map(([field, value]) => `${chance.is(0.05) ? '# c: d\n' : ''}${name(field!)}:${chance.one([' ', ' ', '', '\t'])}${value!}\n`).join('');
}
