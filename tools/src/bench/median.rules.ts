// The middle of what was measured, for all benchmarks. Pure.

/** Of an even number of values the mean of the two in the middle: one of them alone would side with rounds in which the same server goes first. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const half = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2
}
