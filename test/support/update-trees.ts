import fc from 'fast-check';

/** A tree on disk, and what `update` is asked on it. */
export type UpdateCase = {
  /** Path below the tree's folder → text. */
  readonly files: Readonly<Record<string, string>>;
  /** Behind the verb: NAME and options. */
  readonly arguments: readonly string[];
  readonly env: Readonly<Record<string, string>>;
};

const HOST = 'registry.example.org:5000';
const index = fc.nat({ max: 999 });

type Image = { readonly version: string; readonly parents: readonly number[]; readonly field: string; readonly head: string; readonly older: string; readonly tail: string; readonly isNested: boolean };

const image = (mark: string): fc.Arbitrary<Image> =>
  fc.record({
    version: fc.tuple(fc.constantFrom('0', '1.0', '2.13.5', '20251101', '1..2', '01.2'), fc.constantFrom('', '-1', '-12-3'), fc.constantFrom('', '', `-${mark}1`, `-${mark}09`, `-${mark}99999999999999999999`)).map((parts) => parts.join('')),
    parents: fc.array(index, { maxLength: 3 }),
    field: fc.constantFrom('Depends', 'Build-Depends'),
    head: fc.constantFrom('', '', '', '\n', '# by hand\n', '\n/* old */\n\n'),
    older: fc.constantFrom('', '\n', '\n\n', '\n# note\n').chain((glue) => fc.constantFrom('', `${glue}NAME (0.1~rc1) unstable; urgency=low\n  [ Somebody ]\n  * Ünï → cödé\n\n -- Ünï Cödé <u@example.org>  Wed, 31 Dec 2025 10:00:00 -0330\n`)),
    tail: fc.constantFrom('', '', '\n', '\nvim: et\n'),
    isNested: fc.boolean(),
  });

/** Settings by the environment (git-config(1), "GIT_CONFIG_COUNT"). */
const GIT = { GIT_CONFIG_COUNT: '2', GIT_CONFIG_KEY_0: 'user.name', GIT_CONFIG_VALUE_0: 'Git Person', GIT_CONFIG_KEY_1: 'user.email', GIT_CONFIG_VALUE_1: 'git@example.org' };

const REASON = fc.constantFrom('Fixes', '* OpenSSL: CVE-2026-1', 'two\nlines', '  deeper\n    and deeper', 'Ünï → cödé', '-- no trailer');

const updateCase: fc.Arbitrary<UpdateCase> = fc
  .constantFrom('s', 'upd', 'wm2x')
  .chain((mark) =>
    fc.record({
      mark: fc.constant(mark),
      distribution: fc.constantFrom('wikimedia', 'trixie forky'),
      images: fc.array(image(mark), { minLength: 8, maxLength: 24 }),
      named: index,
      reason: fc.option(REASON, { nil: undefined }),
      version: fc.option(fc.constantFrom('99999999.0', '99999999.0-1-s7'), { nil: undefined, freq: 3 }),
      // DEBFULLNAME with neither DEBEMAIL nor git's address ends docker-pkg with a traceback.
      env: fc.constantFrom<Readonly<Record<string, string>>[]>({}, { DEBEMAIL: 'ann@example.org' }, { DEBFULLNAME: 'Ünï', DEBEMAIL: 'u@x' }, GIT, { ...GIT, DEBFULLNAME: 'Ann Example' }),
      fallback: fc.constantFrom('', 'fallback_author: Fall Back\nfallback_email: fall@back\n'),
    }),
  )
  .map(({ mark, distribution, images, named, reason, version, env, fallback }) => {
    // All of one length, none the other way round too: docker-pkg takes NAME for a part of any name.
    const nameOf = (at: number): string => `im-${String((at * 37 + 100) % 1000).padStart(3, '0')}`;
    const files: Record<string, string> = { 'config.yaml': `registry: ${HOST}\nnamespace: team\nbase_images: [${HOST}/debian:12]\nupdate_id: ${mark}\ndistribution: ${distribution}\n${fallback}` };
    const folders: string[] = [];
    for (const [at, { version: own, parents: wanted, field, head, older, tail, isNested }] of images.entries()) {
      const parents = at === 0 ? [] : [...new Set(wanted.map((parent) => parent % at))];
      const [first, ...others] = parents.map((parent) => `{{ "${nameOf(parent)}" | image_tag }}`);
      const folder = isNested && parents.length > 0 ? `${folders[parents[0]!]!}/deeper-${at}` : `images/group-${at % 3}/${at}`;
      folders.push(folder);
      const name = nameOf(at);
      files[`${folder}/Dockerfile.template`] = [`FROM ${first ?? '{{ "debian" | image_tag }}'}`, ...others.slice(0, 1).map((other) => `COPY --from=${other} /a /b`), ''].join('\n');
      files[`${folder}/control`] = `Package: ${name}\nMaintainer: A <a@b>\n${parents.length === 0 ? '' : `${field}: ${parents.map(nameOf).join(', ')}\n`}Description: x\n`;
      files[`${folder}/changelog`] = `${head}${name} (${own}) unstable; urgency=low\n\n  * An entry.\n\n -- Some Body <s@example.org>  Thu, 01 Jan 2026 10:00:00 +0000\n${older.replace('NAME', name)}${tail}`;
    }
    // One of the first few, so that much stands on it.
    const asked = [nameOf(named % Math.min(4, images.length)), ...(reason === undefined ? [] : [`--reason=${reason}`]), ...(version === undefined ? [] : ['--version', version])];
    return { files, arguments: asked, env };
  });

/** Trees that docker-pkg can update, the same ones every time. */
export const updateCases = (many: number): readonly UpdateCase[] => fc.sample(updateCase, { seed: 20261121, numRuns: many });
