import { isLeftOut, placeOf } from './package-paths.js';
import type { LayerRecord } from './layer-record.js';
import type { PackageFiles } from './package-files.js';

/** The package files of an image, as far as its layers' records tell them. */
export type Collected = {
  readonly files: PackageFiles;
  /** Paths that a link or a `Signed-By` leads to and that the records say nothing of; without a slash in front. */
  readonly beyond: readonly string[];
};

/** One path of an image, all layers on each other. */
type Seen = { readonly is: 'folder' | 'other' } | { readonly is: 'file'; readonly content: Uint8Array } | { readonly is: 'link'; readonly to: string } | { readonly is: 'same'; readonly as: string };

type Tree = Map<string, Seen>;

/** Links that go round in a circle end here, as in Linux (path_resolution(7)). */
const MAX_LINKS = 40;

/** Folders in which apt, or an image without dpkg, keeps one file for each source, key or package. */
const LISTED = ['etc/apt', 'etc/apt/apt.conf.d', 'etc/apt/keyrings', 'etc/apt/preferences.d', 'etc/apt/sources.list.d', 'etc/apt/trusted.gpg.d', 'usr/share/keyrings', 'var/lib/dpkg/status.d'];

const NAMED = ['etc/os-release', 'var/lib/dpkg/arch', 'var/lib/dpkg/status'];

/**
 * What an image says of its packages, links resolved.
 * @param layers lowest first
 * @param roots what the records were made for
 */
export function collectFiles(layers: readonly LayerRecord[], roots: readonly string[]): Collected {
  const tree = mergeLayers(layers);
  const files = new Map<string, Uint8Array>();
  const beyond = new Set<string>();
  const take = (path: string): void => {
    if (isLeftOut(path)) return;
    const found = locate(tree, roots, path);
    if (found.at === 'file') files.set(`/${path}`, found.content);
    else if (found.at === 'beyond') beyond.add(found.path);
  };
  for (const path of NAMED) take(path);
  for (const folder of LISTED) {
    const found = locate(tree, roots, folder);
    if (found.at === 'beyond') beyond.add(found.path);
    if (found.at !== 'folder') continue;
    const prefix = `${found.path}/`;
    for (const [path, { is }] of tree) if (is !== 'folder' && path.startsWith(prefix) && !path.includes('/', prefix.length)) take(`${folder}/${path.slice(prefix.length)}`);
  }
  for (const path of signingKeys(files)) if (!files.has(`/${path}`)) take(path);
  beyond.delete('');
  return { files, beyond: [...beyond] };
}

/** The layers on each other (OCI image spec, "Changeset"): what a layer takes away is gone before it adds anything. */
function mergeLayers(layers: readonly LayerRecord[]): Tree {
  const tree: Tree = new Map();
  const empty = (folder: string): void => {
    if (folder !== '' && tree.get(folder)?.is !== 'folder') return;
    for (const path of tree.keys()) if (folder === '' || path.startsWith(`${folder}/`)) tree.delete(path);
  };
  for (const layer of layers) {
    for (const [path, { change }] of layer) {
      if (change !== 'removed' && change !== 'emptied') continue;
      empty(path);
      if (change === 'removed') tree.delete(path);
    }
    for (const [path, change] of layer) {
      if (change.change === 'removed' || change.change === 'emptied') continue;
      // What lies below a path makes it a folder, whatever it was.
      for (let slash = path.indexOf('/'); slash > 0; slash = path.indexOf('/', slash + 1)) {
        const above = path.slice(0, slash);
        if (tree.get(above)?.is !== 'folder') tree.set(above, { is: 'folder' });
      }
      if (change.change !== 'folder') empty(path);
      tree.set(path, seenOf(tree, change));
    }
  }
  return tree;
}

function seenOf(tree: Tree, change: Exclude<LayerRecord[number][1], { change: 'removed' | 'emptied' }>): Seen {
  switch (change.change) {
    case 'file':
      return { is: 'file', content: change.content };
    case 'link':
      return { is: 'link', to: change.to };
    case 'same':
      return tree.get(change.as) ?? { is: 'same', as: change.as };
    case 'folder':
    case 'other':
      return { is: change.change };
  }
}

type Located = { readonly at: 'file'; readonly content: Uint8Array } | { readonly at: 'folder' | 'beyond'; readonly path: string } | { readonly at: 'nowhere' };

/** Follows a path, link by link. */
function locate(tree: Tree, roots: readonly string[], path: string): Located {
  let ahead = path.split('/');
  let here: string[] = [];
  for (let links = 0; ahead.length > 0; ) {
    const [part, ...rest] = ahead;
    ahead = rest;
    if (part === '' || part === '.') continue;
    if (part === '..') {
      here.pop();
      continue;
    }
    const at = [...here, part!].join('/');
    if (placeOf(at, roots) === 'beside') return { at: 'beyond', path: beyondPath(at, rest) };
    const seen = tree.get(at);
    if (seen?.is === 'link') {
      if (++links > MAX_LINKS) return { at: 'nowhere' };
      if (seen.to.startsWith('/')) here = [];
      ahead = [...seen.to.split('/'), ...rest];
      continue;
    }
    if (rest.length > 0) {
      here.push(part!);
      continue;
    }
    if (seen?.is === 'file') return { at: 'file', content: seen.content };
    if (seen?.is === 'same') return placeOf(seen.as, roots) === 'inside' ? { at: 'nowhere' } : { at: 'beyond', path: seen.as };
    here.push(part!);
  }
  return { at: 'folder', path: here.join('/') };
}

/** Where a path leads that nothing is known of; `..` in it cannot be followed, and what is above it is asked for instead. */
function beyondPath(at: string, rest: readonly string[]): string {
  const parts = rest.filter((part) => part !== '' && part !== '.');
  const up = parts.indexOf('..');
  return [at, ...(up < 0 ? parts : parts.slice(0, up))].join('/');
}

/** Paths of keys that sources name (sources.list(5), "Signed-By"), without a slash in front. */
function signingKeys(files: PackageFiles): readonly string[] {
  const sources = [...files].filter(([path]) => /^\/etc\/apt\/sources\.list(?:$|\.d\/)/.test(path));
  const named = sources.flatMap(([, bytes]) => [...Buffer.from(bytes).toString('latin1').matchAll(/signed-by\s*[:=]([^\n\]]*)/gi)].flatMap(([, value]) => value!.split(/[\s,]+/)));
  return [...new Set(named.filter((path) => path.startsWith('/')).map((path) => path.slice(1)))];
}
