/** A package of an image of which its own sources offer something newer: a line of `apt list --upgradable`. */
export type Upgrade = {
  readonly package: string;
  /** Of the installed one. */
  readonly arch: string;
  readonly source: string;
  readonly from: string;
  readonly to: string;
  /** The suite that offers it, by its codename: `trixie-security`. */
  readonly suite: string;
  /** Whether any version above `from` and up to `to` is in a security suite. */
  readonly security: boolean;
  /** Why `apt-get dist-upgrade` leaves it as it is; undefined: it does not. */
  readonly heldBack: string | undefined;
};
