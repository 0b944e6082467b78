const UNITS = ['', 'k', 'm', 'g', 't', 'p'];

/** Bytes of a memory size as Docker takes it: `512m`, `1.5g`, `64KiB`, `1000000`. Every unit is a power of 1024, `MB` too; undefined when it is none. */
export function parseDockerSize(text: string): number | undefined {
  const [, number, unit] = /^(\d+(?:\.\d+)?) ?([kmgtp]?)(?:i?b)?$/i.exec(text) ?? [];
  return number === undefined ? undefined : Math.floor(Number(number) * 1024 ** UNITS.indexOf(unit!.toLowerCase()));
}
