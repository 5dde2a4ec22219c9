// Numbers among the flags of benchmarks and of the soak: a wrong one is named before anything is measured. Pure.

/** A whole number from `min` on. Throws TypeError that names the flag, what was given and what would be right. */
export function countFlag(flag: string, given: string, min = 1): number {
  const value = /^\d+$/.test(given) ? Number(given) : Number.NaN
  if (value >= min) return value
  throw new TypeError(`${flag} takes a whole number from ${min}, got '${given}'`)
}
