import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { engineAt, hasContainerdStore, mountDisk, SHARED_SOCKET, startEngine, type OwnEngine } from '../support/engine-fixture.js';
import { openScenario, type Scenario } from '../support/scenario.js';
import { createEngineConnection } from '../../src/adapters/engine/engine-connection.js';
import { NoSpaceError } from '../../src/shared/errors.js';

const isContainerd = hasContainerdStore();
/** MB. */
const DISK = isContainerd ? 190 : 120;
const fill = (megabytes: number): string => `RUN dd if=/dev/zero of=/fat bs=1000000 count=${megabytes}`;

describe('an engine whose disk is small', () => {
  let own: OwnEngine;
  let scenario: Scenario;
  const run = (minFree: string, { env = {}, more = '' }: { readonly env?: Readonly<Record<string, string>>; readonly more?: string } = {}) => {
    scenario.write('room.yaml', `registry: ${scenario.host}\nnamespace: test\npublish: true\nallowed_sources: ["*"]\njobs: 1\nmin_free: ${minFree}\n${more}`);
    return scenario.run(['-c', 'room.yaml'], { env });
  };
  /** Bytes of build cache that no image has; the containerd store says of all of it that an image has it. */
  const cached = async (): Promise<number> => {
    const connection = createEngineConnection({ via: 'unix', socketPath: own.socketPath });
    const { BuildCache } = (await connection.ask({ method: 'GET', path: '/system/df', signal: AbortSignal.timeout(10_000) })) as { BuildCache: readonly { Size: number; Shared: boolean }[] };
    connection.close();
    return BuildCache.reduce((sum, { Size, Shared }) => sum + (Shared && !isContainerd ? 0 : Size), 0);
  };
  beforeAll(async () => {
    own = await startEngine([], { disk: DISK });
    scenario = await openScenario({ socketPath: own.socketPath });
    scenario.define('lean', { versions: ['1.0-1'], lines: ['RUN echo base > /base'] });
  }, 120_000);
  afterAll(async () => {
    await scenario.close();
    await own.stop();
  }, 90_000);

  it('with less free than min_free starts nothing: exit 4, one line with the numbers, and what to try', async () => {
    const { code, stderr } = await run('2GB');
    expect(code).toBe(4);
    expect(stderr).toMatch(/^\S+\/data has \d+ MB free, and min_free is 2\.0 GB\. Nothing was built or changed\.\n {2}try: docker system df .*\n/);
    expect(await scenario.tags('lean')).toEqual([]);
  }, 60_000);

  it('that has too little left after a build: that one is published and promoted, nothing new starts; once there is room, the next run goes on', async () => {
    scenario.define('fat', { versions: ['1.0-1'], from: 'lean', lines: [fill(60)] });
    scenario.define('fat-child', { versions: ['1.0-1'], from: 'fat' });
    const { code, stdout, stderr } = await run('80MB');
    expect({ code, stderr }).toEqual({ code: 4, stderr: '' });
    expect(stdout).toMatch(/^\S+ stopped: \S+\/data has \d+ MB free, and min_free is 80 MB; no more builds are started\n +try: docker system df/m);
    expect(stdout).toMatch(/fat-child\s+not done\s+too little space/);
    expect(stdout).toMatch(/2 published, 1 not done in .*:latest moved for 2 images\./);
    expect(await scenario.digest('fat', 'latest')).toBe(await scenario.digest('fat', '1.0-1'));
    const next = await run('0');
    expect(next).toMatchObject({ code: 0, stderr: '' });
    expect(next.stdout).toMatch(/1 published, 2 kept in /);
  }, 120_000);

  it('keeps its build cache without engine_cache; with it, the cache is pruned to that size and no image goes', async () => {
    const stages = (version: string): void => scenario.define('staged', { versions: [version], lines: [`FROM ${scenario.base} AS big`, 'RUN dd if=/dev/zero of=/big bs=1000000 count=5', `FROM ${scenario.base}`, 'COPY --from=big /bin/sh /'] });
    stages('1.0-1');
    expect((await run('0')).stdout).toMatch(/1 published/);
    expect(await cached()).toBeGreaterThan(5_000_000);
    stages('1.0-2');
    const { code, stdout } = await run('0', { more: 'engine_cache: 1MB\n' });
    expect(code).toBe(0);
    expect(stdout).toMatch(/ \d+ MB of the engine's build cache removed \(engine_cache: 1 MB\)$/m);
    expect(await cached()).toBeLessThanOrEqual(1_000_000);
    const tags = await scenario.localTags();
    for (const name of ['lean:1.0-1', 'fat:1.0-1', 'fat-child:1.0-1', 'staged:1.0-1', 'staged:1.0-2']) expect(tags).toContain(`${scenario.host}/test/${name}`);
  }, 60_000);

  describe('that is full in the middle', () => {
    beforeAll(async () => {
      // One that another engine builds, for this one to pull.
      scenario.define('fat', { versions: ['1.0-2'], from: 'lean', lines: [fill(DISK)] });
      const { code, stdout } = await run('0', { env: { DOCKER_HOST: `unix://${SHARED_SOCKET}` } });
      if (code !== 0) throw new Error(stdout);
    }, 120_000);
    afterEach(async () => {
      await scenario.docker('builder', 'prune', '--all', '--force');
    }, 30_000);

    it.each([
      ['of a RUN', { lines: [fill(DISK)] }, /no space left on the engine's disk: RUN dd .*: exit 1/],
      ['of sending the context', { lines: ['COPY big /'], files: { big: 'x'.repeat(DISK * 1_000_000) } }, /no space left on the engine's disk/],
      ['of pulling a parent', { from: 'fat' }, /no space left on the engine's disk/],
    ])('%s: exit 4, one line, nothing new starts', async (what, image, message) => {
      const version = `1.0-${what.length}`;
      scenario.define('fat-one', { from: 'lean', ...image, versions: [version] });
      scenario.define('other', { versions: [version] });
      const { code, stdout, stderr } = await run('0');
      expect({ code, stderr }).toEqual({ code: 4, stderr: '' });
      const [failed, hint] = stdout.split('\n').slice(stdout.split('\n').findIndex((line) => /FAILED/.test(line)));
      expect(failed).toMatch(message);
      expect(hint).toMatch(/^ +try: docker system df/);
      expect(stdout).toMatch(/other\s+not done\s+no space left/);
      expect(await scenario.tags('fat-one')).toEqual([]);
    }, 120_000);

    it('of loading an archive: the same fault', async () => {
      const engine = engineAt(own.socketPath);
      const archive = execFileSync('sh', ['-c', 'mkdir l && head -c "$0" /dev/urandom > l/big && tar -C l -cf layer.tar big && echo \'{"rootfs":{"type":"layers","diff_ids":["sha256:\'$(sha256sum < layer.tar | cut -c1-64)\'"]},"os":"linux","architecture":"amd64","config":{}}\' > c.json && echo \'[{"Config":"c.json","RepoTags":["fat:1"],"Layers":["layer.tar"]}]\' > manifest.json && tar -c manifest.json c.json layer.tar', String(DISK * 1_000_000)], { cwd: scenario.directory, maxBuffer: 1e9 });
      await expect(engine.load((async function* () { yield archive; })(), AbortSignal.timeout(60_000))).rejects.toBeInstanceOf(NoSpaceError);
      engine.close();
    }, 90_000);
  });
});

describe('a small disk for temporary files', () => {
  let scenario: Scenario;
  let folder: string;
  beforeAll(async () => {
    scenario = await openScenario();
    folder = join(scenario.directory, 'scratch');
    mkdirSync(folder);
    await mountDisk(folder, 15);
    scenario.write('images/deb/rootfs.yaml', 'suite: trixie\n');
    scenario.write('images/deb/control', 'Package: deb\nRolling: yes\n');
    scenario.define('other', { versions: ['1.0-1'], from: 'deb' });
  }, 60_000);
  afterAll(async () => {
    execFileSync('umount', [folder]);
    await scenario.close();
  }, 60_000);

  it('is looked at before a base image is made: exit 4, and how to have them elsewhere', async () => {
    const { code, stderr } = await scenario.run([], { env: { TMPDIR: folder } });
    expect(code).toBe(4);
    expect(stderr).toMatch(/^\S+\/scratch has 1[45] MB free, and min_free is 2\.0 GB\. Nothing was built or changed\.\n {2}try: TMPDIR=/);
  }, 60_000);

  it('that is full in the middle ends the tool, and stops the run in one line: exit 4, nothing left behind', async () => {
    scenario.configure('min_free: 1MB');
    const { code, stdout, stderr } = await scenario.run([], { env: { TMPDIR: folder } });
    expect({ code, stderr }).toEqual({ code: 4, stderr: '' });
    expect(stdout).toMatch(/deb\s+FAILED\s+no space left for temporary files in \S+\/scratch\/\S+ .*\n +try: TMPDIR=/);
    expect(execFileSync('ls', ['-A', folder], { encoding: 'utf8' })).toBe('');
  }, 120_000);
});
