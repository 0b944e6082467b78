import type { BuildSecret } from './build-secret.js';
import type { ContainerLimits } from './container-limits.js';
import type { Layout } from './layout.js';
import type { RegistryMirrors } from './registry-mirrors.js';

/** Limits on waiting, in seconds. */
export type Timeouts = {
  /** Until a connection to a registry stands. */
  readonly connect: number;
  /** Without a byte from a registry, or an engine's answer to what takes no time. */
  readonly idle: number;
  /** For one image's test. */
  readonly test: number;
  /** For one image's build, and for its push. */
  readonly build: number;
};

/** What config.yaml says, with its defaults filled in. docker-pkg's keys keep docker-pkg's meaning. */
export type Config = {
  /** The file that was named, as a person would type it. */
  readonly path: string;
  /** The files below it, the nearest first, each with the keys that it has and no file above it. */
  readonly under: readonly { readonly path: string; readonly keys: readonly string[] }[];
  /** Host and, when not the default, port; it may have a path behind it: `registry.example.org/base`. */
  readonly registry: string;
  readonly namespace: string | undefined;
  readonly layout: Layout;
  /** Never shown, never a template variable. */
  readonly credentials: { readonly username: string; readonly password: string } | undefined;
  readonly baseImages: readonly string[];
  readonly aptOptions: string;
  readonly httpProxy: string | undefined;
  /** `apt_only_proxy`, or `http_proxy` when only that is set. */
  readonly aptProxy: string | undefined;
  /** File of CA certificates that are trusted beside the system's. */
  readonly caBundle: string | undefined;
  readonly scanWorkers: number;
  readonly forceNumericUser: boolean;
  readonly knownUidMappings: Readonly<Record<string, number>> | undefined;
  readonly verifyCommand: string;
  readonly verifyArgs: readonly string[];
  /** `publish:` as written; unset leaves the decision to credentials and command line. */
  readonly publish: boolean | undefined;
  /** `linux/amd64`; unset is the engine's own. */
  readonly platform: string | undefined;
  /** Globs of image references that a FROM may name beside the tree; unset: configured registry and base_images, others are warned about. */
  readonly allowedSources: readonly string[] | undefined;
  /** `host[:port]` of registries where plain HTTP is tolerated when the peer speaks no TLS. Loopback is always among them. */
  readonly insecureRegistries: readonly string[];
  /** What builds may mount, each id once. */
  readonly buildSecrets: readonly BuildSecret[];
  /** Unset: none. Set, images are built by the engine's classic builder, since BuildKit applies no limits. */
  readonly containerLimits: ContainerLimits | undefined;
  readonly registryMirrors: RegistryMirrors;
  readonly jobs: number | undefined;
  /** Rules of lint that are switched off for the whole tree, each with its line. */
  readonly lintIgnore: readonly { readonly rule: string; readonly line: number }[];
  readonly timeouts: Timeouts;
  /** No build starts while the engine's disk has less room than this: bytes; 0: it is not looked at. */
  readonly minFree: number;
  /** What the engine's build cache is pruned to at the end of a run: bytes; undefined: never. */
  readonly engineCache: number | undefined;
  /** Globs of suites to which nothing new comes any more. */
  readonly archivedSuites: readonly string[];
  /** Age of an image, in milliseconds, after which `refresh` makes it anew; undefined: never. */
  readonly maxAge: number | undefined;
  /** Who a changelog entry is by when neither the environment nor git says it. */
  /** A night takes what the branch's upstream has, if nothing has to be merged. */
  readonly gitPull: boolean;
  /** A night pushes its changelog entries before it builds from them. */
  readonly gitPush: boolean;
  /** What a night leaves on the engine of what is not current, by its age in milliseconds; 'all': it prunes nothing. */
  readonly nightlyKeep: number | 'all';
  /** How old the folder of a run may become before a night removes it: milliseconds; unset: none is removed. */
  readonly keepRuns: number | undefined;
  readonly fallbackAuthor: string;
  readonly fallbackEmail: string;
  /** What a changelog entry is for: `wikimedia`, as in Debian's `unstable`. */
  readonly distribution: string;
  /** What stands before the number that `update` raises: the `s` of `1.2-1-s3`. */
  readonly updateId: string;
  /** Every key but credentials, as templates see it; defaults filled in as docker-pkg does. */
  readonly variables: Readonly<Record<string, unknown>>;
};

/** One tree of definitions, and what its config says. */
export type TreeConfig = {
  /** What a config with `trees:` calls it; a tree alone is called by its folder. */
  readonly name: string;
  /** Its folder, as a person would type it. */
  readonly directory: string;
  readonly config: Config;
};

/** The trees of a run, at least one, and what holds for all of them together. */
export type RunConfig = Pick<Config, 'path' | 'platform' | 'jobs' | 'minFree' | 'engineCache' | 'nightlyKeep' | 'keepRuns'> & { readonly trees: readonly TreeConfig[] };

/** The file in which a config has a key; the one that was named where none has. */
export function fileOf(config: Config, key: string): string {
  return config.under.find(({ keys }) => keys.includes(key))?.path ?? config.path;
}
