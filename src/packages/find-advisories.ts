import { adviseAbove, type Advisory } from './advisory.js';
import type { ImagePackages } from './image-packages.js';
import type { OfferedPackage, PackageChangelogs } from './package-changelogs.js';
import type { PackageIndex } from './package-index.js';
import type { Upgrade } from './upgrade.js';

/** What the changelogs of upgrades' sources say, as far as archives give them: by `advisoryKey`. */
export async function findAdvisories(image: Pick<ImagePackages, 'installed'>, upgrades: readonly Upgrade[], indexes: readonly PackageIndex[], changelogs: PackageChangelogs, signal: AbortSignal): Promise<ReadonlyMap<string, Advisory>> {
  const sources = new Map<string, { readonly above: string; readonly offered: OfferedPackage[]; readonly keys: Set<string> }>();
  for (const upgrade of upgrades) {
    const above = image.installed.find(({ name, architecture, version }) => name === upgrade.package && architecture === upgrade.arch && version === upgrade.from)?.sourceVersion;
    const found = offeredOf(upgrade, indexes);
    if (above === undefined || found === undefined) continue;
    const name = `${upgrade.source} ${above} ${found.sourceVersion}`;
    const source = sources.get(name) ?? { above, offered: [], keys: new Set<string>() };
    source.offered.push(found.offered);
    source.keys.add(advisoryKey(upgrade));
    sources.set(name, source);
  }
  const advised = await Promise.all(
    [...sources.values()].map(async ({ above, offered, keys }): Promise<readonly (readonly [string, Advisory])[]> => {
      const changelog = await changelogs.changelogOf(offered, signal);
      const advisory = changelog === undefined ? undefined : adviseAbove(changelog, above);
      return advisory === undefined ? [] : [...keys].map((key) => [key, advisory] as const);
    }),
  );
  return new Map(advised.flat());
}

/** What tells upgrades apart that one changelog speaks of in one way. */
export function advisoryKey({ source, from, to }: Upgrade): string {
  return `${source} ${from} ${to}`;
}

function offeredOf(upgrade: Upgrade, indexes: readonly PackageIndex[]): { readonly offered: OfferedPackage; readonly sourceVersion: string } | undefined {
  for (const index of indexes) {
    const found = index.versionsOf(upgrade.package).find(({ version, architecture }) => version === upgrade.to && (architecture === upgrade.arch || architecture === 'all'));
    if (found !== undefined) return { offered: { uri: index.uri, filename: found.filename, size: found.size, sha256: found.sha256 }, sourceVersion: found.sourceVersion };
  }
  return undefined;
}
