import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** One generated definition and what must come out of it. */
export type Generated = {
  readonly name: string;
  /** Relative to images/. */
  readonly path: string;
  readonly version: string;
  /** References of everything it stands on: the tree's in the order of their names, then outside images. */
  readonly parents: readonly string[];
  /** The Dockerfile that its template renders to. */
  readonly dockerfile: string;
};

const HOST = 'registry.example.org:5000';
const PREFIX = `${HOST}/team`;

/** apt_install as facts about docker-pkg 4 have it, with `apt_options: -y`. */
const aptInstall = (packages: string): string =>
  `apt-get update -y \\\n    && DEBIAN_FRONTEND=noninteractive \\\n    apt-get install -y --yes ${packages} --no-install-recommends \\\n    && apt-get clean && rm -rf /var/lib/apt/lists/* `;

/**
 * Writes a docker-pkg style tree of groups of six: a parent on an outside image, a child nested in its folder, a grandchild
 * nested in that, an image of two stages, one whose FROM is an ARG, and one that is FROM `{{ registry }}/…`.
 */
export function generateTree(folder: string, groups: number): readonly Generated[] {
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  write('config.yaml', `registry: ${HOST}\nnamespace: team\nbase_images: [${HOST}/debian:12]\napt_options: -y\nknown_uid_mappings: { www-data: 33 }\nflavour: plain\n`);
  const all: Generated[] = [];
  const define = (name: string, path: string, version: string, template: string, dockerfile: string, parents: readonly string[], depends: string): void => {
    write(`images/${path}/Dockerfile.template`, `${template}\n`);
    write(`images/${path}/changelog`, `${name} (${version}) wikimedia; urgency=high\n\n  * An entry.\n\n -- Some Body <somebody@example.org>  Thu, 01 Jan 2026 10:00:00 +0000\n\n${name} (0.0.1-1) wikimedia; urgency=low\n\n  * First.\n\n -- Some Body <somebody@example.org>  Wed, 31 Dec 2025 10:00:00 +0000\n`);
    write(`images/${path}/control`, `Package: ${name}\nMaintainer: Some Body <somebody@example.org>\n${depends}Description: ${name}\n`);
    write(`images/${path}/files/run.sh`, `#!/bin/sh\necho ${name}\n`);
    all.push({ name, path, version, parents, dockerfile });
  };
  for (let group = 0; group < groups; group++) {
    const n = (part: string): string => `${part}-${group}`;
    const version = `1.${group}.0-1`;
    const ref = (part: string): string => `${PREFIX}/${n(part)}:${version}`;
    const at = `group-${group}`;
    define(n('base'), at, version, `FROM {{ "debian" | image_tag }}\nRUN {{ "curl wget" | apt_install }}`, `FROM ${HOST}/debian:12\nRUN ${aptInstall('curl wget')}`, [`${HOST}/debian:12`], '');
    define(
      n('child'),
      `${at}/child`,
      version,
      `{% set packages -%}\npython3\npython3-venv\n{%- endset -%}\nFROM {{ "${n('base')}" | image_tag }}\nRUN {{ packages | apt_install }}\nUSER {{ "www-data" | uid }}`,
      `FROM ${ref('base')}\nRUN ${aptInstall('python3 python3-venv')}\nUSER 33`,
      [ref('base')],
      `Depends: ${n('base')} (>= 1.0)\n`,
    );
    define(n('grandchild'), `${at}/child/deeper`, version, `FROM {{ "${n('child')}" | image_tag }}\n{# said to nobody #}\nLABEL flavour={{ flavour }}`, `FROM ${ref('child')}\n\nLABEL flavour=plain`, [ref('child')], `Depends: ${n('child')}, ${n('base')}\n`);
    define(
      n('stages'),
      `stages/${at}`,
      version,
      `FROM {{ "${n('child')}" | image_tag }} AS builder\nRUN make\nFROM {{ "${n('base')}" | image_tag }}\nCOPY --from=builder /x /x`,
      `FROM ${ref('child')} AS builder\nRUN make\nFROM ${ref('base')}\nCOPY --from=builder /x /x`,
      [ref('base'), ref('child')],
      `Build-Depends: ${n('child')}\nDepends: ${n('base')}\n`,
    );
    define(n('argument'), `arguments/${at}`, version, `ARG BASE={{ "${n('base')}" | image_tag }}\nFROM \${BASE}\nARG BASE\nRUN echo $BASE`, `ARG BASE=${ref('base')}\nFROM \${BASE}\nARG BASE\nRUN echo $BASE`, [ref('base')], '');
    define(n('outside'), `outside/${at}`, version, `FROM {{ registry }}/elsewhere/thing-${group}:3\nRUN true`, `FROM ${HOST}/elsewhere/thing-${group}:3\nRUN true`, [`${HOST}/elsewhere/thing-${group}:3`], '');
  }
  return all.map((image) => {
    // The grandchild's control names base too, which its Dockerfile does not.
    const group = image.name.split('-')[1]!;
    const base = all.find(({ name }) => name === `base-${group}`)!;
    return image.name.startsWith('grandchild-') ? { ...image, parents: [`${PREFIX}/${base.name}:${base.version}`, ...image.parents] } : image;
  });
}

/** `namespace/name` of a generated image. */
export const imageOf = ({ name }: Generated): string => `team/${name}`;
/** Its full reference. */
export const refOf = ({ name, version }: Generated): string => `${PREFIX}/${name}:${version}`;
