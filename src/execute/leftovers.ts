import type { LocalImage } from '../state/local-images.js';

/**
 * What temporary tags are told by: the run (`20261120-2104`) and a mark of the state directory it journals to, because
 * several users' runs of one minute may share an engine.
 */
export function runToken(run: string, mark: string): string {
  return `${run}.${mark}`;
}

/** The tag of a build that is not tested yet. */
export function untestedTag(token: string, tag: string): string {
  return `untested-${token}-${tag}`.slice(0, 128);
}

/** The run and mark of a token at the beginning of a text. */
export function ownerOf(text: string): { readonly run: string; readonly mark: string } | undefined {
  const match = /^(\d{8}-\d{4}[a-z]*)\.([0-9a-f]{6})(?:$|[-.])/.exec(text);
  return match === null ? undefined : { run: match[1]!, mark: match[2]! };
}

/** The run and mark that a temporary tag belongs to. */
export function ownerOfTag(tag: string): { readonly run: string; readonly mark: string } | undefined {
  const prefix = /^(?:untested|run)-/.exec(tag);
  return prefix === null ? undefined : ownerOf(tag.slice(prefix[0].length));
}

/** Full references of the temporary tags that runs of this state directory left and that are no more. */
export function leftoverTags(local: readonly LocalImage[], mark: string, isAlive: (run: string) => boolean): readonly string[] {
  return local.flatMap(({ tags }) =>
    tags.filter((ref) => {
      const owner = ownerOfTag(ref.slice(ref.lastIndexOf(':') + 1));
      return owner !== undefined && owner.mark === mark && !isAlive(owner.run);
    }),
  );
}
