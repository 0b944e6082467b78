/**
 * The version that comes after another: the number of a final `-sN` plus one, else `-s1` at the end (docker-pkg's form, and of any
 * other version too). In Debian's order it is always above: what stands before the last dash only grows, and letters sort above
 * the end. A legal tag stays one up to its 128 characters.
 * @param mark what stands before the number: the config's `update_id`
 * @param isTaken versions that are passed over
 */
export function bumpVersion(version: string, mark: string, isTaken: (version: string) => boolean = () => false): string {
  const at = version.lastIndexOf(`-${mark}`);
  const number = version.slice(at + 1 + mark.length);
  const isBumped = at > 0 && /^[0-9]+$/.test(number);
  const stem = isBumped ? version.slice(0, -number.length) : `${version}-${mark}`;
  for (let next = BigInt(isBumped ? number : 0) + 1n; ; next++) if (!isTaken(`${stem}${next}`)) return `${stem}${next}`;
}
