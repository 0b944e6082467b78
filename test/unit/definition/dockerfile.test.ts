import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseDockerfile, replaceSources } from '../../../src/definition/dockerfile.js';
import { checkNumericUser } from '../../../src/definition/numeric-user.js';
import { formatProblem } from '../../../src/shared/problem.js';

function sourcesOf(text: string): readonly string[] {
  const parsed = parseDockerfile('D', text);
  return parsed.ok ? parsed.value.sources.map(({ kind, ref, line, stage }) => `${kind} ${ref} ${line}/${stage}`) : parsed.problems.map(formatProblem);
}

describe('the sources of a Dockerfile', () => {
  it.each([
    ['FROM names one', 'FROM debian:12\n', ['from debian:12 1/0']],
    ['flags, digest and stage name are no part of it', 'FROM --platform=linux/amd64 r:5000/a/b:1@sha256:0a AS x\n', ['from r:5000/a/b:1@sha256:0a 1/0']],
    ['lower case and DOS line ends are read', 'from a as B\r\ncopy --from=c \\\r\n  x y\r\n', ['from a 1/0', 'copy c 2/0']],
    ['comments and continuations may stand in between', '# FROM z\nFROM \\\n  # comment\n\n  a:1 \\\n  AS x\n', ['from a:1 5/0']],
    ['a reference may be broken over lines', 'FROM a\\\n:2\n', ['from a:2 1/0']],
    ['quotes are dropped', 'FROM "a:1"\nCOPY --from="b:1" x y\n', ['from a:1 1/0', 'copy b:1 2/0']],
    ['own stages are none, by name without case or by number', 'FROM a AS B\nFROM b\nCOPY --from=b x y\nCOPY --from=0 x y\nRUN --mount=from=B,target=/x true\n', ['from a 1/0']],
    ['a FROM knows only the stages above it', 'FROM b\nFROM a AS b\n', ['from b 1/0', 'from a 2/1']],
    ['scratch is none', 'FROM scratch\nCOPY --from=a x y\n', ['copy a 2/0']],
    ['every mount may name one', 'FROM a\nRUN --mount=type=bind,from=b:1,target=/x --network=none \\\n  --mount=type=cache,target=/y,from=c:1 make\n', ['from a 1/0', 'mount b:1 2/0', 'mount c:1 3/0']],
    ['a mount may go on in the next line', 'FROM a\nRUN --mount=type=bind,\\\nfrom=b,target=/x true\n', ['from a 1/0', 'mount b 3/0']],
    ['a mount option may be quoted', 'FROM a\nRUN --mount=type=bind,"from=b",target=/x true\n', ['from a 1/0', 'mount b 2/0']],
    ['what only looks like a flag is none', 'FROM a\nRUN echo --mount=from=b\nCOPY ["--from=c", "d"]\nADD --from=e f g\nRUN --mount=type=bind,source=/from=h,target=/x true\n', ['from a 1/0']],
    ['heredocs hide what they hold', 'FROM a\nRUN <<EOF\nFROM b\nEOF\nCOPY <<-"E" <<F /x/\nFROM c\n\tE\nCOPY --from=d e f\nF\nFROM g\n', ['from a 1/0', 'from g 10/1']],
    ['what ONBUILD will do is left to children', 'FROM a\nONBUILD COPY --from=b x y\n', ['from a 1/0']],
    ['a syntax line is one', '# syntax=docker/dockerfile:1.4\n# escape=`\nFROM a `\n  AS b\n', ['syntax docker/dockerfile:1.4 1/0', 'from a 3/0']],
    ['a syntax line below a comment is a comment', '# x\n# syntax=y\nFROM a\n', ['from a 3/0']],
    ['ARG defaults are filled in, also from one another', 'ARG V=12\nARG W="$V-slim"\nFROM debian:${W}\nFROM $V\n', ['from debian:12-slim 3/0', 'from 12 4/1']],
    ['the ways to write a default', 'ARG E=\nFROM a:${X:-1}\nFROM a:${X-2}\nFROM a:${E:-3}\nFROM a${E-4}\nFROM a:${X:+5}6\nFROM a:${X:-${E:-7}}\n', ['from a:1 2/0', 'from a:2 3/1', 'from a:3 4/2', 'from a 5/3', 'from a:6 6/4', 'from a:7 7/5']],
    ['a stage sees an ARG of the file when it asks for it', 'ARG I=b:1\nFROM a\nARG I\nCOPY --from=$I x y\n', ['from a 2/0', 'copy b:1 4/0']],
  ])('%s', (_, text, expected) => {
    expect(sourcesOf(text)).toEqual(expected);
  });

  it.each([
    ['a file without FROM is a problem', 'RUN true\n', ['D: has no FROM']],
    ['an ARG without default is a problem with its line', 'ARG V\n\nFROM a:$V\n', ['D:3: ARG V has no default, so this image is not known before the build']],
    ['an ARG of a stage is none of the next FROM', 'FROM a\nARG V=1\nFROM b:$V\n', ['D:3: no ARG before the first FROM defines V']],
    ['an unknown ARG is a problem with near names', 'ARG VERSION=1\nFROM a:$VERSON\n', ['D:2: no ARG before the first FROM defines VERSON (near: VERSION)']],
    ['a platform of the build is a problem', 'FROM a:${TARGETARCH}\n', ['D:1: the image depends on TARGETARCH, which only a build knows: give ARG TARGETARCH a default']],
    ['a stage does not see an ARG it did not ask for', 'ARG I=b:1\nFROM a\nCOPY --from=$I x y\n', ['D:3: no ARG of this stage gives I a value']],
    ['a stage number that is not there is a problem', 'FROM a\nCOPY --from=7 x y\n', ['D:2: there is no stage 7 before this line']],
    ['FROM without an image is a problem', 'FROM\n', ['D:1: FROM names no image']],
    ['all faults are told at once', 'FROM $A\nFROM $B\n', ['D:1: no ARG before the first FROM defines A', 'D:2: no ARG before the first FROM defines B']],
  ])('%s', (_, text, expected) => {
    expect(sourcesOf(text)).toEqual(expected);
  });
});

