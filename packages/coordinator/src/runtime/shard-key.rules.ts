// Which internal partition a group or transactional id belongs to: Kafka's rule, so that its tools find the same one.

/** Java's `String.hashCode`: over UTF-16 units, as a signed 32-bit number. */
export function javaStringHash(text: string): number {
  let hash = 0
  for (let at = 0; at < text.length; at++) hash = (Math.imul(hash, 31) + text.charCodeAt(at)) | 0
  return hash
}

/** Kafka's `Utils.abs(key.hashCode()) % partitions`, which clears the sign bit rather than negating. */
export function shardOf(key: string, partitions: number): number {
  return (javaStringHash(key) & 0x7fffffff) % partitions
}
