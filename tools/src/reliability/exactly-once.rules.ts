// Whether what went into a pipeline came out of it exactly once, in the order of each key. Values are unique over the whole input. Pure.

export interface Letter {
  readonly partition: number
  readonly key: string
  readonly value: string
}

export interface OnceVerdict {
  /** Went in, never came out. */
  readonly missing: readonly string[]
  /** Came out more than once; or went in more than once, which an idempotent producer does not do. */
  readonly doubled: readonly string[]
  /** Came out without having gone in. */
  readonly strange: readonly string[]
  /** Came out after a later one of its key. */
  readonly disordered: readonly string[]
}

export const exactlyOnce: OnceVerdict = { missing: [], doubled: [], strange: [], disordered: [] }

/** Both lists hold the records of each partition in the order of their offsets. */
export function verdictOn(input: readonly Letter[], output: readonly Letter[]): OnceVerdict {
  const places = new Map<string, number>()
  const doubled: string[] = []
  for (const { value } of input) {
    if (places.has(value)) doubled.push(value)
    else places.set(value, places.size)
  }
  const seen = new Set<string>()
  const latest = new Map<string, number>()
  const [strange, disordered]: [string[], string[]] = [[], []]
  for (const { key, value } of output) {
    const place = places.get(value)
    if (place === undefined) strange.push(value)
    else if (seen.has(value)) doubled.push(value)
    else if (place < (latest.get(key) ?? 0)) disordered.push(value)
    else latest.set(key, place)
    seen.add(value)
  }
  const missing = [...places.keys()].filter(value => !seen.has(value))
  return { missing, doubled, strange, disordered }
}
