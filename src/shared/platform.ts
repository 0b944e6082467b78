/** Platforms that are the same by another name: a variant that everybody means when none is written (OCI image spec, "Platform Variants", as containerd reads it). */
const SAME: Readonly<Record<string, string>> = { 'linux/arm64/v8': 'linux/arm64', 'linux/amd64/v1': 'linux/amd64', 'linux/arm': 'linux/arm/v7' };

/** Whether an image's platform is what is wanted; who wants `linux/arm` takes any of its variants. */
export function isPlatform(platform: string, wanted: string): boolean {
  return (SAME[platform] ?? platform) === (SAME[wanted] ?? wanted) || (wanted === 'linux/arm' && platform.startsWith('linux/arm/'));
}
