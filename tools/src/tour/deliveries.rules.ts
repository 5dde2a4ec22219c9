// Whether a group processed what was sent: every record at least once, unchanged, in the order of its key. Works on places and fingerprints; knows nothing of
// brokers. Pure but for the books' own lists.

/** Records of one partition as a member processed them. */
export interface Delivery {
  readonly member: number
  readonly partition: number
  /** Offset of the first. */
  readonly first: number
  /** Offset less `first`, of each. */
  readonly deltas: ArrayLike<number>
  /** Of key and value, of each. */
  readonly fingerprints: ArrayLike<number>
}

/** What was sent, by the place that its acknowledgement named. */
export class SentBook {
  /** Per partition: the fingerprint by offset less the partition's start. */
  readonly places: readonly number[][]
  readonly disorderedKeys = new Set<string>()
  readonly #starts: readonly number[]
  readonly #latest = new Map<string, { readonly partition: number; readonly offset: number }>()
  #size = 0

  /** `starts`: where this run's records begin, per partition. */
  constructor(starts: readonly number[]) {
    this.#starts = starts
    this.places = starts.map(() => [])
  }

  /** The next record of the input. `key` null: no order is promised for it beyond its partition's. */
  add(key: string | null, at: { readonly partition: number; readonly offset: number }, fingerprint: number): void {
    this.places[at.partition]![at.offset - this.#starts[at.partition]!] = fingerprint
    this.#size++
    if (key === null) return
    const before = this.#latest.get(key)
    if (before !== undefined && (before.partition !== at.partition || before.offset >= at.offset))
      this.disorderedKeys.add(key)
    this.#latest.set(key, at)
  }

  get size(): number {
    return this.#size
  }

  /** Keys, or partitions if no record has one. */
  get orders(): number {
    return this.#latest.size > 0 ? this.#latest.size : this.places.filter(({ length }) => length > 0).length
  }
}

interface PartitionBook {
  readonly places: number[]
  /** The offset that comes next, unless a new owner goes back to what is committed; null right after an assignment. */
  next: number | null
  readonly members: Set<number>
}

/** What was processed, by whom. */
export class DeliveryBook {
  readonly partitions: readonly PartitionBook[]
  readonly #starts: readonly number[]
  #received = 0
  #repeated = 0
  #earlier = 0
  #changed = 0
  #disordered = 0

  constructor(starts: readonly number[]) {
    this.#starts = starts
    this.partitions = starts.map(() => ({ places: [], next: null, members: new Set() }))
  }

  /** A member was given partitions: it begins at the committed offset, which may repeat what another had processed. */
  assigned(partitions: readonly number[]): void {
    for (const partition of partitions) this.partitions[partition]!.next = null
  }

  take({ member, partition, first, deltas, fingerprints }: Delivery): void {
    const book = this.partitions[partition]!
    const start = this.#starts[partition]!
    book.members.add(member)
    for (let index = 0; index < deltas.length; index++) {
      const offset = first + deltas[index]!
      if (book.next !== null && offset < book.next) this.#disordered++
      book.next = offset + 1
      if (offset < start) this.#earlier++
      else this.#note(book.places, offset - start, fingerprints[index]!)
    }
  }

  #note(places: number[], index: number, fingerprint: number): void {
    const known = places[index]
    if (known === undefined) {
      places[index] = fingerprint
      this.#received++
      return
    }
    this.#repeated++
    if (known !== fingerprint) this.#changed++
  }

  /** Different records of this run that were processed. */
  get received(): number {
    return this.#received
  }

  get figures() {
    const [repeated, earlier, changed, disordered] = [this.#repeated, this.#earlier, this.#changed, this.#disordered]
    return { repeated, earlier, changed, disordered }
  }
}

export interface Verdict {
  readonly sent: number
  /** Keys, or partitions if there are none. */
  readonly orders: number
  /** Acknowledged and never processed. */
  readonly lost: number
  /** Processed, but not what was sent there. */
  readonly strange: number
  /** Processed again by the next owner, from the committed offset on. */
  readonly repeated: number
  /** Keys out of the input's order in the log, and records that a member processed after a later one. */
  readonly disordered: number
  /** Of earlier runs, not committed then, processed now. */
  readonly earlier: number
  readonly holds: boolean
}

/** Compares what was sent with what was processed. An empty history does not hold: nothing was shown. */
export function verify(sent: SentBook, delivered: DeliveryBook): Verdict {
  const { repeated, earlier, changed, disordered: late } = delivered.figures
  let [lost, strange] = [0, changed]
  sent.places.forEach((places, partition) => {
    const found = delivered.partitions[partition]!.places
    for (let index = 0; index < Math.max(places.length, found.length); index++) {
      if (places[index] === found[index]) continue
      if (found[index] === undefined) lost++
      else strange++
    }
  })
  const disordered = late + sent.disorderedKeys.size
  const holds = sent.size > 0 && lost === 0 && strange === 0 && disordered === 0
  return { sent: sent.size, orders: sent.orders, lost, strange, repeated, disordered, earlier, holds }
}
