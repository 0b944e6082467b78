import { EXIT, UsageError } from '../shared/errors.js';
import { nearHint } from '../shared/near-names.js';
import { imageNamed } from './image-named.js';
import { readConfig, readTree } from './tree.js';
import type { Verb } from './verb.js';

/** Shows the Dockerfile that a template renders to; asks neither registry nor engine. */
export const render: Verb = async (options, environment) => {
  const { graph } = await readTree(await readConfig(options, environment), options, environment);
  const [named] = options.images;
  if (named === undefined) {
    const texts = [...graph.nodes].flatMap(([image, { dockerfile }]) => (dockerfile === undefined ? [] : [[image, dockerfile] as const]));
    if (options.json) environment.out(JSON.stringify(Object.fromEntries(texts), null, 2));
    else for (const [image, text] of texts) environment.out(`# ${image}\n${text}\n`);
    return EXIT.ok;
  }
  const image = imageNamed(graph, named);
  if (image === undefined) throw new UsageError(`there is no image "${named}" in the tree${nearHint(named, [...graph.nodes.values()].map(({ definition }) => definition.name))}`);
  const { dockerfile, definition } = graph.nodes.get(image)!;
  if (dockerfile === undefined) throw new UsageError(`${definition.name} is a ${definition.recipe.kind} image: it has no Dockerfile`);
  environment.out(options.json ? JSON.stringify({ [image]: dockerfile }, null, 2) : dockerfile);
  return EXIT.ok;
};
