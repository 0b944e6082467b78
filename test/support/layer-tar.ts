import { packTar, type TarEntry } from 'modern-tar';

/** What a layer has at a path: text is a file, `→ x` a link, `= x` a hard link, undefined a folder, null a device. */
export type LayerTree = Readonly<Record<string, string | Uint8Array | undefined | null>>;

/** A layer's tar, in the order of the tree. */
export async function layerTar(tree: LayerTree): Promise<Uint8Array> {
  return packTar(Object.entries(tree).map(([name, what]) => entryOf(name, what)));
}

function entryOf(name: string, what: LayerTree[string]): TarEntry {
  const header = { mtime: new Date(0), size: 0 };
  if (what === undefined) return { header: { ...header, name: `${name}/`, type: 'directory' } };
  if (what === null) return { header: { ...header, name, type: 'character-device' } };
  if (typeof what === 'string' && what.startsWith('→ ')) return { header: { ...header, name, type: 'symlink', linkname: what.slice(2) } };
  if (typeof what === 'string' && what.startsWith('= ')) return { header: { ...header, name, type: 'link', linkname: what.slice(2) } };
  const body = typeof what === 'string' ? Buffer.from(what) : what;
  return { header: { ...header, name, type: 'file', size: body.length }, body };
}
