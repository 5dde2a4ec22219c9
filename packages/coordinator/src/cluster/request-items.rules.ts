// Items of an admin request that name the same thing. Kafka answers such a thing once, with a refusal.

/** Those that occur more than once. */
export function repeated<K>(keys: Iterable<K>): ReadonlySet<K> {
  const seen = new Set<K>()
  const again = new Set<K>()
  for (const key of keys) {
    if (seen.has(key)) again.add(key)
    seen.add(key)
  }
  return again
}

/** The first item of each name, in the order of the request. */
export function firstOfEachName<T extends { readonly name: string }>(items: readonly T[]): T[] {
  const seen = new Set<string>()
  return items.filter(({ name }) => !seen.has(name) && seen.add(name))
}
