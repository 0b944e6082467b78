import { DockerfileParser, ModifiableInstruction } from 'dockerfile-ast';

/** An instruction of a Dockerfile, and the line on which it begins, from 1. */
export type DockerfilePlace = {
  /** `RUN`, in capitals. */
  readonly keyword: string;
  /** Without flags, continuations and comments; still of several lines when it holds a heredoc. */
  readonly args: string;
  /** `--mount=type=secret,id=a`, as written. */
  readonly flags: readonly string[];
  readonly line: number;
};

type Stage = { readonly name: string | undefined; readonly from: DockerfilePlace; readonly steps: readonly DockerfilePlace[] };

/** The instructions that BuildKit counts in `[2/3]`, beside a FROM. */
const COUNTED = ['ADD', 'COPY', 'RUN', 'WORKDIR'];

/**
 * The instruction that a build step's name stands for. BuildKit names a step `[2/3] RUN …`, in a Dockerfile of several stages
 * `[builder 2/3] …` or `[stage-1 2/3] …`; of a parent it says `[internal] load metadata for REF` or `FROM REF`. The text behind
 * cannot be searched for: it has its variables filled in.
 */
export async function placeOfStep(dockerfile: string, step: string): Promise<DockerfilePlace | undefined> {
  const places = placesIn(dockerfile);
  const reference = /^(?:\[internal\] load metadata for|FROM) (\S+)/.exec(step)?.[1];
  if (reference !== undefined) return placeOfParent(places, dockerfile, reference);

  const counted = /^\[(?:\S+ )*?(?:([^\s/]+) )?(\d+)\/(\d+)\] (\S+)/.exec(step);
  if (counted === null) return undefined;
  const [, name, index, total, keyword] = counted;
  const stages = stagesOf(places);
  const stage = stages.find((candidate, at) => candidate.name === name || `stage-${at}` === name) ?? (name === undefined && stages.length === 1 ? stages[0] : undefined);
  if (stage === undefined) return undefined;
  // Counted from the end: instructions that the parent has ONBUILD come first and are in no file of ours.
  const place = keyword === 'FROM' ? stage.from : stage.steps[stage.steps.length - 1 - (Number(total) - Number(index))];
  return place?.keyword === keyword ? place : undefined;
}

/** Every instruction of a Dockerfile, in order. */
export function placesIn(dockerfile: string): readonly DockerfilePlace[] {
  return DockerfileParser.parse(dockerfile)
    .getInstructions()
    .map((instruction): DockerfilePlace => {
      const raw = instruction.getRawArgumentsContent() ?? '';
      const bare = raw.includes('<<') ? raw : raw.replace(/^\s*#.*$/gm, '').replace(/\\[ \t]*$/gm, '');
      const flags = instruction instanceof ModifiableInstruction ? instruction.getFlags().map(String) : [];
      return { keyword: instruction.getKeyword(), args: bare.replace(/^(?:--\S+\s+)+/, ''), flags, line: instruction.getRange().start.line + 1 };
    });
}

function stagesOf(places: readonly DockerfilePlace[]): readonly Stage[] {
  const stages: { name: string | undefined; from: DockerfilePlace; steps: DockerfilePlace[] }[] = [];
  for (const place of places) {
    if (place.keyword === 'FROM') stages.push({ name: /\sas\s+(\S+)\s*$/i.exec(place.args)?.[1]?.toLowerCase(), from: place, steps: [] });
    else if (COUNTED.includes(place.keyword)) stages.at(-1)?.steps.push(place);
  }
  return stages;
}

/** The first line that names an image; engines write its name in full (`docker.io/library/debian:12`). */
function placeOfParent(places: readonly DockerfilePlace[], dockerfile: string, reference: string): DockerfilePlace | undefined {
  const full = reference.replace(/@sha256:[0-9a-f]{64}$/, '');
  const lines = dockerfile.split('\n');
  return places.find(({ keyword, args, line }) => {
    if (!['FROM', 'COPY', 'RUN'].includes(keyword)) return false;
    const words = keyword === 'FROM' ? args.split(/\s+/).slice(0, 1) : [...(lines[line - 1] ?? '').matchAll(/from=([^\s,]+)/g)].map(([, word]) => word!);
    return words.some((word) => [word, `${word}:latest`].some((name) => full === name || full === `docker.io/${name}` || full === `docker.io/library/${name}`));
  });
}
