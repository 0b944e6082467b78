import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openScenario, type Scenario } from '../support/scenario.js';

const MACROS = `{##
 # Keeps some words in a file.
 #}
{% macro keep(words, into='/words') -%}
RUN echo{% for word in words %}
 {{ word }}
  {%- endfor %}
 > {{ into }}
{%- endmacro %}
`;

const NAMES = ['toolforge-base', 'toolforge-python-base', 'toolforge-python-web'];

describe('a tree in the layout of Toolforge', () => {
  let scenario: Scenario;
  const configure = (tag: string): void => scenario.write('config.yaml', `registry: ${scenario.host}/test\nlayout: toolforge\ntag: ${tag}\npublish: true\nallowed_sources: ["*"]\n`);
  const planned = async (): Promise<Readonly<Record<string, string>>> => {
    const { steps } = JSON.parse((await scenario.run(['plan', '--json'])).stdout) as { steps: { image: string; action: string }[] };
    return Object.fromEntries(steps.map(({ image, action }) => [image, action]));
  };
  const all = (action: string): Readonly<Record<string, string>> => Object.fromEntries(NAMES.map((name) => [name, action]));

  beforeAll(async () => {
    scenario = await openScenario();
    configure('testing');
    scenario.write('images/macros.jinja2', MACROS);
    scenario.write('images/shared/runner', 'run\n', 0o755);
    scenario.write('images/README.md', 'read me\n');
    scenario.write('images/base/list', 'listed\n');
    scenario.write('images/base/Dockerfile.template', `{%- import 'macros.jinja2' as macros -%}\nFROM ${scenario.base}\n{{ macros.keep(["a", "b"]) }}\nCOPY {{image_path}}/list /list\n  {# the end #}\n`);
    scenario.write('images/python/base/Dockerfile.template', 'FROM {{registry}}/{{image_prefix}}-base:{{tag}}\nRUN cat /list > /python\n');
    scenario.write('images/python/web/Dockerfile.template', 'FROM {{registry}}/{{image_prefix}}-python-base:{{tag}}\nCOPY shared/runner /usr/bin/\nRUN ls -A / > /listing\n');
  }, 120_000);
  afterAll(() => scenario.close());

  it('is listed by paths, parents from FROM alone', async () => {
    const listed = JSON.parse((await scenario.run(['list', '--json'])).stdout) as { path: string; ref: string; parents: string[] }[];
    const ref = (name: string): string => `${scenario.host}/test/${name}:testing`;
    expect(listed).toMatchObject([
      { path: 'base', ref: ref(NAMES[0]!), parents: [scenario.base] },
      { path: 'python/base', ref: ref(NAMES[1]!), parents: [ref(NAMES[0]!)] },
      { path: 'python/web', ref: ref(NAMES[2]!), parents: [ref(NAMES[1]!)] },
    ]);
  });

  it('renders with trimmed blocks', async () => {
    expect((await scenario.run(['render', 'toolforge-base'])).stdout).toBe(`FROM ${scenario.base}\nRUN echo a b > /words\nCOPY base/list /list\n\n`);
  });

  it('is built with the root as context, and published under the day and the config\'s tag', async () => {
    const ended = await scenario.run([]);
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect(ended.stdout).toMatch(/:testing +→ \d{8}\n/);
    expect(ended.stdout).toContain(':testing moved for 3 images.');
    expect(await scenario.localTags()).toEqual(expect.arrayContaining(NAMES.map((name) => `${scenario.host}/test/${name}:testing`)));
    for (const name of NAMES) expect(await scenario.tags(name)).toEqual([expect.stringMatching(/^\d{8}$/), 'testing']);
    expect([await scenario.fileIn(NAMES[2]!, 'testing', '/words'), await scenario.fileIn(NAMES[2]!, 'testing', '/python'), await scenario.fileIn(NAMES[2]!, 'testing', '/usr/bin/runner')]).toEqual(['a b\n', 'listed\n', 'run\n']);
  }, 120_000);

  it('is up to date then, whatever changes that no image takes', async () => {
    expect(await planned()).toEqual(all('keep'));
    scenario.write('images/README.md', 'read this\n');
    scenario.write('images/shared/other', 'not taken\n');
    expect(await planned()).toEqual(all('keep'));
  }, 60_000);

  it('goes under another tag without a build', async () => {
    configure('latest');
    expect(await planned()).toEqual(all('promote'));
    expect(await scenario.run([])).toMatchObject({ code: 0 });
    for (const name of NAMES) expect(await scenario.digest(name, 'latest')).toBe(await scenario.digest(name, 'testing'));
    configure('testing');
  }, 60_000);

  it('is built where a file changes that an image takes, and below it', async () => {
    scenario.write('images/shared/runner', 'run faster\n', 0o755);
    expect(await planned()).toEqual({ ...all('keep'), [NAMES[2]!]: 'build' });
    scenario.write('images/base/list', 'listed anew\n');
    expect(await planned()).toEqual(all('build'));
    expect(await scenario.run([])).toMatchObject({ code: 0 });
    expect(await scenario.fileIn(NAMES[2]!, 'testing', '/python')).toBe('listed anew\n');
    expect(await scenario.digest(NAMES[2]!, 'latest')).not.toBe(await scenario.digest(NAMES[2]!, 'testing'));
  }, 120_000);

  it('makes one graph with a tree of docker-pkg\'s', async () => {
    scenario.write('prod.yaml', `registry: ${scenario.host}\nnamespace: base\nallowed_sources: ["*"]\n`);
    scenario.write('prod/os/Dockerfile.template', `FROM ${scenario.base}\n`);
    scenario.write('prod/os/changelog', 'os (1.0-1) trixie; urgency=medium\n\n  * An entry.\n\n -- Tester <tester@example.org>  Thu, 01 Jan 2026 10:00:00 +0000\n');
    scenario.write('images/base/Dockerfile.template', 'FROM {{ "os" | image_tag }}\nCOPY {{image_path}}/list /list\n');
    scenario.write('trees.yaml', 'trees:\n  - { name: prod, directory: prod, config: prod.yaml }\n  - { name: toolforge, directory: images, config: config.yaml }\n');
    const listed = JSON.parse((await scenario.run(['-c', 'trees.yaml', 'list', '--json'])).stdout) as { image: string; tree: string; parents: string[] }[];
    expect(listed.map(({ image }) => image)).toEqual(['base/os', ...NAMES]);
    expect(listed[1]!.parents).toEqual([`${scenario.host}/base/os:1.0-1`]);
  }, 60_000);

  it('is refused where the config names no layout that there is', async () => {
    scenario.write('config.yaml', `registry: ${scenario.host}\nlayout: toolforg\n`);
    expect(await scenario.run(['list'])).toMatchObject({ code: 3, stdout: '', stderr: expect.stringMatching(/^config\.yaml:2: layout "toolforg" is no layout \(near: toolforge\)\n/) });
  });
});
