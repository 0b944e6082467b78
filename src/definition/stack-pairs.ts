import { errorAt, warningAt, type Problem } from '../shared/problem.js';
import type { Definition, Recipe } from './definition.js';
import { abiOf } from './stack.js';

type StackImage = { readonly definition: Definition; readonly recipe: Extract<Recipe, { kind: 'stack' }> };

/** What does not fit between the run and the build image of each stack: "the platform MUST ensure" it (CNB platform spec, "Run Image"). */
export function stackPairProblems(definitions: readonly Definition[]): readonly Problem[] {
  const stacks = new Map<string, StackImage[]>();
  for (const definition of definitions) {
    const { recipe } = definition;
    if (recipe.kind !== 'stack') continue;
    // Ids tell stacks apart whatever their case (CNB platform spec, "Target data").
    const key = recipe.stack.id.toLowerCase();
    stacks.set(key, [...(stacks.get(key) ?? []), { definition, recipe }]);
  }
  return [...stacks.values()].flatMap((images) => images.slice(1).flatMap((image) => pairProblems(images[0]!, image)));
}

function pairProblems(first: StackImage, second: StackImage): readonly Problem[] {
  const one = first.recipe.stack;
  const { stack, stackPath, lines } = second.recipe;
  const error = (key: keyof typeof lines, message: string): Problem => errorAt(stackPath, lines[key], message);
  if (one.role === stack.role) return [error('role', `the ${stack.role} image of stack ${stack.id} is ${first.definition.directory} already`)];
  const problems: Problem[] = [];
  const stem = ({ definition, recipe }: StackImage): string => definition.name.slice(0, -recipe.stack.role.length - 1);
  if (one.id !== stack.id) problems.push(error('id', `id differs from "${one.id}" of ${first.definition.name} in its letters' case alone`));
  if (stem(first) !== stem(second)) problems.push(error('id', `"${second.definition.name}" is of the stack of "${first.definition.name}", whose images are called ${stem(first)}-run and ${stem(first)}-build`));
  if (one.distro.name !== stack.distro.name || one.distro.version !== stack.distro.version) {
    problems.push(error('distro', `distro is ${distroOf(second)}, but that of ${first.definition.name} is ${distroOf(first)}: what is built on one would not run on the other`));
  }
  const [run, build] = stack.role === 'run' ? [second, first] : [first, second];
  for (const mixin of onBoth(build)) if (!onBoth(run).includes(mixin)) problems.push(errorAt(run.recipe.stackPath, run.recipe.lines.mixins, `mixin "${mixin}" of ${build.definition.name} is missing in ${run.definition.name} (one of the build image alone is "build:${mixin}")`));
  if (one.uid === stack.uid) problems.push(warningAt(stackPath, lines.uid, `uid ${stack.uid} is that of ${first.definition.name} too: an app could change its own layers (${abiOf(stack)}'s run image should have another)`));
  return problems;
}

function onBoth({ recipe }: StackImage): readonly string[] {
  return recipe.stack.mixins.filter((mixin) => !mixin.includes(':'));
}

function distroOf({ recipe }: StackImage): string {
  return `${recipe.stack.distro.name} ${recipe.stack.distro.version}`;
}
