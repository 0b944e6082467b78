import { distillStatus } from './distill-status.js';
import { OddLayer } from './odd-layer.js';
import { withoutLogins } from './without-logins.js';
import { isLeftOut, isStatus, placeOf } from './package-paths.js';

/** What one layer does to one path (OCI image spec, "Layer changes"). */
export type LayerChange =
  | { readonly change: 'folder' }
  | { readonly change: 'file'; readonly content: Uint8Array }
  /** A symbolic link, to what it says. */
  | { readonly change: 'link'; readonly to: string }
  /** A hard link: the same file as another path is by then. */
  | { readonly change: 'same'; readonly as: string }
  /** Something that holds no text: a device, a socket; a file where a folder is wanted. */
  | { readonly change: 'other' }
  /** Taken away from the layers below. */
  | { readonly change: 'removed' }
  /** A folder whose content in the layers below is gone. */
  | { readonly change: 'emptied' };

/** What a layer does to the paths that say what is installed, in its order; paths without a slash in front. */
export type LayerRecord = readonly (readonly [path: string, change: LayerChange])[];

/** One entry of a layer's tar. `File` has content; every other type is told by what it is. */
export type LayerEntry = { readonly path: string; readonly type: 'file' | 'folder' | 'link' | 'hard link' | 'other'; readonly size: number; readonly linkpath: string };

/** Bytes: one file's content, and all that is kept of a layer. Debian's whole archive is 60 MB of records. */
const MAX_FILE = 64 * 1024 * 1024;
const MAX_RECORD = 96 * 1024 * 1024;
const MAX_CHANGES = 50_000;

/** Makes the record of one layer, entry by entry. */
export type LayerRecording = {
  /** Undefined: the entry is of no interest. Else what to hand its content to; of what has none, no byte. */
  enter(entry: LayerEntry): ((content: Uint8Array) => void) | undefined;
  record(): LayerRecord;
};

/** Records what a layer does to some roots. Throws an OddLayer. */
export function recordLayer(roots: readonly string[]): LayerRecording {
  const changes: (readonly [string, LayerChange])[] = [];
  let kept = 0;
  const add = (path: string, change: LayerChange): void => {
    kept += path.length + (change.change === 'file' ? change.content.length : 0);
    if (changes.length === MAX_CHANGES || kept > MAX_RECORD) throw new OddLayer('it has more package records than any image');
    changes.push([path, change]);
  };
  return {
    enter({ path: written, type, size, linkpath }) {
      const path = plainPath(written);
      if (path === '') return undefined;
      const slash = path.lastIndexOf('/');
      const name = path.slice(slash + 1);
      const folder = path.slice(0, Math.max(slash, 0));
      if (name.startsWith('.wh.')) {
        if (name === '.wh..wh..opq') {
          if (folder === '' || placeOf(folder, roots) !== 'beside') add(folder, { change: 'emptied' });
        } else if (!name.startsWith('.wh..wh.')) {
          const gone = name.slice('.wh.'.length);
          if (gone === '' || gone === '.' || gone === '..') throw new OddLayer(`it takes away ${JSON.stringify(gone)}`);
          const target = folder === '' ? gone : `${folder}/${gone}`;
          if (placeOf(target, roots) !== 'beside') add(target, { change: 'removed' });
        }
        return undefined;
      }
      const place = placeOf(path, roots);
      if (place === 'beside' || isLeftOut(path)) return undefined;
      switch (type) {
        case 'folder':
          return void add(path, { change: 'folder' });
        case 'link':
          return void add(path, { change: 'link', to: linkpath });
        case 'hard link':
          return void add(path, { change: 'same', as: plainPath(linkpath) });
        case 'other':
          return void add(path, { change: 'other' });
        case 'file':
          if (place === 'above') return void add(path, { change: 'other' });
          if (size > MAX_FILE) throw new OddLayer(`/${path} is larger than any package record`);
          return (content) => add(path, { change: 'file', content: isStatus(path) ? distillStatus(content) : withoutLogins(content) });
      }
    },
    record: () => changes,
  };
}

/** A path of a tar as layers mean it: below the root. No engine lets one lead out of it. */
function plainPath(written: string): string {
  if (written.includes('\0')) throw new OddLayer('a name in it holds a zero byte');
  const parts = written.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw new OddLayer(`a name in it leads out of the image: ${JSON.stringify(written.slice(0, 200))}`);
  return parts.join('/');
}
