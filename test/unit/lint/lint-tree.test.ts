import { describe, expect, it } from '@jest/globals';
import { changedSince, type Change } from '../../../src/lint/changed-files.js';
import { lintInMemory } from '../../support/lint-in-memory.js';
import { changelogOf, configOf, filesInMemory, production } from '../../support/tree-in-memory.js';

const HOST = 'registry.example.org';
const OUTSIDE = `FROM ${HOST}/debian:12`;
const A = production('a', OUTSIDE);
const KEY = ['-----BEGIN', 'PRIVATE KEY-----'].join(' ');

type Case = readonly [what: string, files: Readonly<Record<string, string>>, found: readonly string[], config?: string];

const linesOf = async ([, files, , config]: Case): Promise<readonly string[]> => (await lintInMemory(files, configOf(config))).lines;

describe('parents', () => {
  it.each<Case>([
    ['what agrees is fine', { ...A, ...production('b', 'FROM {{ "a" | image_tag }}', 'Package: b\nDepends: a\n') }, []],
    ['a parent that control does not name', { ...A, ...production('b', '# x\n\nFROM {{ "a" | image_tag }}', 'Package: b\n') }, ['images/b/Dockerfile.template:3: warning: uses a, which images/b/control does not name (Depends) [undeclared-parent]']],
    ['a parent without any control', { ...A, ...production('b', 'FROM {{ "a" | image_tag }}') }, ['images/b/Dockerfile.template:1: warning: uses a, which images/b/control does not name (Depends) [undeclared-parent]']],
    ['what is copied from is for building', { ...A, ...production('b', `${OUTSIDE}\nCOPY --from={{ "a" | image_tag }} /x /x`, 'Package: b\n') }, ['images/b/Dockerfile.template:2: warning: uses a, which images/b/control does not name (Build-Depends) [undeclared-parent]']],
    ['either field will do', { ...A, ...production('b', 'FROM {{ "a" | image_tag }}', 'Package: b\nBuild-Depends: a\n') }, []],
    ['an image_tag that is no FROM', { ...A, ...production('b', `${OUTSIDE}\nLABEL x={{ "a" | image_tag }}`, 'Package: b\n') }, ['images/b/Dockerfile.template: warning: uses a, which images/b/control does not name (Build-Depends) [undeclared-parent]']],
    ['its own tag', { ...A, ...production('b', `${OUTSIDE}\nLABEL x={{ "b" | image_tag }}`, 'Package: b\n') }, []],
    ['a parent that is not used', { ...A, ...production('b', OUTSIDE, 'Package: b\nDepends: x-y,\n a\n') }, ['images/b/control:2: warning: Depends names "x-y", which no tree defines [unknown-parent]', 'images/b/control:3: warning: Depends names a, which the Dockerfile does not use [stale-parent]']],
    ['a parent that is used under an old tag', { ...production('a', OUTSIDE, '', '2', '1'), ...production('b', `FROM ${HOST}/a:1`, 'Package: b\nDepends: a\n') }, [`images/b/Dockerfile.template:1: warning: FROM ${HOST}/a:1 is not what this tree makes of a (2): {{ "a" | image_tag }} keeps its tag current [old-tag]`]],
    ['an image that names itself', production('b', OUTSIDE, 'Package: b\nDepends: b\n'), ['images/b/control:2: warning: Depends names the image itself [stale-parent]']],
    ['a name with a slip', { ...A, ...production('abcd', OUTSIDE), ...production('b', OUTSIDE, 'Package: b\nDepends: abdc\n') }, ['images/b/control:2: warning: Depends names "abdc", which no tree defines (near: abcd) [unknown-parent]']],
    ['a name of base_images', production('b', OUTSIDE, 'Package: b\nDepends: debian\n'), [], `base_images: ["${HOST}/debian:12"]`],
    ['a base image has no Dockerfile that could tell', { ...A, 'images/t/rootfs.yaml': 'suite: trixie\n', 'images/t/control': 'Package: t\nDepends: a, nope\n' }, ['images/t/control:2: warning: Depends names "nope", which no tree defines [unknown-parent]']],
  ])('%s', async (...row) => expect(await linesOf(row)).toEqual(row[2]));
});

