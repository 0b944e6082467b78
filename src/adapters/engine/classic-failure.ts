import { BuildFailure } from '../../execute/build-engine.js';
import type { ContainerLimits } from '../../shared/container-limits.js';
import { parseImageRef } from '../../shared/image-ref.js';
import { explainBuildFailure, instructionOf, saidBehind } from './build-failure.js';
import { placesIn, type DockerfilePlace } from './dockerfile-place.js';
import { oneLine } from './engine-connection.js';
import { diskFull, isDiskFull, registryFault, statusIn } from './engine-faults.js';

/** Whose fault a failed build of the classic builder is, and in which words. `step`: number of the instruction that failed, from 1, when one did. */
export async function explainClassicFailure(text: string, step: number | undefined, dockerfile: string, limits: ContainerLimits | undefined): Promise<Error> {
  const words = oneLine(text);
  if (isDiskFull(words)) return diskFull();
  const place = step === undefined ? undefined : placesIn(dockerfile)[step - 1];
  if (place === undefined) return explainBuildFailure(text, undefined, dockerfile);
  const failure = (what: string): BuildFailure => new BuildFailure(saidBehind(instructionOf(place), what), place.line);

  const exit = /returned a non-zero code: (\d+)$/.exec(words)?.[1];
  if (exit === '137' && limits?.memory !== undefined) return failure(`killed (137): out of memory? container_limits allows ${megabytes(limits.memory)} MB`);
  if (exit !== undefined) return failure(`exit ${exit}`);

  const option = /^the (--\S+) option requires BuildKit/.exec(words)?.[1];
  if (option !== undefined) return failure(`${option} needs BuildKit`);
  if (place.keyword === 'FROM') return parentFailure(words, place) ?? failure(words);
  const missing = /^(?:COPY|ADD) failed: (?:file not found in build context or excluded by \.dockerignore: )?stat (\S+): (?:file does not exist|no such file or directory)$/.exec(words)?.[1];
  return failure(missing === undefined ? words.replace(/^(?:COPY|ADD) failed: /, '') : `/${missing.replace(/^\//, '')} is not there`);
}

/** A parent that its registry did not give, if that is what happened. A registry's plain "not found" is the Dockerfile's fault. */
function parentFailure(words: string, { args }: DockerfilePlace): Error | undefined {
  const image = parseImageRef(args.split(/\s+/)[0]!);
  if (image === undefined || statusIn(words) === 404) return undefined;
  // With the containerd store the words are of both; only the end tells a login that is missing from a name that is wrong.
  if (/repository does not exist|stage/.test(words) && !/authorization failed/.test(words)) return undefined;
  return registryFault('pull', image, words);
}

function megabytes(bytes: number): number {
  return Math.floor(bytes / 1024 ** 2);
}
