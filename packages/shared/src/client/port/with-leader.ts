// Asks the leader of one partition on behalf of a request, and says in Kafka's words when that cannot be done.
import { PortError } from '../../base/errors.ts'
import type { LeaderAddress } from '../../contracts/broker.contract.ts'
import { errors } from '../../protocol/error-codes.ts'
import type { Caller, Door } from './door.ts'
import type { Leader, PartitionRef } from './leader-directory.ts'
import { leaderFailure } from './port-failure.ts'

/**
 * Resolves with what `ask` resolves with, or with `failed(code, words)`: UNKNOWN_TOPIC_OR_PARTITION (UNKNOWN_TOPIC_ID when asked by id),
 * KAFKA_STORAGE_ERROR when its log cannot be opened (Kafka: an offline log directory; the words say why, null with other codes),
 * NOT_LEADER_OR_FOLLOWER when the leader ended on the way, REQUEST_TIMED_OUT. A full link is waited for until the deadline.
 */
export async function withLeader<T>(
  door: Door,
  ref: PartitionRef,
  caller: Caller,
  ask: (leader: Leader) => Promise<T>,
  failed: (code: number, words: string | null) => T,
): Promise<T> {
  try {
    let leader = door.leaders.known(ref)
    if (!leader) {
      const [found] = await door.leaders.find([ref], caller.deadlineMs, caller.signal)
      leader = door.leaders.known(ref)
      if (!leader) return failed(whyLeaderless(ref, found), found?.failure ?? null)
    }
    return await askWhenWritable(door, leader, caller, ask)
  } catch (error) {
    return failed(leaderFailure(error), null)
  }
}

/** `found`: what the broker said of the partition; undefined: that it does not exist. */
function whyLeaderless({ topic }: PartitionRef, found: LeaderAddress | undefined): number {
  if (found === undefined) return topic ? errors.UNKNOWN_TOPIC_OR_PARTITION.code : errors.UNKNOWN_TOPIC_ID.code
  return found.failure === undefined ? errors.NOT_LEADER_OR_FOLLOWER.code : errors.KAFKA_STORAGE_ERROR.code
}

async function askWhenWritable<T>(
  door: Door,
  leader: Leader,
  caller: Caller,
  ask: (leader: Leader) => Promise<T>,
): Promise<T> {
  const { clock } = door.host
  const deadline = clock.monotonic() + caller.deadlineMs
  for (;;) {
    try {
      return await ask(leader)
    } catch (error) {
      // Refused before anything was sent: the caller's own bounds (read-ahead, buffer.memory) limit how many wait here.
      const leftMs = deadline - clock.monotonic()
      const mayWait = error instanceof PortError && error.code === 'LINK_FULL' && leftMs > 0 && !caller.signal?.aborted
      if (!mayWait) throw error
      await writableWithin(door, leader, leftMs)
    }
  }
}

/** Resolves when the link has room again, or the time is over: a leader that is stuck must not hold its callers for ever. */
async function writableWithin(door: Door, leader: Leader, ms: number): Promise<void> {
  let giveUp: () => void = () => undefined
  const late = new Promise<void>(resolve => {
    giveUp = resolve
  })
  const timer = door.host.clock.after(ms, giveUp)
  await Promise.race([leader.link.writable(), late])
  timer.cancel()
}
