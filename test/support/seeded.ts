import fc from 'fast-check';

/** Chance that can be had again: the same seed, the same choices. */
export type Chance = {
  /** From 0, below a number, whole. */
  below(many: number): number;
  one<T>(of: readonly T[]): T;
  /** True in this part of all cases. */
  is(part: number): boolean;
  /** Between `least` and `most` of some things, each at most once, in their order. */
  some<T>(of: readonly T[], least: number, most: number): readonly T[];
};

/** Choices from a seed. */
export function seeded(seed: number): Chance {
  const numbers = fc.sample(fc.noBias(fc.infiniteStream(fc.noBias(fc.nat(0x7fffffff)))), { seed, numRuns: 1 })[0]!;
  const next = (): number => numbers.next().value! / 0x80000000;
  const below = (many: number): number => Math.floor(next() * many);
  return {
    below,
    one: (of) => of[below(of.length)]!,
    is: (part) => next() < part,
    some(of, least, most) {
      const wanted = least + below(Math.min(most, of.length) - least + 1);
      const left = of.map((_, index) => index);
      const taken = Array.from({ length: wanted }, () => left.splice(below(left.length), 1)[0]!);
      return taken.sort((a, b) => a - b).map((index) => of[index]!);
    },
  };
}
