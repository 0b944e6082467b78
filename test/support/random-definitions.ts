import fc from 'fast-check';

/** The same texts every time: a failure can be repeated. */
const SEED = 20261121;
const sample = <T>(arbitrary: fc.Arbitrary<T>, many: number): readonly T[] => fc.sample(arbitrary, { seed: SEED, numRuns: many });
const oneOf = (...texts: readonly string[]): fc.Arbitrary<string> => fc.constantFrom(...texts);
const text = (alphabet: string, minLength: number, maxLength: number): fc.Arbitrary<string> => fc.string({ unit: fc.constantFrom(...alphabet), minLength, maxLength });
const joined = (...parts: readonly fc.Arbitrary<string>[]): fc.Arbitrary<string> => fc.tuple(...parts).map((all) => all.join(''));
const lines = (line: fc.Arbitrary<string>, most: number): fc.Arbitrary<string> => fc.array(line, { maxLength: most }).map((all) => all.map((one) => `${one}\n`).join(''));

const VERSION = fc.oneof(
  { weight: 4, arbitrary: joined(text('0123456789', 1, 2), text('0019.', 0, 5), oneOf('', '-1', '-12', '-1-s3', '-s9')) },
  { weight: 1, arbitrary: joined(oneOf('', '1:', 'buster-', 'v'), text('01a', 1, 3), oneOf('+deb12u1', '~rc1-1', '-1.a', '_2', '-')) },
);

const BLANKS = oneOf('', '', '', '\n', '\n\n', ' \n', '\t\n');
const CHANGE = oneOf('  * Change.', '    more of it', '   docker-pkg has three', '  ', '', '\t ', '  -- no trailer', '  [ Somebody ]', '  * Ünï → cödé', '# a comment', '/* another */', '  web (1) x; urgency=low');
const TRAILER = oneOf(
  ' -- Ann Example <ann@example.org>  Fri, 21 Nov 2025 10:00:00 +0000',
  ' -- Ann Example <ann@example.org> Fri, 21 Nov 2025 10:00:00 +0000',
  ' -- Ünï Cödé (work) <u@example.org>  21 Nov 2025 1:02:03 -0330  ',
);
/** Only of the last entry: python-debian takes the heading behind such a one for a change, and so loses a version that we know. */
const BROKEN_TRAILER = oneOf('', ' -- <a@b>  Fri, 21 Nov 2025 10:00:00 +0000', ' -- Ann Example', ' --');
const HEADING = joined(oneOf('web', 'web', 'python3.11', 'a-b'), oneOf(' ('), VERSION, oneOf(')'), oneOf(' wikimedia', ' trixie forky', '  trixie', '\tunstable', ' a.b+c-d'), oneOf(';', '; '), oneOf('urgency=low', 'urgency=HIGH', 'urgency=high (for some), binary-only=yes', 'priority=1', 'urgency=medium, x=y', ''), oneOf('', '', ' '));
const block = (trailer: fc.Arbitrary<string>): fc.Arbitrary<string> => joined(HEADING, oneOf('\n'), lines(CHANGE, 5), trailer, oneOf('\n'));
const BLOCK = block(TRAILER);
const BETWEEN = oneOf('\n', '\n', '\n', '', '\n\n', '\n# comment\n', '# comment\n\n', '$Id: x $\n');
const CHANGELOG = joined(oneOf('', '', '', '\n', '# by hand\n', ' \n\n/* old */\n'), BLOCK, fc.array(joined(BETWEEN, BLOCK), { maxLength: 3 }).map((all) => all.join('')), fc.oneof(joined(BETWEEN, block(BROKEN_TRAILER)), oneOf('', '', '\n', '\n\n', '\nvim: et\nweb (9) x; urgency=low\n', ';; Local variables:\n;; mode: x\n')), BLANKS);

const NAME = oneOf('base', 'python3-web', 'lib.a+b', 'x1');
const RELATION = joined(NAME, oneOf('', ':any', ':native'), oneOf('', ' (>= 1.0)', ' (= 1:2~rc)', '(<<2)'), oneOf('', ' [amd64 !i386]'), oneOf('', ' <!nocheck>', ' <a> <b c>'));
const DEPENDS = fc.array(joined(RELATION, oneOf('', '', ' | other', '|a | b')), { minLength: 1, maxLength: 4 }).chain((all) => oneOf(', ', ',', ' ,\n ', ',\n\t', ',\n# note\n ', ',\n  ').map((glue) => all.join(glue)));
const FIELD = fc.oneof(joined(oneOf('Depends', 'Build-Depends', 'DEPENDS', 'build-depends'), oneOf(': ', ':', ':\n ', ':  '), DEPENDS, oneOf('', ',', ' ,')), oneOf('Package: web', 'Maintainer: Ann <a@b>', 'Description: Depends: nothing\n Depends: no field\n .\n end', '# Depends: comment', 'X-Depends: no', 'Depends:'));

/** Changelogs as people, scripts and editors leave them. */
export const randomChangelogs = (many: number): readonly string[] => sample(CHANGELOG, many);
/** Control files, one paragraph or two; no field stands twice in one. */
export const randomControls = (many: number): readonly string[] => {
  const paragraph = fc.uniqueArray(FIELD, { minLength: 1, maxLength: 4, selector: (field) => field.split(':')[0]!.toLowerCase() }).map((fields) => fields.map((field) => `${field}\n`).join(''));
  return sample(joined(oneOf('', '\n', '# head\n'), paragraph, fc.option(joined(oneOf('\n', '\n\n'), paragraph), { nil: '' })), many);
};
/** Versions as trees have them: docker-pkg can bump four of five. */
export const randomVersions = (many: number): readonly string[] => sample(VERSION, many);
/** Versions that Debian's own tools take. */
export const legalVersions = (many: number): readonly string[] => sample(joined(oneOf('', '', '', '0:', '1:'), text('0123456789', 1, 1), text('0019aZs.+~', 0, 8), fc.option(joined(oneOf('-'), text('019bs.+~', 1, 5)), { nil: '' }), oneOf('', '', '-s1', '-s09', '-s')), many);
