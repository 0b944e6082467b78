/** One project per suite, so that each can be run, and timed, alone. */
const shared = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': ['@swc/jest', { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'es6' } }] },
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
};
const suite = (name, testMatch) => ({ ...shared, displayName: name, testMatch: testMatch.map((glob) => `<rootDir>/test/${glob}`) });

/** Files of integration and e2e in whose outcome no engine has a say: they run once. All others run on each engine. */
export const ON_ONE_ENGINE = [
  // The shipped tree is built once. What is in it is for its own tests; that engines build alike is for all the others.
  'e2e/shipped-tree.test.ts',
  'e2e/bug.test.ts',
  'e2e/definition-faults.test.ts',
  'e2e/docker-pkg.test.ts',
  'e2e/docker-pkg-tree.test.ts',
  'e2e/generated-tree.test.ts',
  'e2e/lint.test.ts',
  // What images hold is read from the registry.
  'e2e/outdated.test.ts',
  // How base images are made does not depend on the engine.
  'e2e/refresh-base.test.ts',
  'e2e/refresh-entries.test.ts',
  // Who is asked with which login is told by reference, whatever the engine.
  'e2e/nightly-git.test.ts',
  'e2e/nightly-run.test.ts',
  'e2e/several-trees.test.ts',
  'e2e/state-directory.test.ts',
  // How a tree is read and what its builds are given. That engines build alike is for all the others.
  'e2e/toolforge.test.ts',
  'e2e/update.test.ts',
  'e2e/prune-registry.test.ts',
  // How images are read on each engine is for package-files.test.ts.
  'e2e/which.test.ts',
  // A rollback moves tags in the registry and asks no engine.
  'e2e/rollback.test.ts',
  'e2e/rollback-night.test.ts',
  'integration/adapters-local.test.ts',
  // What real apt says of the same files.
  'integration/apt-sources.test.ts',
  'integration/apt-worlds.test.ts',
  'integration/real-apt.test.ts',
  'integration/apt-repository.test.ts',
  // How base images are made. That every engine takes them alike is for engine-layers.test.ts.
  'integration/base-image.test.ts',
  'integration/base-image-faults.test.ts',
  'integration/adapters/package-files/registry-layers.test.ts',
  'integration/adapters/package-archive/archive-http.test.ts',
  'integration/adapters/package-archive/changelogs.test.ts',
  'integration/adapters/package-archive/reading-suites.test.ts',
  'integration/adapters/package-archive/tampering.test.ts',
  'integration/adapters/registry/registry.test.ts',
  'integration/adapters/registry/registry-tokens.test.ts',
  'integration/adapters/registry/registry-pruning.test.ts',
  'integration/definition-oracles.test.ts',
  'integration/lint-oracle.test.ts',
  'integration/docker-pkg-arguments.test.ts',
  'integration/dockerignore-oracle.test.ts',
  'integration/git-branch.test.ts',
  'integration/glob-oracle.test.ts',
  'integration/grpc-server.test.ts',
  'integration/systemd-units.test.ts',
  'integration/packages-oracle.test.ts',
  'integration/template-oracle.test.ts',
  'integration/update.test.ts',
  'integration/update-oracle.test.ts',
];

export default {
  projects: [
    suite('unit', ['unit/**/*.test.ts', 'architecture.test.ts']),
    suite('golden', ['golden/**/*.test.ts']),
    suite('integration', ['integration/**/*.test.ts']),
    suite('e2e', ['e2e/**/*.test.ts']),
  ],
};
