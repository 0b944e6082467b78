import { ownersOf } from '../plan/owners.js';
import { parseRelease, planSupposed, supposedUpgrades, type SupposedRelease, type Supposition } from '../plan/suppose.js';
import { formatSupposed } from '../report/format-supposed.js';
import { EXIT, UsageError } from '../shared/errors.js';
import { nearHint } from '../shared/near-names.js';
import { dayOf } from '../state/dated-tag.js';
import type { UpgradesRead } from '../state/image-upgrades.js';
import { readNeeds } from '../state/read-state.js';
import { readUpgrades } from '../state/read-upgrades.js';
import { imageNamed } from './image-named.js';
import { connect } from './outside.js';
import { outsideOf, readTreeAndState, selection } from './planning.js';
import { readConfig, type Tree } from './tree.js';
import type { Options, Verb } from './verb.js';

/** Shows what would be rebuilt if packages were released, or images rebuilt. */
export const planIf: Verb = async (options, environment) => {
  for (const name of ['rebuild', 'nightly', 'snapshot'] as const) if (options[name]) throw new UsageError(`--${name} is for what is done, and --if-package and --if-base only think of something`);
  const releases = options.ifPackage.map(releaseOf);
  const config = await readConfig(options, environment);
  const connections = await connect(config, environment);
  try {
    const { tree, reading } = await readTreeAndState(config, connections, options, environment);
    const supposition = { releases, ...basesOf(tree, options) };
    const select = selection(tree, options);
    let state = await reading;
    const nothing: UpgradesRead = { images: new Map(), outside: new Map() };
    const compare = async ({ installed }: Parameters<Parameters<typeof readUpgrades>[4]>[0]) => ({ unknown: [], upgrades: supposedUpgrades(installed, releases), archived: [], withoutSources: false });
    const read = releases.length === 0 ? nothing : await readUpgrades(tree.graph, state, select, { packages: await connections.packageReader(), published: connections.registry }, compare, environment.signal);
    for (const name of unheard(releases, read)) environment.err(name);
    const owned = ownersOf(tree.graph, read);
    const day = dayOf(environment.clock.now());
    let plan = planSupposed(tree.graph, state, supposition, owned, day);
    if (plan.needs.length > 0) {
      state = await readNeeds(tree.graph, state, plan.needs, outsideOf(connections), environment.signal);
      plan = planSupposed(tree.graph, state, supposition, owned, day);
    }
    const unknown = new Map([...read.images].flatMap(([image, one]) => (one.unknown.length === 0 ? [] : [[image, one.unknown] as const])));
    if (options.json) environment.out(JSON.stringify({ supposing: supposition, unknown: Object.fromEntries(unknown), steps: plan.steps.map(({ image, ref, tag, kind, action, parents, reasons }) => ({ image, ref, tag, kind, action, parents, reasons })) }, null, 2));
    else for (const line of formatSupposed(plan, supposition, unknown)) environment.out(line);
    if (unknown.size > 0) return EXIT.archive;
    return options.check && plan.steps.some(({ action }) => action === 'build') ? EXIT.pending : EXIT.ok;
  } finally {
    await connections.close();
  }
};

function releaseOf(text: string): SupposedRelease {
  const release = parseRelease(text);
  if (release === undefined) throw new UsageError(`--if-package takes NAME or NAME=VERSION (libssl3=3.0.17-1), not "${text}"`);
  return release;
}

/** What to say of packages that no image has. */
function unheard(releases: readonly SupposedRelease[], { images }: UpgradesRead): readonly string[] {
  if (releases.length === 0) return [];
  const names = new Set([...images.values()].flatMap(({ installed }) => [...installed.keys()].map((key) => key.slice(0, key.lastIndexOf(':')))));
  return releases.flatMap(({ package: name }) => (names.has(name) ? [] : [`no published image has a package ${name}${nearHint(name, names)}`]));
}

/** Each is an image of the tree, or else an outside image that something is built on. */
function basesOf({ graph }: Tree, { ifBase }: Options): Pick<Supposition, 'images' | 'outside'> {
  const outside = new Set([...graph.nodes.values()].flatMap(({ sources }) => sources.flatMap(({ ref, image }) => (image === undefined ? [ref] : []))));
  const names = [...graph.nodes.values()].map(({ definition }) => definition.name);
  const found = ifBase.map((name) => {
    const image = imageNamed(graph, name);
    if (image === undefined && !outside.has(name)) throw new UsageError(`--if-base: nothing is built on "${name}", and the tree has no such image${nearHint(name, [...names, ...outside])}`);
    return { image, name };
  });
  return { images: found.flatMap(({ image }) => image ?? []), outside: found.flatMap(({ image, name }) => (image === undefined ? [name] : [])) };
}
