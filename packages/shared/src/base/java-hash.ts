// How Kafka spreads group ids and transactional ids over internal partitions: Java's String.hashCode, made non-negative by masking.

/** Kafka: `Utils.abs(id.hashCode) % partitions`, in 0..partitions-1. */
export function partitionForKey(id: string, partitions: number): number {
  let hash = 0
  for (let i = 0; i < id.length; i++) hash = (Math.imul(hash, 31) + id.charCodeAt(i)) | 0
  return (hash & 0x7fffffff) % partitions
}
