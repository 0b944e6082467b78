import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { seeded, type Chance } from './seeded.js';

/** One generated definition. */
export type GeneratedDefinition = {
  readonly tree: 'main' | 'apps' | 'cross';
  readonly name: string;
  /** Relative to its tree's folder. */
  readonly path: string;
  readonly version: string;
  /** `registry/namespace/name:version`. */
  readonly ref: string;
  /** References of the generated images that its template uses. */
  readonly uses: readonly string[];
  /** Names of the generated images that its control declares. */
  readonly declares: readonly string[];
};

const HOST = 'registry.example.org';
/** docker-pkg finds images of base_images by their names only below its own registry and namespace: its users' trees share one. */
const NAMESPACES = { main: 'ns/images', apps: 'ns/images', cross: 'cross' } as const;

/** 150, 38 and 12: `cross` names images of the others, which docker-pkg cannot. */
const MANY = { main: 150, apps: 38, cross: 12 } as const;

/** What real changelogs have as versions, and no registry refuses. */
const VERSIONS = ['1.2.3-1', '0.0.1', '1.2.3-1-s3', '20260101', '20260101-2', 'bullseye-1', '1.0.0a1-2', '1-2-3-4', '3.11.2.1-2-20251231', '1.0-1-s10', '10', '4.4.6.1-s', '0.22-20260101-0'];

const INSTRUCTIONS: readonly ((chance: Chance, name: string) => string)[] = [
  (chance) => `RUN {{ "${chance.some(['curl', 'wget', 'git', 'libssl3', 'python3-venv'], 1, 4).join(' ')}" | apt_install }}`,
  () => '{% set packages -%}\ngcc\n  make\nlibfoo-dev\n{%- endset -%}\nRUN {{ packages | apt_install }} \\\n    && make',
  () => `RUN {{ "gcc make" | apt_remove }}`,
  () => `RUN {{ "www-data" | add_user }}`,
  () => `USER {{ "www-data" | uid }}`,
  (_, name) => `{# ${name} #}\nLABEL name="{{ "${name}" | upper }}" flavour={{ flavour }}`,
  () => '{%- for tool in tools %}\nENV {{ tool | upper }}_HOME=/opt/{{ tool }}{% if not loop.last %}/{{ loop.index }}{% endif %}\n{%- endfor %}',
  () => '{% if seed_image is defined and seed_image != "" -%}\nENV SEED={{ seed_image }}\n{%- else -%}\nENV SEED=none\n{%- endif %}',
  () => '{% set found = ["a", "b"] %}{% do range(3) | list %}ENV FOUND={{ found | join("-") }} LAST={{ found[-1] }}',
  () => 'RUN echo \'{{ "{{" }} left alone }}\' \\\n    && true',
  () => 'ENV NUMBERS="{{ numbers.small + 1 }} {{ numbers["big"] - 2 }}"',
  () => 'COPY --chown={{ "nobody" | uid }} files /srv',
];

/**
 * Writes 200 docker-pkg style definitions in three trees with a config each, and `trees.yaml`, below a folder that counts as a git work
 * tree: control drifts from templates, versions are odd, folders lie in each other, links leave them, images have several stages,
 * and parents are outside or of another tree. The same seed, the same files.
 */
export function writeDockerPkgTree(folder: string, seed = 1): readonly GeneratedDefinition[] {
  const chance = seeded(seed);
  const write = (path: string, text: string, mode = 0o644): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text, { mode });
  };
  mkdirSync(join(folder, '.git'), { recursive: true });
  write('shared/common.conf', 'common\n');
  const all: GeneratedDefinition[] = [];
  for (const tree of ['main', 'apps', 'cross'] as const) {
    for (let index = 0; index < MANY[tree]; index++) {
      const name = `${chance.one(['base', 'web', 'tool', 'java8', 'node-20', 'lib.x', 'a'])}-${tree}-${index}`;
      const version = chance.one(VERSIONS);
      const folders = all.filter((other) => other.tree === tree);
      const holder = chance.is(0.4) && folders.length > 0 ? `${chance.one(folders).path}/` : chance.is(0.3) ? 'group/' : '';
      const path = `${holder}${name}`;
      const definition: GeneratedDefinition = { tree, name, path, version, ref: `${HOST}/${NAMESPACES[tree]}/${name}:${version}`, ...writeDefinition(`${tree}/images/${path}`, { tree, name, version }, all, chance, write) };
      if (chance.is(0.15)) link(folder, `${tree}/images/${path}/files/common.conf`, 'shared/common.conf');
      all.push(definition);
    }
  }
  for (const tree of ['main', 'apps', 'cross'] as const) write(`${tree}/config.yaml`, configOf(tree, all));
  write('trees.yaml', `trees:\n${Object.keys(MANY).map((tree) => `  - { name: ${tree}, directory: ${tree}/images, config: ${tree}/config.yaml }\n`).join('')}`);
  return all;
}

