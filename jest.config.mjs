/** One project per suite, so that each can be run, and timed, alone. */
const shared = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': ['@swc/jest', { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'es6' } }] },
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
};
const suite = (name, testMatch) => ({ ...shared, displayName: name, testMatch: testMatch.map((glob) => `<rootDir>/test/${glob}`) });

export default {
  projects: [
    suite('unit', ['unit/**/*.test.ts', 'architecture.test.ts']),
    suite('golden', ['golden/**/*.test.ts']),
    suite('integration', ['integration/**/*.test.ts']),
    suite('e2e', ['e2e/**/*.test.ts']),
  ],
};
