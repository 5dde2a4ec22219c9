// Totals per key that can go back: when a pipeline undoes a transaction it reads its records again, and what they added must not count twice. Pure but for the
// totals' own maps.

/** Of one key, over the input so far. */
export interface Total {
  readonly records: number
  /** Of the measure: see {@link measureOf}. */
  readonly sum: number
}

const NOTHING: Total = { records: 0, sum: 0 }

/** Adds one record; the key's new total. */
export function count(totals: Map<string, Total>, key: string, amount: number): Total {
  const { records, sum } = totals.get(key) ?? NOTHING
  const total = { records: records + 1, sum: sum + amount }
  totals.set(key, total)
  return total
}

interface Step {
  readonly offset: number
  readonly key: string
  readonly amount: number
}

export class RunningTotals {
  readonly #totals: Map<string, Total>
  /** The latest steps of each partition, oldest first. */
  readonly #steps = new Map<number, Step[]>()
  readonly #undoMax: number

  /** `undoMax`: records that one transaction may hold, so that all of them can be undone. */
  constructor(totals: Iterable<readonly [string, Total]>, undoMax: number) {
    this.#totals = new Map(totals)
    this.#undoMax = undoMax
  }

  /** Adds a record; the key's new total. An offset that is not after the partition's last goes back to before it, first. */
  add({ partition, offset, key, amount }: { partition: number; offset: number; key: string; amount: number }): Total {
    const steps = this.#stepsOf(partition)
    while (steps.length > 0 && steps.at(-1)!.offset >= offset) {
      const undone = steps.pop()!
      const { records, sum } = this.#totals.get(undone.key)!
      this.#totals.set(undone.key, { records: records - 1, sum: sum - undone.amount })
    }
    steps.push({ offset, key, amount })
    if (steps.length >= 2 * this.#undoMax) steps.splice(0, this.#undoMax)
    return count(this.#totals, key, amount)
  }

  #stepsOf(partition: number): Step[] {
    const known = this.#steps.get(partition)
    if (known !== undefined) return known
    const steps: Step[] = []
    this.#steps.set(partition, steps)
    return steps
  }
}

/** What is summed up: the minutes of delay of a flight, or the bytes of a value. */
export type Measure = 'delay' | 'bytes'

export function measureOf(measure: Measure): (value: string) => number {
  if (measure === 'bytes') return value => Buffer.byteLength(value)
  // The flights' own field, without parsing the rest; a delay that is not known is null.
  return value => Number(/"delay":(-?\d+)/.exec(value)?.[1] ?? 0)
}

/** Records without a key are counted by their partition. */
export function totalKey(key: string | null, partition: number): string {
  return key ?? `partition ${partition}`
}

/** Keys whose totals differ, or that one side lacks. */
export function differences(a: ReadonlyMap<string, Total>, b: ReadonlyMap<string, Total>): string[] {
  const isEqual = (key: string) => a.get(key)?.records === b.get(key)?.records && a.get(key)?.sum === b.get(key)?.sum
  return [...new Set([...a.keys(), ...b.keys()])].filter(key => !isEqual(key))
}