describe('sources', () => {
  const b = (template: string): Readonly<Record<string, string>> => ({ ...production('a', OUTSIDE, '', '2', '1'), ...production('b', template, 'Package: b\nX-Lint-Ignore: undeclared-parent\n') });
  it.each<Case>([
    ['an image of the tree by hand', b(`FROM {{ registry }}/a:2`), [`images/b/Dockerfile.template:1: warning: FROM ${HOST}/a:2 names an image of this tree by hand: {{ "a" | image_tag }} keeps its tag current [literal-from]`]],
    ['by hand without a tag', b(`${OUTSIDE}\nCOPY --from=${HOST}/a /x /x`), [`images/b/Dockerfile.template:2: warning: COPY --from=${HOST}/a names an image of this tree by hand: {{ "a" | image_tag }} keeps its tag current [literal-from]`]],
    ['by hand and by digest', b(`FROM ${HOST}/a@sha256:${'0'.repeat(64)}`), [`images/b/Dockerfile.template:1: warning: FROM ${HOST}/a@sha256:${'0'.repeat(64)} names an image of this tree by hand: {{ "a" | image_tag }} keeps its tag current [literal-from]`]],
    ['an old tag, and by digest', b(`FROM ${HOST}/a:1@sha256:${'0'.repeat(64)}`), [`images/b/Dockerfile.template:1: warning: FROM ${HOST}/a:1@sha256:${'0'.repeat(64)} is not what this tree makes of a (2): {{ "a" | image_tag }} keeps its tag current [old-tag]`]],
    ['a tag that the changelog does not know', b(`FROM ${HOST}/a:3`), [`images/b/Dockerfile.template:1: error: FROM ${HOST}/a:3: the changelog of a has no version 3 (its newest is 2) [unknown-tag]`]],
    ['what it takes from itself', production('b', `FROM ${HOST}/b:0.1`), []],
    ['a day of a rolling image', { 'images/r/rootfs.yaml': 'suite: trixie\n', ...production('b', `FROM ${HOST}/r:20261120-2`) }, [`images/b/Dockerfile.template:1: warning: FROM ${HOST}/r:20261120-2 is not what this tree makes of r (latest): {{ "r" | image_tag }} keeps its tag current [old-tag]`]],
    ['from elsewhere', production('b', 'FROM docker.io/library/node:22'), ['images/b/Dockerfile.template:1: warning: FROM docker.io/library/node:22 is neither of registry.example.org nor in base_images (allowed_sources in config.yaml can allow it) [source-not-allowed]']],
    ['from where it may not be', production('b', `# syntax=other/frontend@sha256:${'0'.repeat(64)}\n${OUTSIDE}`), [`images/b/Dockerfile.template:1: error: # syntax=other/frontend@sha256:${'0'.repeat(64)} is not among the allowed_sources of config.yaml [source-not-allowed]`], `allowed_sources: ["${HOST}/*"]`],
    ['a syntax that may be another one any day', production('b', `# syntax=${HOST}/frontend:1\n${OUTSIDE}`), [`images/b/Dockerfile.template:1: note: # syntax=${HOST}/frontend:1 has no digest: what reads this Dockerfile may be another program any day [unpinned-source]`]],
    ['an outside image without a tag, and one with :latest', production('b', `FROM ${HOST}/x AS one\nFROM ${HOST}/x:latest`), [`images/b/Dockerfile.template:1: note: FROM ${HOST}/x has no version and no digest: it may be another image any day [unpinned-source]`, `images/b/Dockerfile.template:2: note: FROM ${HOST}/x:latest has no version and no digest: it may be another image any day [unpinned-source]`]],
    ['what base_images has without a tag', production('b', 'FROM {{ "debian" | image_tag }}'), [], `base_images: ["${HOST}/debian"]`],
  ])('%s', async (...row) => expect(await linesOf(row)).toEqual(row[2]));
});

