import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { importAptBase } from './apt-base.js';
import { startAptRepository, type AptRepository } from './apt-repository.js';
import { SHARED_SOCKET, uniqueName } from './engine-fixture.js';
import { openScenario, type ImageOptions, type Scenario, type ScenarioOptions } from './scenario.js';

/** A tree whose images install packages from an archive in which newer ones can be released. */
export type RefreshScenario = Scenario & {
  readonly archive: AptRepository;
  /** The outside image with apt, in which nothing is installed: `HOST/test-base/apt:1`. */
  readonly aptBase: string;
  /** Defines an image on `from`, or on the outside image, that installs packages. */
  install(name: string, packages: readonly string[], image?: ImageOptions & { /** Where from; `trixie` and its security updates unless given. */ readonly suites?: readonly string[] }): void;
  /** What a program of a published image prints. */
  output(name: string, tag: string, program: string): Promise<string>;
  /** Images that the runs since the last call published, in the order of their names. */
  published(): readonly string[];
};

/** Opens one with the suites `trixie` and `trixie-security`; the first has these packages. */
export async function openRefreshScenario(packages: Readonly<Record<string, string>>, options: ScenarioOptions = {}): Promise<RefreshScenario> {
  const [scenario, archive] = await Promise.all([openScenario(options), startAptRepository({ for: 'containers' })]);
  await Promise.all([archive.addSuite('trixie', Object.entries(packages).map(([name, version]) => ({ name, version }))), archive.addSuite('trixie-security', [])]);
  const aptBase = `${scenario.registry.host}/test-base/apt:1`;
  const local = `${uniqueName('apt')}:1`;
  await importAptBase(local, options.socketPath ?? SHARED_SOCKET);
  await scenario.docker('tag', local, aptBase);
  await scenario.docker('push', '--quiet', aptBase);
  await scenario.docker('rmi', aptBase, local);
  let seen = 0;
  return {
    ...scenario,
    archive,
    aptBase,
    install(name, wanted, { suites = ['trixie', 'trixie-security'], ...image } = {}) {
      const sources = suites.map((suite) => `deb [signed-by=/etc/apt/keyrings/test.gpg] ${archive.uri} ${suite} main\n`).join('');
      const lines = [...(image.from === undefined ? [`FROM ${aptBase}`] : []), 'COPY test.gpg /etc/apt/keyrings/test.gpg', 'COPY sources.list /etc/apt/sources.list', `RUN apt-get -qq update && apt-get -qq install -y ${wanted.join(' ')} && rm -r /var/lib/apt/lists/*`];
      scenario.define(name, { ...image, lines: [...lines, ...(image.lines ?? [])], files: { ...image.files, 'sources.list': sources } });
      writeFileSync(join(scenario.directory, `images/${name}/test.gpg`), archive.key.keyring);
    },
    async output(name, tag, program) {
      const ref = `${scenario.host}/test/${name}:${tag}`;
      await scenario.docker('pull', '--quiet', ref);
      return scenario.docker('run', '--rm', ref, program);
    },
    published() {
      const events = scenario.journal();
      const names = events.slice(seen).flatMap((event) => (event['type'] === 'published' ? [String(event['image'])] : []));
      seen = events.length;
      return names.sort();
    },
    async close() {
      await scenario.close();
      await archive.close();
    },
  };
}
