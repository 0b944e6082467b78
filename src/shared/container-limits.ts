import { parseDockerSize } from './docker-size.js';
import { nearHint } from './near-names.js';
import type { YamlFields } from './yaml-fields.js';

/** What each container of a build may use: docker-pkg's `container_limits`, whose keys are docker-py's. */
export type ContainerLimits = {
  /** Bytes. */
  readonly memory?: number;
  /** Bytes of memory and swap together; -1: any amount of swap. */
  readonly memswap?: number;
  /** Weight against other containers, of which an unlimited one has 1024. */
  readonly cpushares?: number;
  /** `0-3`, `0,1`. */
  readonly cpusetcpus?: string;
};

const KEYS: readonly (keyof ContainerLimits)[] = ['memory', 'memswap', 'cpushares', 'cpusetcpus'];

/** Engines refuse less. Bytes. */
const LEAST_MEMORY = 6 * 1024 ** 2;

/** Reads `container_limits`; undefined when it is not there or sets nothing. */
export function readContainerLimits(fields: YamlFields): ContainerLimits | undefined {
  const limits = fields.mapping('container_limits');
  if (limits === undefined || limits.keys.length === 0) return undefined;
  for (const key of limits.keys) if (!KEYS.some((name) => name === key)) limits.problem(key, `is no limit${nearHint(key, KEYS) || ` (there are: ${KEYS.join(', ')})`}`);
  const memory = bytes(limits, 'memory');
  const memswap = bytes(limits, 'memswap');
  if (memory !== undefined && memory < LEAST_MEMORY) limits.problem('memory', 'is less than engines take: 6m');
  if (memswap !== undefined && memswap !== -1) {
    if (!limits.keys.includes('memory')) limits.problem('memswap', 'is memory and swap together, so memory must be there, too');
    else if (memory !== undefined && memswap < memory) limits.problem('memswap', 'is memory and swap together, and less than memory');
  }
  const cpushares = limits.number('cpushares', { whole: true, min: 2, max: 262144 });
  const cpus = limits.textOrNumber('cpusetcpus');
  const cpusetcpus = cpus === undefined ? undefined : String(cpus);
  if (cpusetcpus !== undefined && !/^\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*$/.test(cpusetcpus)) limits.problem('cpusetcpus', 'is no list of processors ("0-3", "0,1")');
  return {
    ...(memory === undefined ? {} : { memory }),
    ...(memswap === undefined ? {} : { memswap }),
    ...(cpushares === undefined ? {} : { cpushares }),
    ...(cpusetcpus === undefined ? {} : { cpusetcpus }),
  };
}

function bytes(limits: YamlFields, key: 'memory' | 'memswap'): number | undefined {
  const written = limits.textOrNumber(key);
  if (written === undefined || (key === 'memswap' && Number(written) === -1)) return written === undefined ? undefined : -1;
  const size = parseDockerSize(String(written));
  if (size === undefined) limits.problem(key, 'is no size ("512m", "2g", or a number of bytes)');
  return size;
}
