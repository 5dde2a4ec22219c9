// The order in which Java iterates a HashMap. Kafka's sticky assignors walk HashMaps of member ids, so this order decides who keeps one partition more.
// Following it makes our plan equal to that of a Java leader on the same input, and a change of leader moves nothing.

const CAPACITY_MIN = 16
const LOAD_FACTOR = 0.75

/** Java's String.hashCode. */
function javaHash(text: string): number {
  let hash = 0
  for (let at = 0; at < text.length; at++) hash = (Math.imul(31, hash) + text.charCodeAt(at)) | 0
  return hash
}

/** Java's hashCode of a TopicPartition. */
export function topicPartitionHash(topic: string, partition: number): number {
  return (Math.imul(31, 31 + partition) + javaHash(topic)) | 0
}

/** Buckets of a HashMap after `size` insertions. */
export function hashCapacity(size: number): number {
  let capacity = CAPACITY_MIN
  while (size > capacity * LOAD_FACTOR) capacity *= 2
  return capacity
}

/** Bucket of a hash in a table of `capacity` buckets (HashMap.hash spreads the high bits down). */
export function bucketOf(hash: number, capacity: number): number {
  return (hash ^ (hash >>> 16)) & (capacity - 1)
}

/** The items as a HashMap keyed by `keyOf` iterates them; within a bucket in the order of insertion. */
export function inHashOrder<T>(items: readonly T[], keyOf: (item: T) => string): T[] {
  const capacity = hashCapacity(items.length)
  const placed = items.map((item, at) => ({ item, at, bucket: bucketOf(javaHash(keyOf(item)), capacity) }))
  return placed.sort((a, b) => a.bucket - b.bucket || a.at - b.at).map(({ item }) => item)
}