describe('replaceSources', () => {
  const mark = (ref: string): string => `<${ref}>`;

  it.each([
    ['the image alone', 'FROM  --platform=x a:1   AS b # c\n', 'FROM  --platform=x <a:1>   AS b # c\n'],
    ['with its ARGs', 'ARG V=1\nfrom a:${V}\r\n', 'ARG V=1\nfrom <a:1>\r\n'],
    ['over continuations and comments', 'FROM \\\n # c\n a\\\n:1 \\\n as b\nRUN x', 'FROM \\\n # c\n <a:1> \\\n as b\nRUN x'],
    ['in COPY and in every mount', 'FROM a AS s\nCOPY --link --from=b --chown=1 x y\nRUN --mount=type=bind,from=c,target=/x --mount=from=s,target=/y z', 'FROM <a> AS s\nCOPY --link --from=<b> --chown=1 x y\nRUN --mount=type=bind,from=<c>,target=/x --mount=from=s,target=/y z'],
    ['beyond ASCII', '# é✓😀\nFROM a AS ü\nLABEL x="é"\nCOPY --from=b é /\nCOPY --from=ü x y\n', '# é✓😀\nFROM <a> AS ü\nLABEL x="é"\nCOPY --from=<b> é /\nCOPY --from=ü x y\n'],
    ['nothing of syntax lines, ONBUILD, heredocs', '# syntax=s\nFROM scratch\nONBUILD COPY --from=o a b\nRUN <<E\nFROM f\nE\n', '# syntax=s\nFROM scratch\nONBUILD COPY --from=o a b\nRUN <<E\nFROM f\nE\n'],
  ])('replaces %s', (_, text, expected) => {
    expect(replaceSources(text, mark)).toBe(expected);
  });

  it('leaves what has no replacement', () => {
    expect(replaceSources('FROM a\nFROM b\n', (ref) => (ref === 'b' ? 'c@sha256:0' : undefined))).toBe('FROM a\nFROM c@sha256:0\n');
  });

  it('changes nothing but sources, and names the new ones, whatever the file looks like', () => {
    const line = fc.constantFrom('FROM a:1 AS x', 'from --platform=q "b"', 'COPY --from=c \\', ' d e', 'RUN --mount=from=f,target=/g h \\', '  # comment', '', 'RUN <<EOF', 'EOF', 'ARG V=1', 'FROM ${V:-i}', 'é', 'ONBUILD FROM j', '\t&& k', 'COPY --from=x l m');
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), fc.constantFrom('\n', '\r\n'), (lines, end) => {
        const text = lines.join(end);
        expect(replaceSources(text, () => undefined)).toBe(text);
        const parsed = parseDockerfile('D', text);
        const refs: string[] = [];
        const marked = replaceSources(text, (ref) => `@${refs.push(ref) - 1}@`);
        if (parsed.ok) expect(refs).toEqual(parsed.value.sources.map(({ ref }) => ref));
        expect(marked.replace(/@\d+@/g, '').length).toBeLessThanOrEqual(text.length);
        expect(marked.split('\n').length).toBe(text.split('\n').length);
      }),
      { seed: 1, numRuns: 500 },
    );
  });
});

describe('checkNumericUser', () => {
  it.each([
    ['no USER passes', 'FROM a\n', undefined],
    ['a number passes', 'FROM a\nUSER 33\n', undefined],
    ['numbers of user and group pass', 'FROM a\nuser\t33:33\n', undefined],
    ['the last one counts', 'FROM a\nUSER root\nFROM b\nUSER 33\n', undefined],
    ['a name is refused with its line', 'FROM a\nUSER 33\nUSER www-data\n', 'D:3: USER www-data is not numeric, and force_numeric_user is set'],
    ['a group by name is refused', 'FROM a\nUSER 33:www-data\n', 'D:2: USER 33:www-data is not numeric, and force_numeric_user is set'],
    ['a variable is refused', 'FROM a\nUSER ${X}\n', 'D:2: USER ${X} is not numeric, and force_numeric_user is set'],
    ['a USER in a comment or in a continued line is none', 'FROM a\nRUN x \\\n USER b\n# USER c\n', undefined],
  ])('%s', (_, text, expected) => {
    const parsed = parseDockerfile('D', text);
    const problem = parsed.ok ? checkNumericUser(parsed.value) : undefined;
    expect(parsed.ok).toBe(true);
    expect(problem && formatProblem(problem)).toBe(expected);
  });
});

describe('the base of a Dockerfile', () => {
  it.each([
    ['is what a single stage is FROM', 'FROM r/a:1\nRUN x\n', 'r/a:1'],
    ['is that of the last stage', 'FROM r/a:1\nFROM r/b:1\n', 'r/b:1'],
    ['is found through stages of its own', 'FROM r/a:1 AS one\nFROM r/b:1 AS two\nFROM ONE\n', 'r/a:1'],
    ['has its ARG filled in', 'ARG V=1\nFROM r/a:$V\n', 'r/a:1'],
    ['is none where the last stage is from scratch', 'FROM r/a:1 AS one\nFROM scratch\nCOPY --from=one /x /x\n', undefined],
  ])('%s', (_, text, expected) => {
    const parsed = parseDockerfile('D', text);
    expect(parsed.ok && parsed.value.base).toBe(expected);
  });
});
