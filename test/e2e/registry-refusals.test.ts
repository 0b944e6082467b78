import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Fault, type FaultyRegistry } from '../support/faulty-registry.js';
import { openProxiedScenario } from '../support/proxied-scenario.js';
import type { Scenario } from '../support/scenario.js';

const LATER = 120_000;

describe('a registry that refuses one image in its own words', () => {
  let scenario: Scenario;
  let line: FaultyRegistry;
  /** The containerd store of older engines tells the status of a refused push alone. */
  let passesOnWords: boolean;
  /** As registries answer: OCI distribution spec, "Error Codes". */
  const refusal = (status: number, code: string, message: string): Exclude<Fault['instead'], string | { until: unknown }> => ({ status, headers: { 'content-type': 'application/json' }, body: JSON.stringify({ errors: [{ code, message }] }) });
  beforeAll(async () => {
    ({ scenario, line } = await openProxiedScenario());
    passesOnWords = !(await scenario.docker('info', '--format', '{{json .DriverStatus}}')).includes('io.containerd.snapshotter');
    scenario.define('base', { versions: ['1.0-1'], lines: ['RUN echo base > /base'] });
    scenario.define('web', { versions: ['1.0-1'], from: 'base', lines: ['RUN echo web > /web'] });
    scenario.define('lone', { versions: ['1.0-1'], lines: ['RUN echo lone > /lone'] });
  }, LATER);
  afterAll(async () => {
    await scenario.close();
    await line.stop();
  });

  it('quota used up: that image fails, its children are blocked, others go on; then nothing is built again', async () => {
    const words = 'adding 330.1 MiB of storage resource, which when updated to current usage of 48.5 MiB will exceed the configured upper limit of 350.0 MiB.';
    line.fail({ when: (method, path) => method === 'PUT' && path.includes('/test/base/'), instead: refusal(403, 'DENIED', words) });
    const ended = await scenario.run([]);
    expect(ended.code).toBe(1);
    const lines = ended.stdout.slice(ended.stdout.indexOf('FAILED'));
    if (passesOnWords) {
      expect(lines).toContain(`FAILED    ${scenario.host}/test/base:1.0-1 was refused by the registry: its quota is used up (denied: ${words})`);
      expect(lines).toMatch(/try: make room at \S+, or have the quota of test\/base raised; then run again: nothing is built twice\n.*docs: operating\.md#registry-quota\n/);
    } else {
      expect(lines).toMatch(/^FAILED {4}\S+\/test\/base:1\.0-1 was refused by the registry: 403 Forbidden {3}log: .*\n.*try: the log of \S+, since the engine does not pass on its words: a quota that is used up and a right that is missing look alike\n/);
    }
    expect(ended.stdout).toMatch(/web +blocked +by base/);
    expect(ended.stdout).toMatch(/lone +published 1\.0-1/);
    line.mend();
    const again = await scenario.run([]);
    expect(again.code).toBe(0);
    expect(again.stdout).not.toMatch(/base +built/);
    expect(again.stdout).toMatch(/2 published, 1 kept in .*:latest moved for 2 images/);
  }, LATER);

  it.each([
    ['Harbor', 412, 'PRECONDITION', "Failed to process request due to 'lone:latest' configured as immutable."],
    ['ECR', 400, 'TAG_INVALID', "The image tag 'latest' already exists in the 'lone' repository and cannot be overwritten because the repository is immutable."],
  ])('an immutable :latest (%s): the version is published, and it is said why :latest stays', async (_, status, code, message) => {
    const versions = status === 412 ? ['1.0-2', '1.0-1'] : ['1.0-3', '1.0-2', '1.0-1'];
    scenario.define('lone', { versions, lines: ['RUN echo lone > /lone'] });
    const before = await scenario.digest('lone', 'latest');
    line.fail({ when: (method, path) => method === 'PUT' && path.endsWith('/manifests/latest'), instead: refusal(status, code, message) });
    const ended = await scenario.run([]);
    line.mend();
    expect(ended.code).toBe(1);
    expect(ended.stdout).toContain(`lone published ${versions[0]!}`);
    expect(ended.stdout).toContain(`FAILED    ${scenario.host} refuses to set test/lone:latest: the tag is immutable there (${status}, ${code}: ${message})`);
    expect(ended.stdout).toMatch(/try: take "latest" out of the immutable-tag rule for test\/lone at \S+; until then no run can move it\n.*docs: operating\.md#immutable-tags\n/);
    expect(await scenario.digest('lone', 'latest')).toBe(before);
    const plan = await scenario.run(['plan']);
    expect(plan.stdout).toMatch(/lone +\S+ +\S+ +promote/);
  }, LATER);

  it('an immutable version that the engine pushes', async () => {
    scenario.define('lone', { versions: ['2.0-1', '1.0-3', '1.0-2', '1.0-1'], lines: ['RUN echo lone > /lone'] });
    line.fail({ when: (method, path) => method === 'PUT' && path.endsWith('/manifests/2.0-1'), instead: refusal(412, 'PRECONDITION', "Failed to process request due to 'lone:2.0-1' configured as immutable.") });
    const ended = await scenario.run([]);
    line.mend();
    expect(ended.code).toBe(1);
    expect(ended.stdout).toMatch(/lone FAILED +\S+\/test\/lone:2\.0-1 was refused by the registry: the tag is immutable there \((?:.*Failed to process request due to 'lone:2\.0-1' configured as immutable\.|412 Precondition Failed)\)/);
    expect(ended.stdout).toMatch(/docs: operating\.md#immutable-tags/);
  }, LATER);
});
