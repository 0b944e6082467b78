import { describe, expect, it } from '@jest/globals';
import { parseConfig } from '../../../src/shared/parse-config.js';
import { formatProblem } from '../../../src/shared/problem.js';

const read = (...items: readonly string[]) => parseConfig('config.yaml', `registry: localhost\nbuild_secrets:\n${items.map((item) => `  - ${item}\n`).join('')}`);

describe('build_secrets', () => {
  it.each([
    ['id=npm,src=./token', { id: 'npm', from: { file: './token' } }],
    ['id=npm,source=./token,type=file', { id: 'npm', from: { file: './token' } }],
    ['id=npm,env=NPM_TOKEN', { id: 'npm', from: { variable: 'NPM_TOKEN' } }],
    ['type=env,id=npm,env=NPM_TOKEN', { id: 'npm', from: { variable: 'NPM_TOKEN' } }],
    ['type=env,id=npm,src=NPM_TOKEN', { id: 'npm', from: { variable: 'NPM_TOKEN' } }],
    ['type=env,id=NPM_TOKEN', { id: 'NPM_TOKEN', from: { variable: 'NPM_TOKEN' } }],
    ['type=file,id=token', { id: 'token', from: { file: 'token' } }],
    ['id=NPM_TOKEN', { id: 'NPM_TOKEN', from: 'its-name' }],
    ['ID=npm, Src=a=b', { id: 'npm', from: { file: 'a=b' } }],
  ])('%s', (text, secret) => {
    const config = read(text);
    expect(config.ok && config.value.buildSecrets).toEqual([{ ...secret, path: 'config.yaml', line: 3 }]);
  });

  it.each([
    [['s3cret'], ['3: build_secrets: item 1 is not made of "key=value", divided by commas: "id=npm,src=./token"']],
    [['id=npm,value=s3cret'], ['3: build_secrets: item 1 has the key "value"; there are: id, src, env, type']],
    [['src=s3cret'], ['3: build_secrets: item 1 has no id, by which a Dockerfile names it: "id=npm,src=./token"']],
    [['id=npm,src=a,src=s3cret'], ['3: build_secrets: item 1 has "src" twice']],
    [['id=npm,src=a,source=s3cret'], ['3: build_secrets: item 1 has "src" twice']],
    [['id=npm,src=s3cret,env=B'], ['3: build_secrets: item 1 has both src and env']],
    [['id=npm,src='], ['3: build_secrets: item 1 has an empty src']],
    [['id=npm,env='], ['3: build_secrets: item 1 has an empty env']],
    [['id=npm,type=ssh'], ['3: build_secrets: item 1 has a type that is neither file nor env']],
    [['id=a,src=x', 'id=b,src=x', 'id=a,env=X', '1'], ['6: build_secrets: item 4 must be text, not a number']],
    [['id=a,src=x', 'id=b,src=x', 'id=a,env=X'], ['5: build_secrets: "a" stands already on line 3']],
  ])('%j: all that is wrong, and nothing of what may be secret', (items, problems) => {
    const config = read(...items);
    const said = config.ok ? [] : config.problems.map(formatProblem);
    expect(said).toEqual(problems.map((problem) => `config.yaml:${problem}`));
    expect(said.join()).not.toContain('s3cret');
  });
});
