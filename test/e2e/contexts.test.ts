import { rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openScenario, type Scenario } from '../support/scenario.js';

type Listed = readonly { readonly path: string; readonly image: string; readonly parents: readonly string[] }[];

const listed = async (scenario: Scenario): Promise<Listed> => JSON.parse((await scenario.run(['list', '--json'])).stdout) as Listed;

describe('the folder of a definition', () => {
  let scenario: Scenario;
  beforeAll(async () => {
    scenario = await openScenario();
    scenario.define('outer', { lines: ['COPY . /all', 'RUN ls -A /all > /listing; cat /all/conf > /conf'], files: { 'kept.txt': 'kept\n', 'left-out.key': 'key\n', 'sub/deep.key': 'key\n', '.dockerignore': '**/*.key\n' } });
    scenario.define('outer/inner', { versions: ['1'], control: [] });
    scenario.write('images/outer/inner/changelog', 'inner (1) trixie; urgency=medium\n\n  * An entry.\n\n -- Tester <tester@example.org>  Thu, 01 Jan 2026 10:00:00 +0000\n');
    scenario.write('images/outer/inner/control', 'Package: inner\n');
    scenario.write('shared/common.conf', 'common\n');
    scenario.write('images/shared.conf', 'shared\n');
    symlinkSync('../shared.conf', join(scenario.directory, 'images/outer/conf'));
    for (const hidden of ['.hidden', '.git-like/x']) scenario.define(hidden, { versions: ['1'] });
    symlinkSync('outer', join(scenario.directory, 'images/linked'));
    scenario.write('images/notes/Dockerfile.template', 'FROM nowhere.example.org/x:1\n');
  }, 120_000);
  afterAll(() => scenario.close());

  it('may hold other definitions; hidden folders and linked ones are not entered', async () => {
    expect((await listed(scenario)).map(({ path, image }) => `${path} ${image}`).sort()).toEqual(['outer test/outer', 'outer/inner test/inner']);
  });

  it('without a changelog is skipped, with a note under --verbose', async () => {
    const note = 'images/notes: skipped, it has no changelog (and its control does not say "Rolling: yes")\n';
    expect((await scenario.run(['list'])).stderr).toBe('');
    expect(await scenario.run(['list', '--verbose'])).toMatchObject({ code: 0, stderr: note });
  });

  it('is the build context: links are replaced by what they name, .dockerignore is respected', async () => {
    const ended = await scenario.run([]);
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    const listing = (await scenario.fileIn('outer', 'latest', '/listing')).trim().split('\n').sort();
    expect(listing).toEqual(['.dockerignore', 'Dockerfile.template', 'conf', 'control', 'inner', 'kept.txt', 'sub']);
    expect(await scenario.fileIn('outer', 'latest', '/conf')).toBe('shared\n');
    expect(await scenario.fileIn('outer', 'latest', '/all/conf')).toBe('shared\n');
    await expect(scenario.fileIn('outer', 'latest', '/all/sub/deep.key')).rejects.toThrow();
  }, 120_000);

  it('counts with what its links name, and without what is ignored or belongs to a definition inside it', async () => {
    const pending = async (): Promise<number | null> => (await scenario.run(['plan', '--check'])).code;
    expect(await pending()).toBe(0);
    scenario.write('images/outer/inner/more.txt', 'more\n');
    scenario.write('images/outer/left-out.key', 'another key\n');
    scenario.write('images/outer/test.sh', '#!/bin/bash\ntrue\n', 0o755);
    scenario.write('images/outer/control', 'Package: outer\nRolling: yes\nDescription: now with words\n');
    expect(await pending()).toBe(0);
    scenario.write('images/outer/kept.txt', 'kept\n', 0o755);
    expect(await pending()).toBe(10);
    scenario.write('images/outer/kept.txt', 'kept\n');
    expect(await pending()).toBe(0);
    scenario.write('images/shared.conf', 'changed\n');
    expect(await pending()).toBe(10);
  }, 60_000);

  it('may not link beyond the source tree: with git that is the work tree', async () => {
    symlinkSync('../../shared/common.conf', join(scenario.directory, 'images/outer/far'));
    const outside = await scenario.run(['plan']);
    expect(outside).toMatchObject({ code: 3, stdout: '' });
    expect(outside.stderr).toMatch(/^images\/outer\/far: this link leads out of the source tree\n/);
    await scenario.git('init', '--quiet');
    expect((await scenario.run(['plan'])).code).toBe(0);
    rmSync(join(scenario.directory, 'images/outer/far'));
  }, 60_000);
});

