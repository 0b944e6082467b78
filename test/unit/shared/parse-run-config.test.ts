import { describe, expect, it } from '@jest/globals';
import { fileOf } from '../../../src/shared/config.js';
import { parseRunConfig } from '../../../src/shared/parse-run-config.js';
import { formatProblem } from '../../../src/shared/problem.js';

const DIRECTORIES = ['a/images', 'b', 'b/inner', '/c', '/cd'];

/** Reads the run's config of some files; `user.yaml` lies below all of them. */
function read(files: Readonly<Record<string, string>>, named = 'conf/trees.yaml') {
  const under = files['user.yaml'] === undefined ? [] : [{ path: 'user.yaml', text: files['user.yaml'] }];
  return parseRunConfig({ path: named, text: files[named]! }, under, 'images', {
    read: (path) => (files[path] === undefined ? { fault: 'there is no such file' } : { text: files[path] }),
    isDirectory: (path) => DIRECTORIES.includes(path),
  });
}

function right(files: Readonly<Record<string, string>>, named?: string) {
  const checked = read(files, named);
  if (!checked.ok) throw new Error(checked.problems.map(formatProblem).join('\n'));
  return { run: checked.value, said: checked.warnings.map(formatProblem) };
}

const problemsOf = (files: Readonly<Record<string, string>>, named?: string): readonly string[] => {
  const checked = read(files, named);
  return (checked.ok ? checked.warnings : checked.problems).map(formatProblem);
};

const TREES = 'trees:\n  - { name: a, directory: ../a/images, config: ../a/config.yaml }\n  - name: b\n    directory: ../b\n    config: b.yaml\n';
const BOTH = { 'conf/trees.yaml': TREES, 'a/config.yaml': 'registry: a.example.org\nnamespace: ns\n', 'conf/b.yaml': 'registry: b.example.org\n' };

describe('the config of one tree', () => {
  it('is called by its folder, and its keys are those of the run', () => {
    const { run } = right({ 'config.yaml': 'registry: a.example.org\njobs: 3\nmin_free: 1GB\nengine_cache: 2GB\nplatform: linux/amd64\n' }, 'config.yaml');
    expect(run).toMatchObject({ path: 'config.yaml', jobs: 3, minFree: 1e9, engineCache: 2e9, platform: 'linux/amd64', trees: [{ name: 'images', directory: 'images', config: { registry: 'a.example.org' } }] });
  });

  it("takes what it does not say from the user's file, each key whole", () => {
    const { run, said } = right({ 'config.yaml': 'registry: a.example.org\nknown_uid_mappings: {app: 1}\n', 'user.yaml': 'registry: u.example.org\nnamespace: theirs\nknown_uid_mappings: {db: 2}\nword: hello\n' }, 'config.yaml');
    const { config } = run.trees[0]!;
    expect(config).toMatchObject({ registry: 'a.example.org', namespace: 'theirs', knownUidMappings: { app: 1 }, under: [{ path: 'user.yaml', keys: ['namespace', 'word'] }] });
    expect(config.variables).toMatchObject({ registry: 'a.example.org', namespace: 'theirs', word: 'hello', known_uid_mappings: { app: 1 } });
    expect(said).toEqual([]);
    expect(['word', 'registry', 'nowhere'].map((key) => fileOf(config, key))).toEqual(['user.yaml', 'config.yaml', 'config.yaml']);
  });

  it("takes a password from the user's file and the user name from its own, and makes no variable of either", () => {
    const { config } = right({ 'config.yaml': 'registry: a.example.org\nusername: builder\n', 'user.yaml': 'password: hush\n' }, 'config.yaml').run.trees[0]!;
    expect(config.credentials).toEqual({ username: 'builder', password: 'hush' });
    expect(JSON.stringify(config.variables)).not.toMatch(/builder|hush/);
  });

  it("says nothing where it says nothing: an empty key is not the user's", () => {
    const { config } = right({ 'config.yaml': 'registry: a.example.org\nusername:\npassword:\nhttp_proxy:\n', 'user.yaml': 'username: builder\npassword: hush\nhttp_proxy: "http://proxy.example.org"\n' }, 'config.yaml').run.trees[0]!;
    expect([config.credentials, config.httpProxy, config.variables['http_proxy']]).toEqual([undefined, undefined, null]);
  });

  it.each([
    ["a key of the user's file", { 'config.yaml': 'registry: a.example.org\n', 'user.yaml': '\njobs: none\nbase_image: [x]\n' }, ['user.yaml:3: unknown key "base_image" is taken as a template variable (near: base_images)  [warning]', 'user.yaml:2: jobs must be a whole number of at least 1, not text']],
    ['half of a login', { 'config.yaml': 'registry: a.example.org\n', 'user.yaml': '\npassword: hush\n' }, ['user.yaml:2: password is set, but username is not: publishing with credentials from the config needs both']],
    ["a proxy's password", { 'config.yaml': 'registry: a.example.org\n', 'user.yaml': 'http_proxy: "http://me:hush@proxy.example.org"\n' }, ['user.yaml:1: http_proxy holds credentials; they are left out, since templates, logs and images would show them  [warning]']],
    ['a number that YAML changes', { 'config.yaml': 'registry: a.example.org\n', 'user.yaml': 'go: 1.10\n' }, ['user.yaml:1: 1.10 is a number and renders as 1.1: put it in quotes  [warning]']],
    ['what is overridden is not looked at', { 'config.yaml': 'registry: a.example.org\njobs: 1\ngo: "1.10"\n', 'user.yaml': 'jobs: none\ngo: 1.10\n' }, []],
    ['a secret without an id', { 'config.yaml': 'registry: a.example.org\n', 'user.yaml': '\nbuild_secrets: ["src=x"]\n' }, ['user.yaml:2: build_secrets: item 1 has no id, by which a Dockerfile names it: "id=npm,src=./token"']],
    ['no mapping', { 'config.yaml': 'registry: a.example.org\n', 'user.yaml': '- a\n' }, ['user.yaml:1: the file must be a mapping ("key: value"), not a list']],
    ['no YAML in both', { 'config.yaml': 'a: [\n', 'user.yaml': 'b: {\n' }, [expect.stringMatching(/^config\.yaml:2: not YAML: /), expect.stringMatching(/^user\.yaml:2: not YAML: /)]],
    ['trees', { 'config.yaml': 'registry: a.example.org\n', 'user.yaml': '\ntrees: []\n' }, ['user.yaml:2: trees are listed in the config that is named with -c']],
    ['another driver', { 'config.yaml': 'registry: a.example.org\ndriver: containerd\n' }, ['config.yaml:2: driver "containerd" is not supported: images are built by a Docker engine ("docker")']],
    ['an empty driver', { 'config.yaml': 'registry: a.example.org\ndriver:\n' }, ['config.yaml:2: driver must be text, not nothing']],
  ])('%s: problems name the file', (_, files, problems) => expect(problemsOf(files as unknown as Record<string, string>, 'config.yaml')).toEqual(problems));
});

