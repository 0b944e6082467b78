/** What rootfs.yaml says: a base image made from Debian packages. */
export type RootFs = {
  /** `trixie`. */
  readonly suite: string;
  readonly components: readonly string[];
  /** mmdebstrap's variant: `minbase`, `essential`, `apt`, `required`, `important`, `standard`… */
  readonly variant: string;
  readonly include: readonly string[];
  /** Mirrors; unset: what mmdebstrap itself would use for the suite, with updates and security. */
  readonly mirrors: readonly string[] | undefined;
  /** Suites beside the main one (`trixie-updates`); used with `mirrors`. */
  readonly suites: readonly string[] | undefined;
  readonly env: Readonly<Record<string, string>>;
  readonly cmd: readonly string[];
  readonly user: string | undefined;
};
