// A map, or a set, that a decision may change without changing what the state holds: the changes lie over the base, so that a draft costs what it
// changes and not what it holds (a group of 10,000 members takes one more at the price of one). `settled` makes it the map that it drafts.

/** Iterates as a Map would: what was there in its order, what came at the end. */
export class DraftMap<K, V> implements Map<K, V> {
  #base: Map<K, V>
  /** New values for keys of the base. */
  readonly #changed = new Map<K, V>()
  readonly #removed = new Set<K>()
  readonly #added = new Map<K, V>()

  constructor(base: Map<K, V>) {
    this.#base = base
  }

  get size(): number {
    return this.#base.size - this.#removed.size + this.#added.size
  }

  get [Symbol.toStringTag](): string {
    return 'DraftMap'
  }

  has(key: K): boolean {
    return this.#added.has(key) || this.#isOfBase(key)
  }

  get(key: K): V | undefined {
    if (this.#added.has(key)) return this.#added.get(key)
    if (!this.#isOfBase(key)) return undefined
    return this.#changed.has(key) ? this.#changed.get(key) : this.#base.get(key)
  }

  set(key: K, value: V): this {
    if (this.#isOfBase(key)) this.#changed.set(key, value)
    else this.#added.set(key, value)
    return this
  }

  delete(key: K): boolean {
    if (this.#added.delete(key)) return true
    if (!this.#isOfBase(key)) return false
    this.#removed.add(key)
    this.#changed.delete(key)
    return true
  }

  clear(): void {
    this.#base = new Map()
    this.#changed.clear()
    this.#removed.clear()
    this.#added.clear()
  }

  *entries(): Generator<[K, V], undefined> {
    for (const [key, value] of this.#base) {
      if (this.#removed.has(key)) continue
      yield [key, this.#changed.has(key) ? this.#changed.get(key)! : value]
    }
    yield* this.#added
    return undefined
  }

  [Symbol.iterator](): Generator<[K, V], undefined> {
    return this.entries()
  }

  *keys(): Generator<K, undefined> {
    for (const [key] of this.entries()) yield key
    return undefined
  }

  *values(): Generator<V, undefined> {
    for (const [, value] of this.entries()) yield value
    return undefined
  }

  forEach(visit: (value: V, key: K, map: Map<K, V>) => void): void {
    for (const [key, value] of this.entries()) visit(value, key, this)
  }

  /** The base with the changes made: only for whoever owns the base, once, when the draft was accepted. */
  settle(): Map<K, V> {
    for (const key of this.#removed) this.#base.delete(key)
    for (const [key, value] of this.#changed) this.#base.set(key, value)
    for (const [key, value] of this.#added) this.#base.set(key, value)
    return this.#base
  }

  #isOfBase(key: K): boolean {
    return this.#base.has(key) && !this.#removed.has(key)
  }
}

/** What a draft becomes; any other map is what it is. */
export function settled<K, V>(map: Map<K, V>): Map<K, V> {
  return map instanceof DraftMap ? map.settle() : map
}