describe('other rules', () => {
  const said = (rest: string): string => `images/b/${rest}`;
  it.each<Case>([
    ['a user by name', production('b', `${OUTSIDE}\nUSER www-data`), [said('Dockerfile.template:2: note: USER www-data is not numeric: Kubernetes cannot tell whether it is root [non-numeric-user]')]],
    ['a user by name where numbers are asked for', production('b', `${OUTSIDE}\nUSER www-data`), [said('Dockerfile.template:2: error: USER www-data is not numeric, and force_numeric_user is set [non-numeric-user]')], 'force_numeric_user: true'],
    ['a user that a variable holds', production('b', `${OUTSIDE}\nARG U=1\nUSER $U`), []],
    ['a user that a variable holds, where numbers are asked for', production('b', `${OUTSIDE}\nARG U=1\nUSER $U`), [said('Dockerfile.template:3: error: USER $U is not numeric, and force_numeric_user is set [non-numeric-user]')], 'force_numeric_user: true'],
    ['only the last user counts', production('b', `${OUTSIDE}\nUSER root\nUSER 33:33`), []],
    ['a version below the one before', production('b', OUTSIDE, '', '3.9-1', '3.13-1'), [said('changelog:1: note: the newest version, 3.9-1, sorts below the one before it, 3.13-1 [version-order]')]],
    ['a version twice', production('b', OUTSIDE, '', '1', '1'), [said('changelog:1: note: the newest version, 1, is the one before it, 1 [version-order]')]],
    ['a private key', { ...production('b', OUTSIDE), 'images/b/files/id': `x\n${KEY}\n` }, [said('files/id:2: error: holds a private key [secret-in-file]')]],
    ['the password of the config', { ...production('b', OUTSIDE), 'images/b/x': 'a\nlogin s3cr3tword\n' }, [said('x:2: error: holds the password of the config [secret-in-file]')], 'username: u\npassword: s3cr3tword'],
    ['a URL with a password', production('b', `${OUTSIDE}\nRUN curl https://u:hunter2@example.org/`), [said('Dockerfile.template:2: error: holds a URL with a password [secret-in-file]')]],
    ['a URL with a variable, a placeholder, a port, no user', production('b', `${OUTSIDE}\nRUN curl https://u:$PW@a https://u:{{ registry }}@a https://user:password@a http://a:80/x@y https://@a`), []],
    ['a secret of a nested definition is said there', { ...production('b', OUTSIDE), ...Object.fromEntries(Object.entries(production('c', OUTSIDE)).map(([path, text]) => [path.replace('images/c', 'images/b/c'), text])), 'images/b/c/id': `${KEY}\n` }, [said('c/id:1: error: holds a private key [secret-in-file]')]],
    ['a secret that a nested definition may have', { ...production('b', OUTSIDE), ...Object.fromEntries(Object.entries(production('c', OUTSIDE, 'Package: c\nX-Lint-Ignore: secret-in-file\n')).map(([path, text]) => [path.replace('images/c', 'images/b/c'), text])), 'images/b/c/id': `${KEY}\n` }, []],
    ['a binary file and a long one', { ...production('b', OUTSIDE), 'images/b/x': `\0${KEY}`, 'images/b/y': `${'x'.repeat(65536)}\n${KEY}` }, []],
    ['a secret in a variable', production('b', `ARG NPM_TOKEN=abc\n${OUTSIDE}\nENV A=1 \\\n    DB_PASSWORD=abc`), [said('Dockerfile.template:1: warning: ARG NPM_TOKEN has a value, which everyone who pulls the image can read: use a build secret (RUN --mount=type=secret) [secret-in-variable]'), said('Dockerfile.template:4: warning: ENV DB_PASSWORD has a value, which everyone who pulls the image can read: use a build secret (RUN --mount=type=secret) [secret-in-variable]')]],
    ['what matters more stands first', production('b', `${OUTSIDE}\nenv TOKEN=abc`), [said('Dockerfile.template:2: warning: ENV TOKEN has a value, which everyone who pulls the image can read: use a build secret (RUN --mount=type=secret) [secret-in-variable]'), said('Dockerfile.template:2: note: Instructions should be written in uppercase letters [dockerfile-habit]')]],
    ['variables that hold no secret', production('b', `${OUTSIDE}\nARG TOKEN\nARG TOKEN=\nENV TOKEN=$X PASSWORD=/run/secrets/x SECRET="" API_KEY=12 TOKENS=abc PASSWORD_FILE=x`), []],
    ['an instruction that there is not', production('b', `${OUTSIDE}\nRUM true`), [said('Dockerfile.template:2: warning: Unknown instruction: RUM [dockerfile-mistake]')]],
    ['a command that a shell gets as it is', production('b', `${OUTSIDE}\nCMD ['a']`), [said('Dockerfile.template:2: warning: Instruction written as a JSON array but is using single quotes instead of double quotes [dockerfile-mistake]')]],
    ['an empty line in an instruction', production('b', `${OUTSIDE}\nRUN a && \\\n\n  b`), [said('Dockerfile.template:3: note: Empty continuation line [dockerfile-habit]')]],
    ['two commands', production('b', `${OUTSIDE}\nCMD a\nCMD b`), [said('Dockerfile.template:2: note: There can only be one CMD instruction in a Dockerfile or build stage. Only the last one will have an effect. [dockerfile-habit]')]],
    ['a test that nobody may execute', { ...production('b', OUTSIDE), 'images/b/test.sh': 'true\n' }, [said('test.sh: warning: nobody may execute it, so the test fails: chmod +x [test-not-executable]')]],
    ['a test that an interpreter runs', { ...production('b', OUTSIDE), 'images/b/test.sh': 'true\n' }, [], 'verify_args: ["{path}/x.sh", "{image}"]'],
    ['apt_remove behind a proxy', production('b', `${OUTSIDE}\nRUN {{ "gcc"|apt_remove }}`), [said('Dockerfile.template:2: note: behind a proxy, docker-pkg\'s text of apt_remove reads "&& \\apt-get update" on one line: it works, and looks as if a line break were missing [apt-remove-proxy]')], 'http_proxy: http://proxy.example.org:3128'],
    ['apt_remove without a proxy', production('b', `${OUTSIDE}\nRUN {{ "gcc"|apt_remove }}`), []],
  ])('%s', async (...row) => expect(await linesOf(row)).toEqual(row[2]));
});