describe('what a Dockerfile takes from the tree', () => {
  let scenario: Scenario;
  const ref = (name: string, tag: string): string => `${scenario.host}/test/${name}:${tag}`;
  beforeAll(async () => {
    scenario = await openScenario();
    scenario.define('tool', { versions: ['1'], lines: ['RUN echo tool > /tool'] });
    scenario.define('data', { lines: ['RUN echo data > /data'] });
    scenario.define('many', {
      versions: ['1'],
      lines: [
        'FROM {{ "tool" | image_tag }} AS build',
        'RUN cat /tool > /built',
        'FROM {{ registry }}/{{ namespace }}/base-of-many',
        'COPY --from=build /built /built',
        'COPY --from={{ "data" | image_tag }} /data /copied',
        'RUN --mount=type=bind,from={{ "data" | image_tag }},target=/mnt cat /mnt/data > /mounted',
      ],
    });
    scenario.define('base-of-many', { versions: ['7'], lines: ['RUN echo base > /base'] });
    scenario.define('by-argument', { versions: ['1'] });
    scenario.write('images/by-argument/Dockerfile.template', 'ARG NAME={{ registry }}/{{ namespace }}/tool\nARG BASE=${NAME}:1\nFROM ${BASE}\nRUN cat /tool > /seen\n');
    scenario.define('by-name', { versions: ['1'], lines: ['FROM {{ registry }}/test/tool', 'RUN cat /tool > /seen'] });
  }, 120_000);
  afterAll(() => scenario.close());

  it('makes edges: FROM, ARG in FROM, COPY --from, RUN --mount, and names without a tag', async () => {
    const parents = new Map((await listed(scenario)).map((entry) => [entry.image, entry.parents]));
    expect(parents.get('test/many')).toEqual([ref('base-of-many', '7'), ref('data', 'latest'), ref('tool', '1')]);
    expect(parents.get('test/by-argument')).toEqual([ref('tool', '1')]);
    expect(parents.get('test/by-name')).toEqual([ref('tool', '1')]);
  });

  it('is what this run built of it', async () => {
    const ended = await scenario.run([]);
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect(ended.stdout).toMatch(/6 published/);
    const files = { '/built': 'tool\n', '/copied': 'data\n', '/mounted': 'data\n', '/base': 'base\n' };
    for (const [path, text] of Object.entries(files)) expect(await scenario.fileIn('many', '1', path)).toBe(text);
    for (const name of ['by-argument', 'by-name']) expect(await scenario.fileIn(name, '1', '/seen')).toBe('tool\n');
    const recorded = JSON.parse((await scenario.labels('many', '1'))['build-images.parents']!) as unknown;
    expect(recorded).toEqual({
      [ref('base-of-many', '7')]: await scenario.digest('base-of-many', '7'),
      [ref('data', 'latest')]: await scenario.digest('data', 'latest'),
      [ref('tool', '1')]: await scenario.digest('tool', '1'),
    });
    expect((await scenario.labels('many', '1'))['org.opencontainers.image.base.name']).toBe(ref('base-of-many', '7'));
  }, 120_000);

  it('under another tag is an outside image', async () => {
    scenario.define('pinned', { versions: ['1'], lines: ['FROM {{ registry }}/test/tool:0.9'] });
    const ended = await scenario.run([]);
    expect(ended.code).toBe(1);
    expect(ended.stdout).toMatch(/pinned +FAILED +it stands on \S+\/test\/tool:0\.9, which its registry does not have/);
  }, 60_000);
});