describe('several trees', () => {
  it('have a config each, paths relative to the file that lists them', () => {
    const { run, said } = right(BOTH);
    expect(run.trees).toMatchObject([
      { name: 'a', directory: 'a/images', config: { path: 'a/config.yaml', registry: 'a.example.org', namespace: 'ns' } },
      { name: 'b', directory: 'b', config: { path: 'conf/b.yaml', registry: 'b.example.org', namespace: undefined } },
    ]);
    expect(said).toEqual([]);
    expect(Object.keys(run.trees[0]!.config.variables)).not.toContain('trees');
  });

  it('paths may be absolute', () => {
    const { run } = right({ 'conf/trees.yaml': 'trees: [{ name: c, directory: /c, config: /c.yaml }]\n', '/c.yaml': 'registry: c.example.org\n' });
    expect(run.trees).toMatchObject([{ directory: '/c', config: { path: '/c.yaml' } }]);
  });

  it("below each lies the list's file, and below that the user's", () => {
    const { run } = right({ ...BOTH, 'conf/trees.yaml': `${TREES}namespace: shared\nword: list\n`, 'user.yaml': 'word: user\napt_options: -q\n' });
    expect(run.trees.map(({ config }) => [config.namespace, config.variables['word'], config.aptOptions])).toEqual([['ns', 'list', '-q'], ['shared', 'list', '-q']]);
    expect(run.trees[1]!.config.under.map(({ path }) => path)).toEqual(['conf/trees.yaml', 'user.yaml']);
  });

  it("keys of the run are the list's, then the user's, never a tree's", () => {
    const { run } = right({ ...BOTH, 'conf/trees.yaml': `${TREES}min_free: 3GB\n`, 'conf/b.yaml': 'registry: b.example.org\njobs: 9\nmin_free: 1GB\nengine_cache: 1GB\n', 'user.yaml': 'jobs: 4\n' });
    expect(run).toMatchObject({ path: 'conf/trees.yaml', jobs: 4, minFree: 3e9, engineCache: undefined, platform: undefined });
  });

  it.each([
    ['a name twice', { ...BOTH, 'conf/trees.yaml': TREES.replace('name: b', 'name: a') }, ['conf/trees.yaml:3: the name "a" stands already on line 2']],
    ['a folder that is not there', { ...BOTH, 'conf/trees.yaml': TREES.replace('../b\n', '../none\n') }, ['conf/trees.yaml:4: there is no directory none']],
    ['a config that is not there', { ...BOTH, 'conf/trees.yaml': TREES.replace('b.yaml', 'none.yaml') }, ['conf/trees.yaml:5: the config conf/none.yaml of tree "b": there is no such file']],
    ['a config that is wrong', { ...BOTH, 'conf/b.yaml': 'registry: ""\n' }, ['conf/b.yaml:1: registry is empty: images need a registry']],
    ['a config without a registry', { ...BOTH, 'conf/b.yaml': 'namespace: b\n' }, ['conf/b.yaml: registry is missing: the host that images are pushed to ("registry.example.org")']],
    ['a config with trees of its own', { ...BOTH, 'conf/b.yaml': `registry: b.example.org\n${TREES}` }, ['conf/b.yaml:2: this is the config of tree "b" in conf/trees.yaml: it can have no trees of its own']],
    ['itself as a config', { ...BOTH, 'conf/trees.yaml': TREES.replace('b.yaml', 'trees.yaml') }, ['conf/trees.yaml:1: this is the config of tree "b" in conf/trees.yaml: it can have no trees of its own']],
    ['a folder in a folder', { ...BOTH, 'conf/trees.yaml': `${TREES}  - { name: c, directory: ../b/inner, config: b.yaml }\n` }, ['conf/trees.yaml:6: b/inner and b of tree "b" lie in one another: each definition is of one tree']],
    ['a folder around a folder', { ...BOTH, 'conf/trees.yaml': 'trees:\n  - { name: c, directory: ../b/inner, config: b.yaml }\n  - { name: b, directory: ../b, config: b.yaml }\n' }, ['conf/trees.yaml:3: b and b/inner of tree "c" lie in one another: each definition is of one tree']],
    ['folders that only begin alike', { ...BOTH, 'conf/trees.yaml': 'trees:\n  - { name: c, directory: /c, config: b.yaml }\n  - { name: cd, directory: /cd, config: b.yaml }\n' }, []],
    ['a folder twice', { ...BOTH, 'conf/trees.yaml': TREES.replace('../b\n', '../a/images/\n').replace('../a/images/\n', '../a/images\n') }, ['conf/trees.yaml:4: a/images and a/images of tree "a" lie in one another: each definition is of one tree']],
    ['a directory that is empty, which leaves no tree out', { ...BOTH, 'conf/trees.yaml': 'trees:\n  - name: a\n    directory: ../a/images\n    config: ../a/config.yaml\n  - name: b\n    directory: ""\n    config: ""\n' }, ['conf/trees.yaml:6: trees.directory is empty', 'conf/trees.yaml:7: trees.config is empty']],
    ['an item that lacks something', { ...BOTH, 'conf/trees.yaml': 'trees:\n  - name: a\n    directory: ../b\n' }, ['conf/trees.yaml:2: this tree has no config: each has a name, a directory and a config']],
    ['a key that is none', { ...BOTH, 'conf/trees.yaml': `${TREES}    registry: x\n` }, ['conf/trees.yaml:6: trees.registry is no key of a tree (there are: name, directory, config; all else belongs into its config)']],
    ['an odd name', { ...BOTH, 'conf/trees.yaml': TREES.replace('name: b', 'name: "b c"') }, ['conf/trees.yaml:3: trees.name is no name of a tree (letters, digits, . _ -)']],
    ['no trees', { 'conf/trees.yaml': 'trees: []\n' }, ['conf/trees.yaml:1: trees is empty: a run has at least one tree']],
    ['no list', { 'conf/trees.yaml': 'trees: a\n' }, ['conf/trees.yaml:1: trees must be a list, not text']],
    ['another platform', { ...BOTH, 'conf/b.yaml': 'registry: b.example.org\nplatform: linux/arm64\n' }, ['conf/b.yaml: platform is linux/arm64, but not set in conf/trees.yaml: all images of a run are for one platform']],
    ["one platform, the list's", { ...BOTH, 'conf/trees.yaml': `${TREES}platform: linux/arm64\n` }, []],
    ['what is wrong below all of them, once', { ...BOTH, 'conf/trees.yaml': `${TREES}jobs: 0\napt_option: x\n` }, ['conf/trees.yaml:6: jobs must be a whole number of at least 1', 'conf/trees.yaml:7: unknown key "apt_option" is taken as a template variable (near: apt_options)  [warning]']],
  ])('%s', (_, files, problems) => expect(problemsOf(files as Record<string, string>)).toEqual(problems));
});
