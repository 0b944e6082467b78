import type { OptionName } from './options.js';
import type { Verb } from './verb.js';

/** All that the command line knows of a verb. */
export type VerbEntry = {
  /** One line of the help. */
  readonly summary: string;
  /** The words behind `build-images`. */
  readonly usage: string;
  /** Its options, in the order of the help, beside the shared ones. */
  readonly takes: readonly OptionName[];
  /** The first word is an image; then comes DIRECTORY. */
  readonly images?: {
    /** More words are: all but the last one if that is a directory. `--dir` names the tree beyond doubt. */
    readonly many?: true;
    /** With this option no image is named. */
    readonly unless?: OptionName;
    /** What is said when none is named. */
    readonly asks: string;
  };
  /** Whether it changes anything outside: a fault before that says that nothing was. */
  readonly writes: boolean;
  /** The verb with all it needs is loaded when it is asked for. */
  readonly load: () => Promise<Verb>;
};

/** The verbs, in the order of the help. A new one is an entry here, its file, and what it takes in options.ts. */
export const VERBS = {
  build: {
    summary: 'build what is missing, test it, publish it and move :latest (the default verb)',
    usage: '[build] [DIRECTORY]',
    takes: ['select', 'jobs', 'publish', 'dry-run', 'rebuild', 'nightly', 'snapshot', 'on-error', 'use-cache', 'no-pull'],
    writes: true,
    load: async () => (await import('./build.js')).build,
  },
  plan: {
    summary: 'show what build would do, and why',
    usage: 'plan [DIRECTORY]',
    takes: ['select', 'publish', 'rebuild', 'nightly', 'snapshot', 'all', 'check', 'if-package', 'if-base'],
    writes: false,
    load: async () => (await import('./plan.js')).plan,
  },
  outdated: {
    summary: 'say which published images have packages of which their archives have newer ones, and whose rebuild brings them',
    usage: 'outdated [DIRECTORY]',
    takes: ['select', 'security', 'check'],
    writes: false,
    load: async () => (await import('./outdated.js')).outdated,
  },
  list: {
    summary: 'list every image of the tree, parents first',
    usage: 'list [DIRECTORY]',
    takes: ['select'],
    writes: false,
    load: async () => (await import('./list.js')).list,
  },
  render: {
    summary: 'show the Dockerfile of an image, or with --all of every image',
    usage: 'render IMAGE|--all [DIRECTORY]',
    takes: ['all'],
    images: { unless: 'all', asks: 'render which image? (or --all)' },
    writes: false,
    load: async () => (await import('./render.js')).render,
  },
  promote: {
    summary: 'move :latest of one image to its newest published version, whatever it is now',
    usage: 'promote IMAGE [DIRECTORY]',
    takes: ['dry-run', 'publish'],
    images: { asks: 'promote which image?' },
    writes: true,
    load: async () => (await import('./promote.js')).promote,
  },
  rollback: {
    summary: 'take :latest back to what it was before a run, or before it last moved, and withdraw what it leaves',
    usage: 'rollback RUN|IMAGE [DIRECTORY]',
    takes: ['to', 'dry-run'],
    images: { asks: 'roll back which run, or which image?' },
    writes: true,
    load: async () => (await import('./rollback.js')).rollback,
  },
  lint: {
    summary: 'say what is wrong, odd or careless in the definitions; --fix mends some of it',
    usage: 'lint [DIRECTORY]',
    takes: ['select', 'fix', 'dry-run', 'sarif'],
    writes: false,
    load: async () => (await import('./lint.js')).lint,
  },
  update: {
    summary: 'give images and all that stands on them a new changelog entry',
    usage: 'update NAME... [DIRECTORY]',
    takes: ['reason', 'version', 'exclude', 'stdin', 'dir', 'commit', 'dry-run'],
    images: { many: true, unless: 'stdin', asks: 'update which image?' },
    writes: false,
    load: async () => (await import('./update.js')).update,
  },
  refresh: {
    summary: 'give images new content for newer packages: changelog entries, and with --build the images',
    usage: 'refresh [DIRECTORY]',
    takes: ['select', 'exclude', 'security', 'every-upgrade', 'first-line', 'max-builds', 'dry-run', 'build', 'commit', 'jobs', 'publish', 'on-error'],
    writes: true,
    load: async () => (await import('./refresh.js')).refresh,
  },
  which: {
    summary: 'say which published images contain a package',
    usage: 'which PACKAGE[=VERSION] [DIRECTORY]',
    takes: ['select'],
    images: { asks: 'which package? (libssl3, libssl3=3.0.17-1, \'lib*\', src:openssl)' },
    writes: false,
    load: async () => (await import('./which.js')).which,
  },
  prune: {
    summary: 'take images away that are not the current ones: off this engine, or with --registry from there',
    usage: 'prune [DIRECTORY]',
    takes: ['select', 'nightly-id', 'keep', 'older-than', 'registry', 'yes', 'dry-run'],
    writes: true,
    load: async () => (await import('./prune.js')).prune,
  },
  nightly: {
    summary: 'do all that is due with nobody watching: for a timer',
    usage: 'nightly [DIRECTORY]',
    takes: ['select', 'exclude', 'every-upgrade', 'max-builds', 'jobs', 'publish', 'deadline', 'metrics-file', 'quiet'],
    writes: true,
    load: async () => (await import('./nightly.js')).nightly,
  },
  yield: {
    summary: 'ask a night that is at work to pause, and wait until it does',
    usage: 'yield [DIRECTORY]',
    takes: ['wait'],
    writes: false,
    load: async () => (await import('./yield-night.js')).yieldNight,
  },
} as const satisfies Record<string, VerbEntry>;

/** The name of one of them. */
export type VerbName = keyof typeof VERBS;

/** What every verb takes, first in every help. */
export const SHARED: readonly OptionName[] = ['config', 'json', 'strict', 'verbose'];
