/**
 * The files of an image that say what is installed and where it comes from, links and layers resolved: absolute path → content. Of
 * dpkg `/var/lib/dpkg/status`, `status.d/*` and `arch`; of apt `/etc/apt/**` and `/usr/share/keyrings/*`; `/etc/os-release`.
 */
export type PackageFiles = ReadonlyMap<string, Uint8Array>;
