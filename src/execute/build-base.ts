import type { RootFs } from '../definition/rootfs.js';
import type { Config } from '../shared/config.js';
import type { Digest } from '../shared/digest.js';
import { isPlatform } from '../shared/platform.js';
import { baseImageConfig, epochRule, formatEpoch, formatPlatform, imagePlatform, packagesDigest, type FormerBase } from './base-image.js';
import { imageArchive } from './image-archive.js';
import type { ImageLog, Ports } from './ports.js';
import { RootFileSystemFailure } from './root-file-systems.js';
import { StepFailure } from './step-failure.js';

/** One base image's build. */
export type BaseBuild = {
  readonly rootfs: RootFs;
  readonly rootfsPath: string;
  /** Full reference that the result gets. */
  readonly tag: string;
  /** SOURCE_DATE_EPOCH, if the user set one. */
  readonly epoch: number | undefined;
  readonly former: FormerBase | undefined;
  /** The labels, once it is known when the image was made and from which packages. */
  labels(created: string, packages: Digest): Readonly<Record<string, string>>;
  readonly log: ImageLog;
};

/** Makes a root file system from Debian packages and loads it as an image of one layer. */
export async function buildBase(build: BaseBuild, config: Config, ports: Pick<Ports, 'engine' | 'rootFileSystems' | 'scratch' | 'packLayer'>, signal: AbortSignal): Promise<void> {
  if (config.platform !== undefined) {
    const own = formatPlatform(imagePlatform(await ports.rootFileSystems.architecture()));
    if (!isPlatform(own, config.platform)) throw new StepFailure('build', `base images can be made for this machine's platform only (${own}), and the config says platform: ${config.platform}`);
  }
  const scratch = await ports.scratch();
  try {
    const made = await ports.rootFileSystems
      .make(build.rootfs, { chooseEpoch: epochRule(build.epoch, build.former), proxy: build.rootfs.httpProxy ?? config.aptProxy, workDirectory: scratch.path, onLine: (line) => build.log.line(line) }, signal)
      .catch((error: unknown) => {
        throw error instanceof RootFileSystemFailure ? new StepFailure('build', error.message, [build.rootfsPath]) : error;
      });
    const labels = build.labels(formatEpoch(made.epoch), packagesDigest(made.packages));
    const imageConfig = baseImageConfig({ rootfs: build.rootfs, diffId: made.diffId, epoch: made.epoch, architecture: made.architecture, labels });
    const layer = await ports.packLayer(made, signal);
    await ports.engine.load(imageArchive({ config: imageConfig, layers: [layer], tag: build.tag }), signal);
  } finally {
    await scratch.release();
  }
}
