// Which partition a record goes to: Kafka's murmur2 for keys, sticky and adaptive without one (KIP-480, KIP-794), or round-robin.
// Called by the accumulator in the caller's thread for every record; must never allocate per record.
import type { Random } from '@odradek/shared/base/random'

const SEED = 0x9747b28c | 0
const MULTIPLIER = 0x5bd1e995
const ROTATION = 24

/** MurmurHash2, 32 bits, with Kafka's seed (`Utils.murmur2`); a signed int32. */
export function murmur2(bytes: Uint8Array): number {
  const length = bytes.length
  let hash = SEED ^ length
  let at = 0
  for (; at + 4 <= length; at += 4) {
    let word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
    word = Math.imul(word, MULTIPLIER)
    word ^= word >>> ROTATION
    hash = Math.imul(hash, MULTIPLIER) ^ Math.imul(word, MULTIPLIER)
  }
  const left = length - at
  if (left === 3) hash ^= bytes[at + 2]! << 16
  if (left >= 2) hash ^= bytes[at + 1]! << 8
  if (left >= 1) hash = Math.imul(hash ^ bytes[at]!, MULTIPLIER)
  hash ^= hash >>> 13
  hash = Math.imul(hash, MULTIPLIER)
  return hash ^ (hash >>> 15)
}

/** The partition of a key, equal to Java's (`BuiltInPartitioner.partitionForKey`). */
export function partitionForKey(key: Uint8Array, partitionCount: number): number {
  return (murmur2(key) & 0x7fffffff) % partitionCount
}

/** What the keyless choices know of a topic: plain data, one per topic and producer. */
export interface KeylessState {
  /** The partition that records without key go to now; -1 before the first. */
  sticky: number
  /** Bytes that went to `sticky` since it was chosen. */
  stickyBytes: number
  /** Records placed by round-robin so far. */
  turns: number
}

export function newKeylessState(): KeylessState {
  return { sticky: -1, stickyBytes: 0, turns: 0 }
}

/** What a new choice depends on. */
export interface PartitionLoads {
  readonly partitionCount: number
  /** Partitions that have a leader; empty: none is known to have one, so any will do. */
  readonly available: readonly number[]
  /** Batches of a partition that wait or are in flight, by partition. */
  queued(partition: number): number
  /** `partitioner.adaptive.partitioning.enable`: prefer partitions with short queues. */
  readonly adaptive: boolean
}

/** The sticky partition; chooses one when there is none yet or when it fell out of range. */
export function stickyPartition(state: KeylessState, loads: PartitionLoads, random: Random): number {
  if (state.sticky < 0 || state.sticky >= loads.partitionCount) switchSticky(state, loads, random)
  return state.sticky
}

/**
 * Counts what was just appended to the sticky partition and moves on after `stickyBatchSize` bytes (KIP-794). While the open batch
 * is not full, up to twice as much goes there, so that a switch does not leave a half-filled batch behind.
 */
export function countSticky(
  state: KeylessState,
  appended: { readonly bytes: number; readonly batchIsOpen: boolean },
  stickyBatchSize: number,
): boolean {
  state.stickyBytes += appended.bytes
  const enough = state.stickyBytes >= stickyBatchSize
  const plenty = state.stickyBytes >= 2 * stickyBatchSize
  if (!plenty && (!enough || appended.batchIsOpen)) return false
  leaveSticky(state)
  return true
}

/** The next record without key gets a new choice. */
export function leaveSticky(state: KeylessState): void {
  state.sticky = -1
  state.stickyBytes = 0
}

function switchSticky(state: KeylessState, loads: PartitionLoads, random: Random): void {
  state.sticky = loads.adaptive ? leastQueued(loads, random) : anyAvailable(loads, random)
  state.stickyBytes = 0
}

function anyAvailable({ available, partitionCount }: PartitionLoads, random: Random): number {
  return available.length > 0 ? available[random.int(available.length)]! : random.int(partitionCount)
}

/** Chance falls with the queue's length: each partition weighs (longest queue + 1 - own queue), as in KIP-794. */
function leastQueued(loads: PartitionLoads, random: Random): number {
  const { available } = loads
  if (available.length < 2) return anyAvailable(loads, random)
  let longest = 0
  let sum = 0
  for (const partition of available) {
    const queued = loads.queued(partition)
    sum += queued
    if (queued > longest) longest = queued
  }
  let ticket = random.int((longest + 1) * available.length - sum)
  for (const partition of available) {
    ticket -= longest + 1 - loads.queued(partition)
    if (ticket < 0) return partition
  }
  return available[available.length - 1]!
}

/** One after the other over the available partitions (`RoundRobinPartitioner`). */
export function roundRobinPartition(state: KeylessState, loads: PartitionLoads): number {
  const turn = state.turns
  state.turns = (turn + 1) % Number.MAX_SAFE_INTEGER
  return loads.available.length > 0 ? loads.available[turn % loads.available.length]! : turn % loads.partitionCount
}
