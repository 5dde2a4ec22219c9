// The middle of what was measured, for all benchmarks. Pure.

/** One of the values; of an even number the greater of the two in the middle. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!
}
