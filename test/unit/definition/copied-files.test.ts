import { describe, expect, it } from '@jest/globals';
import { copiedFiles } from '../../../src/definition/copied-files.js';

const copied = (...lines: readonly string[]): readonly string[] | undefined => copiedFiles(['FROM x', ...lines, ''].join('\n'));

describe('what a Dockerfile takes of its context', () => {
  it.each<readonly [string, readonly string[], readonly string[] | undefined]>([
    ['nothing', ['RUN true'], []],
    ['a file', ['COPY a/b.txt /b'], ['a/b.txt']],
    ['several, each once, in order', ['COPY b a /x/', 'ADD a /y'], ['a', 'b']],
    ['a folder, however it is written', ['COPY ./a/ /x', 'COPY /b /y', 'COPY c/../d /z', 'COPY ../../e /z'], ['a', 'b', 'd', 'e']],
    ['words of a JSON list', ['COPY ["a b", "c", "/x/"]'], ['a b', 'c']],
    ['words behind flags', ['COPY --chown=1:1 --link a /x'], ['a']],
    ['words on several lines', ['COPY a \\', '  b \\', '  # said to nobody', '  /x/'], ['a', 'b']],
    ['patterns, by the folder before them', ['COPY a/b*.txt /x/', 'COPY c/?/d /y/', 'COPY e/[ab] /z/'], ['a', 'c', 'e']],
    ['a pattern at the root', ['COPY *.txt /x/'], undefined],
    ['all of it', ['COPY . /x'], undefined],
    ['all of it, by another name', ['COPY a/.. /x'], undefined],
    ['what a variable with a default names', ['ARG A=a', 'ENV B=b', 'COPY $A/${B} /x'], ['a/b']],
    ['what only the build knows', ['ARG A', 'COPY $A /x'], undefined],
    ['what a variable of another stage names', ['ARG A=a', 'FROM y', 'COPY $A /x'], undefined],
    ['nothing of another stage or image', ['COPY --from=x /a /b'], []],
    ['nothing of its own text', ['COPY <<EOF /x', 'some text', 'EOF', 'COPY a /a'], ['a']],
    ['nothing from elsewhere', ['ADD https://example.org/a.tar /x', 'ADD git@example.org:a/b.git /y'], []],
    ['a file with the name of an address', ['COPY git@example.org:a /y'], ['git@example.org:a']],
    ['a mount', ['RUN --mount=type=bind,source=a/b,target=/x true', 'RUN --mount=src=c,target=/x true'], ['a/b', 'c']],
    ['a mount of all of it', ['RUN --mount=type=bind,target=/x true'], undefined],
    ['a mount of another image', ['RUN --mount=type=bind,from=x,target=/x true'], []],
    ['a mount of other kinds', ['RUN --mount=type=cache,target=/x --mount=type=secret,id=a true'], []],
    ['a mount that only the build knows', ['ARG A', 'RUN --mount=source=$A,target=/x true'], undefined],
  ])('%s', (_, lines, paths) => expect(copied(...lines)).toEqual(paths));

  it.each([
    ['docker/dockerfile:1', ['a']],
    ['docker.io/docker/dockerfile:1.7', ['a']],
    ['example.org/our-own:1', undefined],
  ])('as the frontend %s reads it', (syntax, paths) => expect(copiedFiles(`# syntax=${syntax}\nFROM x\nCOPY a /a\n`)).toEqual(paths));
});
