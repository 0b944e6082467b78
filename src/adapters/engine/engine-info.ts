import { answerWithin } from './answer-within.js';
import type { EngineConnection } from './engine-connection.js';

/** What `GET /info` of the Engine API says of where an engine is, and of how it keeps images. */
export type EngineInfo = {
  readonly DockerRootDir?: string;
  readonly ID?: string;
  /** The host name of its machine. */
  readonly Name?: string;
  readonly KernelVersion?: string;
  readonly DriverStatus?: readonly (readonly [name: string, value: string])[] | null;
};

/** Asks an engine what it is; it gets `patience` seconds to answer. Rejects with EngineRefusal when it would not tell. */
export async function engineInfo(connection: EngineConnection, patience: number, signal: AbortSignal): Promise<EngineInfo> {
  return (await answerWithin(connection.address, patience, signal, (either) => connection.ask({ method: 'GET', path: '/info', signal: either }))) as EngineInfo;
}

/** Whether an engine keeps its images in the containerd store, and not with a graph driver. */
export function hasContainerdStore({ DriverStatus }: EngineInfo): boolean {
  return (DriverStatus ?? []).some(([name, value]) => name === 'driver-type' && value.startsWith('io.containerd.snapshotter.'));
}
