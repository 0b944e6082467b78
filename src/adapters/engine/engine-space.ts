import { readFileSync, statfsSync } from 'node:fs';
import { hostname, release } from 'node:os';
import { join } from 'node:path';
import type { Disk, DiskSpace } from '../../execute/disk-space.js';
import { EngineRefusal, type EngineConnection } from './engine-connection.js';
import { refused } from './engine-faults.js';
import { engineInfo, hasContainerdStore, type EngineInfo } from './engine-info.js';

/** The disks that builds fill, and the engine's build cache. `scratch`: the folder of temporary files; `patience`: how long the engine may take to tell where it is, seconds. */
export function createEngineSpace(connection: EngineConnection, scratch: string, patience: number): DiskSpace {
  return {
    async engineDisk(signal) {
      if (connection.address.via !== 'unix') return undefined;
      const info = await infoOf(connection, patience, signal);
      return info.DockerRootDir !== undefined && isHere(info, info.DockerRootDir) ? diskOf(info.DockerRootDir) : undefined;
    },
    scratchDisk: diskOf(scratch),
    async pruneCache(keep, signal) {
      const query = hasContainerdStore(await infoOf(connection, patience, signal)) ? await untilFits(connection, keep, signal) : upTo(keep);
      if (query === undefined) return 0;
      const answer = (await connection.ask({ method: 'POST', path: '/build/prune', query, signal }).catch((error: unknown) => {
        throw refused(error, 'prune its build cache');
      })) as { readonly SpaceReclaimed?: number };
      return answer.SpaceReclaimed ?? 0;
    },
  };
}

/** What an engine tells of itself; nothing if it would not. */
async function infoOf(connection: EngineConnection, patience: number, signal: AbortSignal): Promise<EngineInfo> {
  return engineInfo(connection, patience, signal).catch((error: unknown) => {
    if (error instanceof EngineRefusal) return {};
    throw error;
  });
}

/** API 1.48 renamed the one to the other; engines leave alone what they do not know. Without `all`, layers that images have are left, too. */
function upTo(keep: number): Readonly<Record<string, string>> {
  return { 'keep-storage': String(keep), 'reserved-space': String(keep) };
}

type CacheRecord = { readonly Size: number; readonly CreatedAt: string; readonly LastUsedAt?: string | null };

/**
 * With the containerd store, engines (26.1) take all of the cache for layers of images, and neither count nor prune them by size: the time
 * before which everything goes is told instead. Images keep their layers, as there the cache is not what holds them. Undefined: it fits.
 */
async function untilFits(connection: EngineConnection, keep: number, signal: AbortSignal): Promise<Readonly<Record<string, string>> | undefined> {
  const { BuildCache } = (await connection.ask({ method: 'GET', path: '/system/df', query: { type: 'build-cache' }, signal })) as { readonly BuildCache: readonly CacheRecord[] | null };
  const records = (BuildCache ?? []).map(({ Size, CreatedAt, LastUsedAt }) => ({ size: Size, used: LastUsedAt ?? CreatedAt }));
  let size = 0;
  const newestFirst = records.sort((one, other) => Date.parse(other.used) - Date.parse(one.used));
  const tooMuch = newestFirst.find((record) => (size += record.size) > keep);
  return tooMuch && { all: '1', filters: JSON.stringify({ until: [tooMuch.used] }) };
}

/**
 * Whether an engine's root folder is one of this machine, as this process sees it. The socket cannot tell: behind it may be a virtual machine,
 * another container, or an engine that sees another root. Engines from 23 on leave their id in the folder.
 */
export function isHere({ ID, Name, KernelVersion }: EngineInfo, root: string): boolean {
  try {
    return readFileSync(join(root, 'engine-id'), 'utf8').trim() === ID;
  } catch {
    // An older engine, or a folder that only root may look into.
    return Name === hostname() && KernelVersion === release();
  }
}

function diskOf(path: string): Disk {
  return {
    path,
    free() {
      try {
        const { bavail, bsize } = statfsSync(path);
        return bavail * bsize;
      } catch {
        return undefined;
      }
    },
  };
}
