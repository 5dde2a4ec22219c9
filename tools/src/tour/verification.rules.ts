// Whether what came out is what went in: nothing lost, nothing doubled, and the order of every key kept. Works on fingerprints of values, in the order of
// each key; knows nothing of brokers. Pure but for the ledger's own lists.

/** Fingerprints per key, in order. Records without key are kept by partition, which is the order that a broker promises them. */
export class Ledger {
  readonly #byKey = new Map<string, number[]>()
  #size = 0

  add(key: string, fingerprint: number): void {
    const list = this.#byKey.get(key)
    if (list === undefined) this.#byKey.set(key, [fingerprint])
    else list.push(fingerprint)
    this.#size++
  }

  get size(): number {
    return this.#size
  }

  get keys(): ReadonlyMap<string, readonly number[]> {
    return this.#byKey
  }
}

export interface Verdict {
  readonly sent: number
  readonly received: number
  readonly keys: number
  /** Sent and never received. */
  readonly lost: number
  /** Received more often than sent, or never sent. */
  readonly doubled: number
  /** Keys whose records all arrived once, but in another order. */
  readonly disorderedKeys: number
  readonly holds: boolean
}

/** Compares what was sent with what was received. An empty history does not hold: nothing was shown. */
export function verify(sent: Ledger, received: Ledger): Verdict {
  let [lost, doubled, disorderedKeys] = [0, 0, 0]
  for (const key of new Set([...sent.keys.keys(), ...received.keys.keys()])) {
    const expected = sent.keys.get(key) ?? []
    const seen = received.keys.get(key) ?? []
    if (isSame(expected, seen)) continue
    const missing = difference(expected, seen)
    const extra = difference(seen, expected)
    lost += missing
    doubled += extra
    if (missing === 0 && extra === 0) disorderedKeys++
    else if (!isSubsequence(seen, expected) && !isSubsequence(expected, seen)) disorderedKeys++
  }
  const holds = sent.size > 0 && lost === 0 && doubled === 0 && disorderedKeys === 0
  return { sent: sent.size, received: received.size, keys: sent.keys.size, lost, doubled, disorderedKeys, holds }
}

function isSame(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((fingerprint, index) => fingerprint === b[index])
}

/** How many of `from` are not in `without`, each counted as often as it occurs. */
function difference(from: readonly number[], without: readonly number[]): number {
  const left = new Map<number, number>()
  for (const each of without) left.set(each, (left.get(each) ?? 0) + 1)
  let missing = 0
  for (const each of from) {
    const count = left.get(each) ?? 0
    if (count === 0) missing++
    else left.set(each, count - 1)
  }
  return missing
}

function isSubsequence(part: readonly number[], whole: readonly number[]): boolean {
  let at = 0
  for (const each of whole) if (at < part.length && part[at] === each) at++
  return at === part.length
}
