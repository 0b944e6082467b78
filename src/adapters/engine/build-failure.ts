import { BuildFailure } from '../../execute/build-engine.js';
import { EngineError, RegistryError } from '../../shared/errors.js';
import { placeOfStep, type DockerfilePlace } from './dockerfile-place.js';
import { oneLine } from './engine-connection.js';
import { diskFull, isDiskFull, statusIn } from './engine-faults.js';

/** Instructions longer than this are cut in messages. Characters. */
const LONGEST_INSTRUCTION = 60;

/** What engines put before what happened. */
const PREFIX = /^(?:failed to solve(?: with frontend \S+)?|failed to create LLB definition|failed to (?:compute|load) cache key|failed to calculate checksum of ref \S+|rpc error: code = \w+ desc =|error from sender):? /;

const NO_SSH = 'builds have no SSH agent here: fetch beforehand, or use a token in build_secrets';

/**
 * Whose fault a failed build is, and in which words. Knows the texts of engines 20.10 (`executor failed running [/bin/sh -c exit 7]: exit code: 7`)
 * and 23 and newer (`process "/bin/sh -c exit 7" did not complete successfully: exit code: 7`). `step`: the name of the step that
 * failed, as the engine told it. `missingSecrets`: those that it asked for and did not get, and why.
 */
export async function explainBuildFailure(text: string, step: string | undefined, dockerfile: string, missingSecrets: ReadonlyMap<string, string> = new Map()): Promise<Error> {
  const words = withoutPrefixes(oneLine(text));
  const place = step === undefined ? undefined : await placeOfStep(dockerfile, step);
  const failure = (what: string, line = place?.line): BuildFailure => new BuildFailure(what, line);
  const instruction = place !== undefined ? instructionOf(place) : instructionOfStep(step);

  const exit = /^(?:executor failed running \[.*\]|process ".*" did not complete successfully): (.*)$/.exec(words)?.[1];
  if (isDiskFull(exit ?? words)) return diskFull();
  if (exit !== undefined) return failure(saidBehind(instruction ?? { text: 'a RUN instruction', cut: false }, exit.replace(/^exit code: /, 'exit ') + wentWithout(place, missingSecrets)));

  const secret = /^secret (\S+?):? not found/.exec(words)?.[1];
  if (secret !== undefined && instruction !== undefined) return failure(saidBehind(instruction, `secret "${secret}": ${missingSecrets.get(secret) ?? 'not found'}`));
  if (/^no SSH key ".*" forwarded/.test(words) && instruction !== undefined) return failure(saidBehind(instruction, NO_SSH));

  if (/no active session|transport is closing|error reading from server|server preface/.test(words)) return new EngineError(`the engine lost the connection on which it gets the build's files: ${words}`);

  const syntax = /^dockerfile parse error (?:on )?line (\d+): (.*)$/i.exec(words);
  if (syntax !== null) return failure(`the Dockerfile cannot be read: ${syntax[2]!}`, Number(syntax[1]));

  const registry = registryOf(words, step);
  if (registry !== undefined) return new RegistryError(`${instruction?.text ?? 'an image of the build'}: ${registry} could not be read by the engine: ${words}`, registry, statusIn(words));

  const platform = place?.keyword === 'FROM' ? place.flags.find((flag) => flag.startsWith('--platform=')) : undefined;
  if (platform !== undefined && /not found$/.test(words)) return failure(`FROM ${platform}: parents are brought for the config's platform (unset: the engine's own) and for no other`);

  const missing = /"([^"]+)":? not found/.exec(words)?.[1];
  const what = missing === undefined ? words : `${missing} is not there`;
  return failure(instruction === undefined ? what : saidBehind(instruction, what));
}

/** What a RUN asked for as a mount, did not get, and went on without: more often than not why it failed. */
function wentWithout(place: DockerfilePlace | undefined, missingSecrets: ReadonlyMap<string, string>): string {
  const notes = (place?.flags ?? []).flatMap((flag) => {
    const options = new Map(flag.replace(/^--mount=/, '').split(',').map((option) => option.split('=', 2) as [string, string]));
    if (options.get('type') === 'ssh') return [NO_SSH];
    const target = options.get('target') ?? options.get('dst') ?? options.get('destination') ?? '';
    const id = options.get('id') ?? target.slice(target.lastIndexOf('/') + 1);
    const missing = options.get('type') === 'secret' ? missingSecrets.get(id) : undefined;
    return missing === undefined ? [] : [`secret "${id}": ${missing}`];
  });
  return notes.length === 0 ? '' : ` (${notes.join('; ')})`;
}

function withoutPrefixes(words: string): string {
  const shorter = words.replace(PREFIX, '');
  return shorter === words ? words : withoutPrefixes(shorter);
}

/** An instruction on one line; `cut`: not all of it. */
export type Instruction = { readonly text: string; readonly cut: boolean };

/** `RUN apt-get install … exit 100`, or `RUN make: exit 2` when the whole instruction is there. */
export function saidBehind({ text, cut }: Instruction, what: string): string {
  return `${text}${cut ? ' …' : ':'} ${what}`;
}

/** The instruction as it stands in the Dockerfile, made short. */
export function instructionOf({ keyword, args }: DockerfilePlace): Instruction {
  return shortened(`${keyword} ${args}`);
}

/** As the engine names its step: with variables filled in. */
function instructionOfStep(step: string | undefined): Instruction | undefined {
  return step === undefined ? undefined : shortened(step.replace(/^\[internal\] load metadata for /, 'FROM ').replace(/^\[[^\]]*\] /, ''));
}

function shortened(text: string): Instruction {
  const line = oneLine(text).replace(/(\w:\/\/)[^\s/@]+@/g, '$1');
  if (line.length <= LONGEST_INSTRUCTION) return { text: line, cut: false };
  const space = line.lastIndexOf(' ', LONGEST_INSTRUCTION);
  return { text: line.slice(0, space > LONGEST_INSTRUCTION / 2 ? space : LONGEST_INSTRUCTION), cut: true };
}

/** The registry that did not give an image, when that is what happened. A registry's plain "not found" is the Dockerfile's fault. */
function registryOf(words: string, step: string | undefined): string | undefined {
  if (!/failed to do request|pulling from host \S+ failed|failed to authorize|failed to fetch \w+ token|unexpected status|failed to resolve source metadata|(?:authorization|insufficient_scope): /.test(words)) return undefined;
  if (statusIn(words) === 404 || /repository does not exist/.test(words)) return undefined;
  const host = /pulling from host (\S+) failed/.exec(words)?.[1] ?? /"?https?:\/\/([^/"\s]+)/.exec(words)?.[1] ?? /(?:load metadata for|FROM) ([^/\s]+)\//.exec(step ?? '')?.[1] ?? 'docker.io';
  return host === 'registry-1.docker.io' || host === 'auth.docker.io' ? 'docker.io' : host;
}
