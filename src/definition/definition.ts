import type { ImageName } from '../shared/image-ref.js';
import type { Control } from './control.js';
import type { RootFs } from './rootfs.js';
import { stackInstructions, type Stack, type StackLines } from './stack.js';

/** What a definition describes; told by its marker file, never by the folder's place. */
export type Kind = 'base' | 'production' | 'stack';

/** Where a definition's tag comes from. */
export type TagSource =
  /** A versioned image: the changelog's newest entry is the tag; `older` are the versions below it, newest first. */
  | { readonly source: 'changelog'; readonly version: string; readonly older: readonly string[] }
  /** A rolling image: published under the UTC day of the run; `moving` is the tag that moves to the newest build, where it is not `latest`. */
  | { readonly source: 'day'; readonly moving?: string | undefined }
  /** A build beside what is published (nightly.ts): `tag` is `VERSION-SUFFIX`, or `nightly-SUFFIX` where there is no version. */
  | { readonly source: 'nightly' | 'snapshot'; readonly tag: string; readonly version: string | undefined; readonly moving?: string | undefined };

/** What the version label of an image is: its tag, but none on a rolling image. */
export function versionLabelOf(tagSource: TagSource): string | undefined {
  if (tagSource.source === 'day' || tagSource.version === undefined) return undefined;
  return tagSource.source === 'changelog' ? tagSource.version : tagSource.tag;
}

/** The tag that moves to an image's newest build. */
export function movingTagOf(definition: Pick<Definition, 'tagSource'>): string {
  return otherMovingTag(definition) ?? 'latest';
}

/** The tag that moves, where it is not `latest`. */
export function otherMovingTag({ tagSource }: Pick<Definition, 'tagSource'>): string | undefined {
  return tagSource.source === 'changelog' ? undefined : tagSource.moving;
}

/** The part in which kinds differ. */
export type Recipe =
  | { readonly kind: 'production'; readonly template: string; readonly templatePath: string }
  | { readonly kind: 'base'; readonly rootfs: RootFs; readonly rootfsPath: string }
  | { readonly kind: 'stack'; readonly template: string; readonly templatePath: string; readonly stack: Stack; readonly stackPath: string; readonly lines: StackLines };

/** The template that an image's Dockerfile is rendered from; undefined for a kind that is made without a Dockerfile. */
export function templateOf({ recipe }: Definition): { readonly path: string; readonly text: string } | undefined {
  if (recipe.kind === 'base') return undefined;
  const text = recipe.kind === 'stack' ? recipe.template + stackInstructions(recipe.stack) : recipe.template;
  return { path: recipe.templatePath, text };
}

/** Images whose `:latest` moves together name the same stack here; undefined: an image that moves alone. */
export function stackOf({ recipe }: Definition): Stack | undefined {
  return recipe.kind === 'stack' ? recipe.stack : undefined;
}

/** One folder that describes one image. */
export type Definition = {
  /** What the image is called in this run: `namespace/name`, unless another tree has that, too. */
  readonly image: ImageName;
  /** `namespace/name`: what it is called below the config's registry. */
  readonly repository: string;
  /** The name alone, as changelog, control and `image_tag` use it. */
  readonly name: string;
  /** The folder of the tree it belongs to, as the user gave it. */
  readonly tree: string;
  /** The folder relative to DIRECTORY; '.' is DIRECTORY itself. */
  readonly path: string;
  /** The folder as a person would type it: `images/python3`. */
  readonly directory: string;
  readonly tagSource: TagSource;
  readonly recipe: Recipe;
  readonly control: Control | undefined;
  /** Where the files of its build come from, as a person would type it, when that is not its own folder: the tree's root in layout toolforge. */
  readonly context?: string;
  /** Definitions inside this folder, relative to it; not part of the definition digest. */
  readonly nested: readonly string[];
};
