import type { Definition } from '../definition/definition.js';
import type { SourceFiles } from '../definition/source-files.js';
import type { RenderedImage } from '../graph/render-image.js';
import type { Tags } from '../graph/tags.js';
import type { Config } from '../shared/config.js';
import type { ImageName } from '../shared/image-ref.js';
import type { Changed } from './changed-files.js';
import type { Level, RuleName } from './rules.js';

/** One thing that lint says of a tree. */
export type Finding = {
  readonly rule: RuleName;
  readonly level: Level;
  /** The file as a person would type it, and the line in it, from 1. */
  readonly path: string;
  readonly line?: number;
  /** The image it is of; undefined: of the config, or of a definition that cannot be read. */
  readonly image: ImageName | undefined;
  readonly message: string;
  /** `--fix` mends it. */
  readonly mends?: true;
};

/** What a check says: a line of a file, or one of the rendered Dockerfile, whose place in the template is still to be found. */
export type Draft = {
  readonly rule: RuleName;
  /** Unset: the rule's own level. */
  readonly level?: Level;
  readonly path: string;
  readonly line?: number;
  readonly rendered?: number;
  readonly message: string;
  readonly mends?: true;
};

/** One definition, with what its template comes to. */
export type Subject = {
  readonly definition: Definition;
  /** Undefined: it has no template, or cannot be rendered. */
  readonly image: RenderedImage | undefined;
};

/** The tree that a subject is part of. */
export type Surroundings = {
  readonly config: Config;
  readonly tags: Tags;
  readonly files: SourceFiles;
  /** Images whose files changed since their changelog did. */
  readonly changed: ReadonlyMap<ImageName, Changed>;
};

/** Looks for what one or some of the rules are about. */
export type Check = (subject: Subject, surroundings: Surroundings) => readonly Draft[];
