/** A platform as engines and indexes write it, without arm64's only variant: `linux/arm64` means v8 for everybody. */
function plain(platform: string): string {
  return platform === 'linux/arm64/v8' ? 'linux/arm64' : platform;
}

/** Whether an image's platform is what is wanted; who wants `linux/arm` takes any of its variants. */
export function isPlatform(platform: string, wanted: string): boolean {
  return plain(platform) === plain(wanted) || platform.startsWith(`${wanted}/`);
}