function configOf(tree: GeneratedDefinition['tree'], all: readonly GeneratedDefinition[]): string {
  // As people write it who build one tree alone: the other's images are outside images.
  const others = tree === 'apps' ? all.filter((other) => other.tree === 'main').slice(0, 20).map(({ ref }) => ref) : [];
  return [
    `registry: ${HOST}`,
    `namespace: ${NAMESPACES[tree]}`,
    `base_images: ${JSON.stringify([`${HOST}/${NAMESPACES[tree]}/debian:12`, `${HOST}/sub/trixie:latest`, ...others])}`,
    'apt_options: -o Acquire::Retries=3',
    ...(tree === 'apps' ? ['http_proxy: http://proxy.example.org:3128'] : []),
    'known_uid_mappings: { www-data: 33, nobody: 65534, app: 900 }',
    ...(tree === 'main' ? ['seed_image: bookworm'] : []),
    'flavour: plain',
    'tools: [jdk, node]',
    'numbers: { small: 1, big: 9 }',
    '',
  ].join('\n');
}

type Write = (path: string, text: string, mode?: number) => void;

/** Writes one definition; what it uses and what it declares. */
function writeDefinition(at: string, { tree, name, version }: Pick<GeneratedDefinition, 'tree' | 'name' | 'version'>, all: readonly GeneratedDefinition[], chance: Chance, write: Write): Pick<GeneratedDefinition, 'uses' | 'declares'> {
  const own = all.filter((other) => other.tree === tree);
  const mains = all.filter((other) => other.tree === 'main');
  // base_images of `apps` has the first of them; `cross` names any.
  const reachable = tree === 'main' ? own : tree === 'apps' ? [...own, ...mains.slice(0, 20)] : all;
  const uses = new Set<GeneratedDefinition>();
  const parent = (): string => {
    if (reachable.length > 0 && chance.is(tree === 'cross' ? 0.9 : 0.7)) {
      const used = chance.one(reachable);
      uses.add(used);
      return `{{ "${used.name}" | image_tag }}`;
    }
    return chance.one(['{{ "debian" | image_tag }}', `{{ registry }}/elsewhere/thing:${chance.below(9)}`, 'docker.io/library/alpine:3', 'scratch']);
  };
  const some = (): string => chance.some(INSTRUCTIONS, 0, 4).map((instruction) => instruction(chance, name)).join('\n');
  const stages = chance.one([1, 1, 1, 2, 3]);
  const text: string[] = [];
  for (let stage = 1; stage < stages; stage++) text.push(`FROM ${parent()} AS stage${stage}`, some(), `RUN make stage${stage}`);
  text.push(`FROM ${parent()}`, some());
  for (let stage = 1; stage < stages; stage++) text.push(`COPY --from=stage${stage} /out /out`);
  if (chance.is(0.1)) text.push(`COPY --from=${parent()} /x /x`);
  if (chance.is(0.1)) {
    write(`${at}/macros.j2`, '{% macro greet(who) -%}\nRUN echo hello {{ who }}\n{%- endmacro %}\n');
    text.unshift('{% from "macros.j2" import greet %}');
    text.push(`{{ greet("${name}") }}`);
  }
  write(`${at}/Dockerfile.template`, `${text.filter((line) => line !== '').join('\n')}${chance.is(0.8) ? '\n' : ''}`);

  const older = chance.some(VERSIONS, 0, 3).filter((other) => other !== version);
  write(`${at}/changelog`, [version, ...older].map((one) => `${name} (${one}) ${chance.one(['wikimedia', 'trixie', 'unstable'])}; urgency=${chance.one(['low', 'high'])}\n\n  * An entry.\n\n -- Some Body <somebody@example.org>  Thu, 01 Jan 2026 10:00:00 +0000\n`).join('\n'));
  const inTree = [...uses].filter((other) => other.tree === tree || tree === 'cross');
  // Real trees forget a tenth of their parents, and keep some that nothing uses any more.
  const declared = [...new Set([...inTree.filter(() => chance.is(0.85)), ...(own.length > 0 && chance.is(0.1) ? [chance.one(own)] : [])])];
  if (chance.is(0.9)) write(`${at}/control`, controlOf(name, declared.map((other) => other.name), chance));
  write(`${at}/files/run.sh`, `#!/bin/sh\necho ${name}\n`, 0o755);
  if (chance.is(0.2)) write(`${at}/test.sh`, '#!/bin/bash\ntrue\n', 0o755);
  if (chance.is(0.2)) write(`${at}/.dockerignore`, '*.md\n!README.md\n');
  if (chance.is(0.2)) write(`${at}/README.md`, `# ${name}\n`);
  return { uses: [...uses].map(({ ref }) => ref), declares: declared.map((other) => other.name) };
}

function controlOf(name: string, declared: readonly string[], chance: Chance): string {
  const field = chance.one(['Depends', 'Build-Depends']);
  const written = declared.map((other) => `${other}${chance.one(['', '', ' (>= 1.0)'])}`);
  const unknown = chance.is(0.05) ? ['no-such-image'] : [];
  const relations = [...written, ...unknown].join(chance.one([', ', ',\n ']));
  return `Package: ${name}\nVersion: 1\nMaintainer: Some Body <somebody@example.org>\n${relations === '' ? '' : `${field}: ${relations}\n`}Description: ${name}\n An image.\n`;
}

function link(folder: string, at: string, to: string): void {
  symlinkSync(relative(dirname(join(folder, at)), join(folder, to)), join(folder, at));
}
