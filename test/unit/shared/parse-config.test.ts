import { describe, expect, it } from '@jest/globals';

import { parseConfig } from '../../../src/shared/parse-config.js';
import { formatProblem } from '../../../src/shared/problem.js';

function read(text: string) {
  const checked = parseConfig('config.yaml', text);
  if (!checked.ok) throw new Error(checked.problems.map(formatProblem).join('\n'));
  return { config: checked.value, warnings: checked.warnings.map(formatProblem) };
}

function problemsOf(text: string): readonly string[] {
  const checked = parseConfig('config.yaml', text);
  return checked.ok ? [] : checked.problems.map(formatProblem);
}

describe('parseConfig', () => {
  it('a registry is enough; the rest is docker-pkg\'s defaults', () => {
    const { config, warnings } = read('registry: localhost:5000\n');
    expect(warnings).toEqual([]);
    const uids = { root: 0, 'www-data': 33, nobody: 65534 };
    const verify = { command: '/bin/bash', args: ['-c', '{path}/test.sh {image}'] };
    expect(config).toEqual({
      path: 'config.yaml',
      under: [],
      registry: 'localhost:5000',
      namespace: undefined,
      layout: { name: 'docker-pkg' },
      credentials: undefined,
      baseImages: [],
      aptOptions: '',
      httpProxy: undefined,
      aptProxy: undefined,
      caBundle: undefined,
      scanWorkers: 8,
      forceNumericUser: false,
      knownUidMappings: uids,
      verifyCommand: verify.command,
      verifyArgs: verify.args,
      publish: undefined,
      platform: undefined,
      allowedSources: undefined,
      insecureRegistries: [],
      buildSecrets: [],
      containerLimits: undefined,
      registryMirrors: {},
      jobs: undefined,
      gitPull: false,
      gitPush: false,
      nightlyKeep: 7 * 24 * 3_600_000,
      keepRuns: undefined,
      lintIgnore: [],
      timeouts: { connect: 10, idle: 30, test: 600, build: 10800 },
      minFree: 2e9,
      engineCache: undefined,
      archivedSuites: [],
      maxAge: undefined,
      fallbackAuthor: 'Author',
      fallbackEmail: 'email@domain',
      distribution: 'wikimedia',
      updateId: 's',
      variables: {
        registry: 'localhost:5000',
        namespace: '',
        base_images: [],
        apt_options: '',
        http_proxy: null,
        apt_only_proxy: null,
        ca_bundle: null,
        scan_workers: 8,
        force_numeric_user: false,
        known_uid_mappings: uids,
        verify_command: verify.command,
        verify_args: verify.args,
        fallback_author: 'Author',
        fallback_email: 'email@domain',
        distribution: 'wikimedia',
        update_id: 's',
      },
    });
  });

  it('takes every key', () => {
    const { config, warnings } = read(`registry: registry.example.org:8443/base
namespace: dev/images
username: builder
password: "s3cret"
base_images: [registry.example.org/debian:12]
apt_options: -y
http_proxy: http://proxy.example.org:3128
apt_only_proxy: http://apt.example.org:3128
ca_bundle: /etc/ssl/ours.pem
scan_workers: 4
force_numeric_user: yes
known_uid_mappings: {app: 1000}
verify_command: /bin/sh
verify_args: ["{path}/check", "{image}"]
publish: false
platform: linux/arm64/v8
allowed_sources: ["registry.example.org/*"]
insecure_registries: ["registry.example.org:5000", "[::1]:5000"]
registry_mirrors: {docker.io: [mirror.example.org/hub, "mirror2:5000"]}
jobs: 3
timeouts: {test: 60, idle: 0.5}
min_free: 500 MB
git_pull: true
git_push: true
nightly_keep: all
keep_runs: 90d
engine_cache: 20GiB
archived_suites: ["stretch*", buster]
max_age: 4w
seed_image: trixie
driver: docker
fallback_author: Ann Other
fallback_email: ann@example.org
distribution: trixie
update_id: u
`);
    expect(warnings).toEqual([]);
    expect(config).toMatchObject({
      registry: 'registry.example.org:8443/base',
      namespace: 'dev/images',
      credentials: { username: 'builder', password: 's3cret' },
      baseImages: ['registry.example.org/debian:12'],
      registryMirrors: { 'docker.io': ['mirror.example.org/hub', 'mirror2:5000'] },
      aptOptions: '-y',
      httpProxy: 'http://proxy.example.org:3128',
      aptProxy: 'http://apt.example.org:3128',
      caBundle: '/etc/ssl/ours.pem',
      scanWorkers: 4,
      forceNumericUser: true,
      knownUidMappings: { app: 1000 },
      verifyCommand: '/bin/sh',
      verifyArgs: ['{path}/check', '{image}'],
      publish: false,
      platform: 'linux/arm64/v8',
      allowedSources: ['registry.example.org/*'],
      insecureRegistries: ['registry.example.org:5000', '[::1]:5000'],
      jobs: 3,
      timeouts: { connect: 10, idle: 0.5, test: 60, build: 10800 },
      minFree: 500e6,
      gitPull: true,
      gitPush: true,
      nightlyKeep: 'all',
      keepRuns: 90 * 24 * 3_600_000,
      engineCache: 20 * 2 ** 30,
      archivedSuites: ['stretch*', 'buster'],
      maxAge: 28 * 24 * 3_600_000,
      fallbackAuthor: 'Ann Other',
      fallbackEmail: 'ann@example.org',
      distribution: 'trixie',
      updateId: 'u',
    });
    expect(config.variables).toMatchObject({ seed_image: 'trixie', driver: 'docker', fallback_author: 'Ann Other', known_uid_mappings: { app: 1000 }, jobs: 3 });
  });

  it.each([['12h', 12], ['2w', 336]])('nightly_keep: %s is so many hours: %i', (text, hours) => expect(read(`registry: localhost\nnightly_keep: ${text}\n`).config.nightlyKeep).toBe(hours * 3_600_000));
  it('min_free: 0 needs no unit', () => expect(read('registry: localhost\nmin_free: 0\n').config.minFree).toBe(0));

  it('credentials are no variables', () => {
    const { variables } = read('registry: localhost\nusername: builder\npassword: s3cret\n').config;
    expect(JSON.stringify(variables)).not.toMatch(/username|password|builder|s3cret/);
  });

  it('unset, as docker-pkg writes it, is unset', () => {
    expect(read('registry: localhost\nusername:\npassword: null\nhttp_proxy: ~\nca_bundle:\nnamespace: ""\n').config).toMatchObject({ credentials: undefined, httpProxy: undefined, caBundle: undefined, namespace: undefined });
  });

  it('the apt proxy is the proxy when only that is set', () => {
    const { config } = read('registry: localhost\nhttp_proxy: http://proxy.example.org:3128\n');
    expect(config.aptProxy).toBe('http://proxy.example.org:3128');
    expect(config.variables).toMatchObject({ http_proxy: 'http://proxy.example.org:3128', apt_only_proxy: 'http://proxy.example.org:3128' });
  });

  it('the proxy is not the apt proxy when only that is set', () => {
    expect(read('registry: localhost\napt_only_proxy: http://apt.example.org\n').config).toMatchObject({ httpProxy: undefined, aptProxy: 'http://apt.example.org' });
  });

  it('a proxy\'s user and password go nowhere, and that is said', () => {
    const { config, warnings } = read('registry: localhost\nhttp_proxy: http://me:p@ss/w@proxy.example.org:3128\napt_only_proxy: me:hidden@apt.example.org:3128\n');
    expect(JSON.stringify([config, warnings])).not.toMatch(/p@ss|hidden|me:/);
    expect(config).toMatchObject({ httpProxy: 'http://proxy.example.org:3128', aptProxy: 'apt.example.org:3128' });
    expect(config.variables).toMatchObject({ http_proxy: 'http://proxy.example.org:3128', apt_only_proxy: 'apt.example.org:3128' });
    expect(warnings).toEqual([
      'config.yaml:2: http_proxy holds credentials; they are left out, since templates, logs and images would show them  [warning]',
      'config.yaml:3: apt_only_proxy holds credentials; they are left out, since templates, logs and images would show them  [warning]',
    ]);
  });

  it.each([
    ['know_uid_mappings: {a: 1}', ['config.yaml:2: unknown key "know_uid_mappings" is taken as a template variable (near: known_uid_mappings)  [warning]']],
    ['usernam: x', ['config.yaml:2: unknown key "usernam" is taken as a template variable (near: username)  [warning]']],
    ['registry_mirror: x', ['config.yaml:2: unknown key "registry_mirror" is taken as a template variable (near: registry_mirrors)  [warning]']],
    ['update: x', []],
    ['php_version: 8.2.1', []],
    ['timeouts: {test: 60.0}', []],
    ['versions:\n  python: 3.10\n  node: "20.10"\n  go: 1.5', ['config.yaml:3: 3.10 is a number and renders as 3.1: put it in quotes  [warning]']],
  ])('%j is a template variable', (text, expected) => {
    const { config, warnings } = read(`registry: localhost\n${text}\n`);
    expect(Object.keys(config.variables)).toContain(text.slice(0, text.indexOf(':')));
    expect(warnings).toEqual(expected);
  });

  it.each([
    ['', ['config.yaml: registry is missing: the host that images are pushed to ("registry.example.org")']],
    ['- a', ['config.yaml:1: the file must be a mapping ("key: value"), not a list']],
    ['registry: localhost\nusername: builder', ['config.yaml:2: username is set, but password is not: publishing with credentials from the config needs both']],
    ['registry: localhost\npassword: s3cret\nusername: ""', ['config.yaml:2: password is set, but username is not: publishing with credentials from the config needs both']],
    ['registry: localhost\nusername: builder\npassword: 12345', ['config.yaml:3: password must be text, not a number: put it in quotes']],
    ['registry: ""', ['config.yaml:1: registry is empty: images need a registry']],
    ['registry: wikimedia', ['config.yaml:1: registry would not be taken for a registry by Docker: a host has a dot or a port, or is localhost']],
    ['registry: wikimedia/base', ['config.yaml:1: registry would not be taken for a registry by Docker: a host has a dot or a port, or is localhost']],
    ['registry: https://localhost', ['config.yaml:1: registry is a host, with a port if need be, not a URL: leave out what stands before "://"']],
    ['registry: localhost/Base', ['config.yaml:1: registry has a path behind its host that is no repository path (lower-case letters, digits, . _ - between slashes)']],
    ['registry: "local host:1"', ['config.yaml:1: registry is no host ("registry.example.org", "localhost:5000")']],
    ['registry: localhost\nknown_uid_mappings:\nbase_images:', ['config.yaml:3: base_images must be a list, not nothing', 'config.yaml:2: known_uid_mappings must be a mapping ("key: value"), not nothing']],
    ['registry: localhost\nknown_uid_mappings:\n  app: "33"\n  db: -1', ['config.yaml:3: known_uid_mappings.app must be a whole number from 0 to 4294967294, not text', 'config.yaml:4: known_uid_mappings.db must be a whole number from 0 to 4294967294']],
    ['registry: localhost\nforce_numeric_user: maybe\njobs: 0\nnamespace: Dev', ['config.yaml:4: namespace is no repository path (lower-case letters, digits, between them . _ - and /)', 'config.yaml:2: force_numeric_user must be true or false, not text', 'config.yaml:3: jobs must be a whole number of at least 1']],
    ['registry: localhost\ntimeouts:\n  tset: 5\n  idle: never', ['config.yaml:3: timeouts.tset is no time-out (near: test)', 'config.yaml:4: timeouts.idle must be a number from 0.001 to 2000000, not text']],
    ['registry: localhost\nregistry_mirrors:\n  "docker.io/library": [a.example.org]\n  docker.io: mirror.example.org\n  b.example.org: [b.example.org, "https://c.example.org"]', [
      'config.yaml:4: registry_mirrors.docker.io must be a list, not text',
      'config.yaml:3: registry_mirrors.docker.io/library is no host ("registry.example.org", "localhost:5000")',
      'config.yaml:5: registry_mirrors.b.example.org: "b.example.org" is the registry itself',
      'config.yaml:5: registry_mirrors.b.example.org: "https://c.example.org" is a host, with a port if need be, not a URL: leave out what stands before "://"',
    ]],
    ['registry: localhost\nlint: {off: [x], ignore: old-tag}', ['config.yaml:2: lint.false is no setting of lint (there is: ignore)', 'config.yaml:2: lint.ignore must be a list, not text']],
    ['registry: localhost\ntimeouts: {zzz: 5}', ['config.yaml:2: timeouts.zzz is no time-out (there are: connect, idle, test, build)']],
    ['registry: localhost\nplatform: amd64\nverify_args: -c\nverify_command: ""', ['config.yaml:4: verify_command is empty', 'config.yaml:3: verify_args must be a list, not text', 'config.yaml:2: platform is no platform ("linux/amd64")']],
    ['registry: localhost\nnightly_keep: none\nkeep_runs: all', ['config.yaml:2: nightly_keep is no age ("30d", "12h", "4w")', 'config.yaml:3: keep_runs is no age ("30d", "12h", "4w")']],
    ['registry: localhost\nbase_images:\n  - ok:1\n  - Not:ok', ['config.yaml:4: base_images: "Not:ok" is no image reference ("registry.example.org/name:tag")']],
    ['registry: localhost\nverify_args: ["{{}}", "{path}", "{name}", "a}"]', ['{name}', 'a}'].map((arg) => `config.yaml:2: verify_args: "${arg}" has a placeholder that is neither {path} nor {image} (a brace itself is written twice: "{{", "}}")`)],
    ['registry: localhost\nmax_age: 30', ['config.yaml:2: max_age must be text, not a number: put it in quotes']],
    ['registry: localhost\nmax_age: 3 months', ['config.yaml:2: max_age is no age ("30d", "12h", "4w")']],
    ['registry: localhost\nmin_free: 20\nengine_cache: 20g', ['config.yaml:2: min_free "20" has no unit: "20GB"?', 'config.yaml:3: engine_cache "20g" has an unknown unit: "20GB"?']],
    ['registry: localhost\nmin_free: yes\nengine_cache: [1GB]', ['config.yaml:2: min_free must be a size ("20GB"), not true or false', 'config.yaml:3: engine_cache must be a size ("20GB"), not a list']],
    ['registry: localhost\nhttp_proxy: "http://a b"', ['config.yaml:2: http_proxy must be a URL (no blanks, no quotes)']],
    ['registry: localhost\nfallback_author: "Ann <a@b>"\nfallback_email: "a b"\ndistribution: ""\nupdate_id: "s1"', [
      'config.yaml:2: fallback_author is no name as a changelog has it (some text of one line, without < and >)',
      'config.yaml:3: fallback_email is no address as a changelog has it (some text without blanks, < and >)',
      'config.yaml:4: distribution is no distribution as a changelog has it (letters, digits, . + -)',
      'config.yaml:5: update_id is nothing to stand before a number in a version (letters, digits, . and _, no digit at the end)',
    ]],
    ['registry: localhost\nfallback_author: " "\nupdate_id: "a-b"', [
      'config.yaml:2: fallback_author is no name as a changelog has it (some text of one line, without < and >)',
      'config.yaml:3: update_id is nothing to stand before a number in a version (letters, digits, . and _, no digit at the end)',
    ]],
    ['registry: localhost\nregistry: localhost\njobs: 1\njobs: 2', ['config.yaml:2: key "registry" stands already on line 1', 'config.yaml:4: key "jobs" stands already on line 3']],
  ])('%j: all problems, with their lines', (text, problems) => expect([...problemsOf(text)].sort()).toEqual([...problems].sort()));
});
