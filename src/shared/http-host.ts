/** Host of an http or https URL without its port, in lower case; '' for every other URL. */
export function httpHost(url: string): string {
  return /^https?:\/\/(\[[^\]]*\]|[^/:]+)/.exec(url)?.[1]?.toLowerCase() ?? '';
}
