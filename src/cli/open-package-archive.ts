import { tmpdir } from 'node:os';
import type { PackageArchive } from '../packages/package-archive.js';
import type { PackageChangelogs } from '../packages/package-changelogs.js';
import { compileGlob } from '../graph/glob.js';
import type { TreeConfig } from '../shared/config.js';
import { cacheDirectory, type Environment } from './environment.js';
import { readCa } from './tree-outside.js';

/** Archives are asked as the first tree's config says; a suite that any tree calls archived is archived for all. */
export async function openPackageArchive(trees: readonly TreeConfig[], environment: Environment): Promise<PackageArchive & PackageChangelogs & { close(): void }> {
  const { env, cwd, clock } = environment;
  const { config } = trees[0]!;
  const [{ createPackageArchive }, { createProxyFor }] = await Promise.all([import('../adapters/package-archive/package-archive.js'), import('../adapters/package-archive/archive-proxy.js')]);
  const archived = trees.flatMap((tree) => tree.config.archivedSuites).map(compileGlob);
  return createPackageArchive({
    cacheDirectory: cacheDirectory(environment),
    proxyFor: createProxyFor(config.aptProxy, env),
    ...(config.caBundle === undefined ? {} : { ca: await readCa(config, cwd) }),
    timeouts: config.timeouts,
    clock,
    random: () => environment.random(),
    userAgent: 'build-images',
    path: env['PATH'] || '/usr/local/bin:/usr/bin:/bin',
    scratch: env['TMPDIR'] || tmpdir(),
    isArchived: (suite) => archived.some((matches) => matches(suite)),
  });
}
