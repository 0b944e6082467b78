import { readFileSync, statfsSync } from 'node:fs';
import { hostname, release } from 'node:os';
import { join } from 'node:path';
import type { Disk, DiskSpace } from '../../execute/disk-space.js';
import { answerWithin } from './answer-within.js';
import { EngineRefusal, type EngineConnection } from './engine-connection.js';
import { refused } from './engine-faults.js';

/** What `GET /info` of the Engine API says of where an engine is. */
export type EngineInfo = {
  readonly DockerRootDir?: string;
  readonly ID?: string;
  /** The host name of its machine. */
  readonly Name?: string;
  readonly KernelVersion?: string;
};

/** The disks that builds fill, and the engine's build cache. `scratch`: the folder of temporary files; `patience`: how long the engine may take to tell where it is, seconds. */
export function createEngineSpace(connection: EngineConnection, scratch: string, patience: number): DiskSpace {
  return {
    async engineDisk(signal) {
      if (connection.address.via !== 'unix') return undefined;
      const asked = answerWithin(connection.address, patience, signal, (either) => connection.ask({ method: 'GET', path: '/info', signal: either }));
      const info = (await asked.catch((error: unknown) => {
        if (error instanceof EngineRefusal) return {};
        throw error;
      })) as EngineInfo;
      return info.DockerRootDir !== undefined && isHere(info, info.DockerRootDir) ? diskOf(info.DockerRootDir) : undefined;
    },
    scratchDisk: diskOf(scratch),
    async pruneCache(keep, signal) {
      // API 1.48 renamed the one to the other; engines leave alone what they do not know. Without `all`, layers that images have are left, too.
      const query = { 'keep-storage': String(keep), 'reserved-space': String(keep) };
      const answer = (await connection.ask({ method: 'POST', path: '/build/prune', query, signal }).catch((error: unknown) => {
        throw refused(error, 'prune its build cache');
      })) as { readonly SpaceReclaimed?: number };
      return answer.SpaceReclaimed ?? 0;
    },
  };
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
