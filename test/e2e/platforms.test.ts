import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openScenario, type Scenario } from '../support/scenario.js';
import { pushesTo } from '../support/tiny-image.js';

const LATER = 120_000;
const ACCEPT = { accept: 'application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json' };
/** This machine's, and one that it is not. */
const [OWN, OTHER] = process.arch === 'arm64' ? ['linux/arm64', 'linux/amd64'] : ['linux/amd64', 'linux/arm64'];

let scenario: Scenario;
let config: string;
beforeAll(async () => {
  scenario = await openScenario();
  config = `registry: ${scenario.host}\nnamespace: test\npublish: true\nallowed_sources: ["*"]\n`;
  const { pushIndex } = pushesTo(scenario.registry.send);
  await pushIndex('test-base/several', '1', [OWN!, OTHER!].map((platform) => ({ platform, labels: { 'made.for': platform } })));
  scenario.define('several', { lines: [`FROM ${scenario.host}/test-base/several:1`, 'COPY a /a'], files: { a: 'a\n' } });
  scenario.define('scratch', { versions: ['1'], lines: ['FROM scratch', 'COPY a /a'], files: { a: 'a\n' } });
}, LATER);
afterAll(() => scenario.close());

const buildFor = (platform: string, ...args: readonly string[]) => {
  scenario.write('config.yaml', `${config}platform: ${platform}\n`);
  return scenario.run(args);
};

/** What a published image says that it is for. */
async function platformOf(name: string, tag: string): Promise<string> {
  const { config: blob } = JSON.parse((await scenario.registry.send('GET', `/v2/test/${name}/manifests/${tag}`, undefined, ACCEPT)).body.toString()) as { config: { digest: string } };
  const { os, architecture } = JSON.parse((await scenario.registry.send('GET', `/v2/test/${name}/blobs/${blob.digest}`)).body.toString()) as { os: string; architecture: string };
  return `${os}/${architecture}`;
}

describe('a tree for another platform than this machine\'s', () => {
  it('is built on the parents of that platform, and published', async () => {
    const ended = await buildFor(OTHER!);
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect([await platformOf('several', 'latest'), await platformOf('scratch', '1')]).toEqual([OTHER, OTHER]);
    expect(await scenario.labels('several', 'latest')).toMatchObject({ 'made.for': OTHER, 'build-images.platform': OTHER });
    expect((await buildFor(OTHER!)).stdout).toContain('Nothing to do');
  }, LATER);

  it('is built anew when the platform changes: what is rolling; a published version stays', async () => {
    const ended = await buildFor(OWN!);
    expect(ended.stdout).toMatch(new RegExp(`several +build +it is for ${OTHER}, and the config says platform: ${OWN}\n`));
    expect([await platformOf('several', 'latest'), await platformOf('scratch', '1')]).toEqual([OWN, OTHER]);
  }, LATER);

  it('leaves behind on the engine nothing that is published for the next platform', async () => {
    scenario.define('scratch', { versions: ['2', '1'], lines: ['FROM scratch', 'COPY a /a'], files: { a: 'a\n' } });
    expect((await buildFor(OTHER!, '--no-publish')).stdout).toMatch(/scratch +kept here/);
    expect((await buildFor(OWN!)).stdout).toMatch(/scratch +built/);
    expect(await platformOf('scratch', '2')).toBe(OWN);
  }, LATER);

  it('leaves an index of others alone that has nothing for it, and reads its own part of one that has', async () => {
    const ours = { 'org.opencontainers.image.title': 'index', 'build-images.definition': `sha256:${'0'.repeat(64)}`, 'build-images.parents': '{}' };
    for (const tag of ['1', 'latest']) await pushesTo(scenario.registry.send).pushIndex('test/index', tag, [{ platform: OWN!, labels: ours }]);
    scenario.define('index', { versions: ['1'] });
    const why = async (platform: string): Promise<unknown> => {
      const { steps } = JSON.parse((await buildFor(platform, 'plan', '--json')).stdout) as { steps: readonly { image: string; action: string; reasons: readonly { why: string }[] }[] };
      return steps.filter(({ image }) => image === 'test/index').map(({ action, reasons }) => [action, ...reasons.map((reason) => reason.why)]);
    };
    expect([await why(OTHER!), await why(OWN!), await why(OTHER!)]).toEqual([[['keep', 'origin-unknown']], [['keep', 'changed-without-changelog']], [['keep', 'origin-unknown']]]);
  }, LATER);

  it('fails where a parent, or the machine, is of one platform only', async () => {
    scenario.define('one', { lines: ['COPY a /a'], files: { a: 'a\n' } });
    scenario.write('images/trixie/rootfs.yaml', 'suite: trixie\n');
    const ended = await buildFor(OTHER!);
    expect(ended.code).toBe(1);
    expect(ended.stdout).toContain(`it stands on ${scenario.base}, which its registry does not have for ${OTHER}, the config's platform`);
    expect(ended.stdout).toContain(`base images can be made for this machine's platform only (${OWN}), and the config says platform: ${OTHER}`);
  }, LATER);
});