describe('what building says', () => {
  it('is found beside the rest, and with its image where there is one', async () => {
    const { findings } = await lintInMemory({ ...production('b', 'FROM {{ nope }}'), 'images/c/Dockerfile.template': OUTSIDE, 'images/c/changelog': 'nonsense\n', ...production('d', `${OUTSIDE}\nRUM x`) });
    expect(findings.map(({ rule, level, path, line, image }) => [rule, level, path, line, image])).toEqual([
      ['definition', 'error', 'images/b/Dockerfile.template', 1, 'b'],
      ['definition', 'error', 'images/c/changelog', 1, undefined],
      ['dockerfile-mistake', 'warning', 'images/d/Dockerfile.template', 2, 'd'],
    ]);
  });
  it('belongs to the innermost image', async () => {
    const { findings } = await lintInMemory({ ...production('b', OUTSIDE), 'images/b/c/Dockerfile.template': 'FROM {{ nope }}', 'images/b/c/changelog': changelogOf('c', '1') });
    expect(findings.map(({ rule, image }) => [rule, image])).toEqual([['definition', 'c']]);
  });
  it('a fault of the rendered Dockerfile is at the line of the template', async () => {
    expect((await lintInMemory(production('b', `{% set x = 1 %}\n{# \n#}\n${OUTSIDE}\nCOPY --from=$NOPE a b`))).lines).toEqual(['images/b/Dockerfile.template:5: error: no ARG of this stage gives NOPE a value [definition]']);
  });
});

describe('switching off', () => {
  const wrong = `${OUTSIDE}\nUSER web\nRUM x`;
  it.each<Case>([
    ['for one image', { ...production('b', wrong, 'Package: b\nX-Lint-Ignore: dockerfile-mistake,\n non-numeric-user\n'), ...production('c', wrong) }, ['images/c/Dockerfile.template:2: note: USER web is not numeric: Kubernetes cannot tell whether it is root [non-numeric-user]', 'images/c/Dockerfile.template:3: warning: Unknown instruction: RUM [dockerfile-mistake]']],
    ['for the tree', production('b', wrong), [], 'lint:\n  ignore: [dockerfile-mistake, non-numeric-user]'],
    ['a rule that there is not', production('b', OUTSIDE, 'Package: b\nX-Lint-Ignore: x\n stale-parents\n'), ['config.yaml:3: warning: lint has no rule "old-tags" (near: old-tag) [unknown-rule]', 'images/b/control:2: warning: lint has no rule "x" [unknown-rule]', 'images/b/control:3: warning: lint has no rule "stale-parents" (near: stale-parent) [unknown-rule]'], 'lint:\n  ignore: [old-tags]'],
    ['a rule that cannot be', production('b', 'FROM'), ['config.yaml:2: warning: "definition" cannot be switched off [unknown-rule]', 'images/b/Dockerfile.template:1: error: FROM names no image [definition]'], 'lint: { ignore: [definition] }'],
  ])('%s', async (...row) => expect(await linesOf(row)).toEqual(row[2]));
});

