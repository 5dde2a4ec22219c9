// Which partitions the general sticky algorithm has moved between which members, so that it undoes a move of the same topic rather than making one in the
// opposite direction (Kafka's PartitionMovements).
import type { AssignorPartition } from './assignor.ts'
import { bucketOf, hashCapacity, topicPartitionHash } from './java-order.rules.ts'

interface Movement {
  readonly from: string
  readonly to: string
}

/** Partitions moved between one pair of members; `sizeHigh` because a Java HashSet never shrinks its table. */
interface Moved {
  readonly partitions: Set<AssignorPartition>
  sizeHigh: number
}

export class StickyMovements {
  readonly #movements = new Map<AssignorPartition, Movement>()
  /** By topic, source and destination. */
  readonly #byPair = new Map<string, Moved>()

  record(partition: AssignorPartition, from: string, to: string): void {
    const before = this.#movements.get(partition)
    if (before === undefined) {
      this.#add(partition, { from, to })
      return
    }
    this.#remove(partition, before)
    // Back where it came from: as if it had never moved.
    if (before.from !== to) this.#add(partition, { from: before.from, to })
  }

  /** The partition to move instead of `partition`: one of the topic that was moved the other way before. */
  actual(partition: AssignorPartition, from: string, to: string): AssignorPartition {
    const source = this.#movements.get(partition)?.from ?? from
    const reverse = this.#byPair.get(pairKey(partition.topic, to, source))
    return reverse === undefined ? partition : firstOf(reverse)
  }

  #add(partition: AssignorPartition, movement: Movement): void {
    this.#movements.set(partition, movement)
    const key = pairKey(partition.topic, movement.from, movement.to)
    const moved = this.#byPair.get(key) ?? { partitions: new Set(), sizeHigh: 0 }
    moved.partitions.add(partition)
    moved.sizeHigh = Math.max(moved.sizeHigh, moved.partitions.size)
    this.#byPair.set(key, moved)
  }

  #remove(partition: AssignorPartition, { from, to }: Movement): void {
    this.#movements.delete(partition)
    const key = pairKey(partition.topic, from, to)
    const moved = this.#byPair.get(key)!
    moved.partitions.delete(partition)
    if (moved.partitions.size === 0) this.#byPair.delete(key)
  }
}

function pairKey(topic: string, from: string, to: string): string {
  return JSON.stringify([topic, from, to])
}

/** What the iterator of a Java HashSet gives first. */
function firstOf({ partitions, sizeHigh }: Moved): AssignorPartition {
  const capacity = hashCapacity(sizeHigh)
  let first: AssignorPartition | null = null
  let lowest = Number.POSITIVE_INFINITY
  for (const partition of partitions) {
    const bucket = bucketOf(topicPartitionHash(partition.topic, partition.partition), capacity)
    if (bucket >= lowest) continue
    lowest = bucket
    first = partition
  }
  return first!
}