describe('changes that no changelog entry tells of', () => {
  const b = { ...production('b', OUTSIDE), 'images/b/x': 'x' };
  const commit = (name: string, ...paths: readonly string[]) => ({ commit: name === '' ? undefined : name.repeat(40), paths });
  const FIRST = commit('1', 'b/changelog', 'b/Dockerfile.template', 'b/x', 'b/control');
  const told = (what: string, where: string): readonly string[] => [`images/b/changelog:1: warning: no entry tells of what changed since: ${what} (${where}) [changed-without-changelog]`];
  it.each([
    ['nothing', [FIRST], []],
    ['a later commit', [commit('2', 'b/x'), FIRST], told('images/b/x', 'commit 222222222222')],
    ['two later commits: the newest is named', [commit('3', 'b/Dockerfile.template'), commit('2', 'b/x'), FIRST], told('images/b/Dockerfile.template and 1 more', 'commit 333333333333')],
    ['what is not committed', [commit('', 'b/x'), FIRST], told('images/b/x', 'not committed')],
    ['an entry that is not committed tells of all', [commit('', 'b/changelog', 'b/x'), commit('2', 'b/x'), FIRST], []],
    ['a later entry tells of what was before', [commit('3', 'b/changelog'), commit('2', 'b/x'), FIRST], []],
    ['control and test.sh are not built', [commit('2', 'b/control', 'b/test.sh'), FIRST], []],
    ['a file that is no more', [commit('2', 'b/gone'), FIRST], told('images/b/gone', 'commit 222222222222')],
    ['a file of another image', [commit('2', 'c/x', 'other'), FIRST], []],
    ['an image whose changelog is not under git', [commit('2', 'b/x')], []],
  ])('%s', async (_, changes, lines) => expect((await lintInMemory(b, configOf(), changes)).lines).toEqual(lines));
  it('a definition inside another one is its own', async () => {
    const nested = { ...b, 'images/b/c/Dockerfile.template': OUTSIDE, 'images/b/c/changelog': changelogOf('c', '1') };
    expect((await lintInMemory(nested, configOf(), [commit('2', 'b/c/Dockerfile.template'), commit('1', 'b/changelog', 'b/c/changelog')])).lines).toEqual(['images/b/c/changelog:1: warning: no entry tells of what changed since: images/b/c/Dockerfile.template (commit 222222222222) [changed-without-changelog]']);
  });
  it('commits are read until every changelog was met, and no further', async () => {
    let read = 0;
    const told = async function* (): AsyncIterable<Change> {
      for (const change of [commit('3', 'b/x'), FIRST, commit('0', 'b/x')]) {
        read++;
        yield change;
      }
    };
    const { subjects } = await lintInMemory(b);
    const changed = await changedSince(subjects.map(({ definition }) => definition), told(), filesInMemory(b));
    expect([read, [...changed.keys()]]).toEqual([2, ['b']]);
  });
  it('of a base image only the recipe counts', async () => {
    const base = { 'images/t/rootfs.yaml': 'suite: trixie\n', 'images/t/changelog': changelogOf('t', '1'), 'images/t/readme': 'x' };
    const lines = async (path: string): Promise<number> => (await lintInMemory(base, configOf(), [commit('2', path), commit('1', 't/changelog')])).lines.length;
    expect([await lines('t/readme'), await lines('t/rootfs.yaml')]).toEqual([0, 1]);
  });
});

describe('a tree in the layout of Toolforge', () => {
  it('a file that several images take is said once', async () => {
    const template = `${OUTSIDE}\nCOPY keys /keys`;
    const files = { 'images/a/Dockerfile.template': template, 'images/b/Dockerfile.template': template, 'images/keys/id': KEY };
    expect((await lintInMemory(files, configOf('layout: toolforge\nimage_prefix: toolforge\ntag: latest'))).lines).toEqual(['images/keys/id:1: error: holds a private key [secret-in-file]']);
  });
  it('has no control and names its images by hand', async () => {
    const files = { 'images/a/Dockerfile.template': OUTSIDE, 'images/b/Dockerfile.template': `FROM ${HOST}/toolforge-a:latest\nRUM x` };
    expect((await lintInMemory(files, configOf('layout: toolforge\nimage_prefix: toolforge\ntag: latest'))).lines).toEqual(['images/b/Dockerfile.template:2: warning: Unknown instruction: RUM [dockerfile-mistake]']);
  });
});
