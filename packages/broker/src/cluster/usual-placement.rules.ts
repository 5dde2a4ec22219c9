// Where a broker's actors run when nobody named a placement. With few threads, who is asked for every transaction and every membership shares the broker's thread:
// the coordinators of groups and of transactions, with the leaders of their partitions. A pipeline then speaks with one thread instead of three (decision 0036).
import type { PlacementChoice } from '@odradek/shared/actor/system-core'
import { isInternalTopic } from '@odradek/shared/client/port/internal-topics'

/** Up to so many threads, coordinators share that of the broker; with more, each coordinator has one of its own while there are. */
const SHARED_BROKER_THREADS_MAX = 4

const BROKER = 'broker'

export function usualPlacement(threads: number): PlacementChoice {
  if (threads > SHARED_BROKER_THREADS_MAX) return () => undefined
  return ({ kind, name }) =>
    kind === 'broker' || (kind === 'partition-leader' && isInternalTopic(topicOf(name))) ? BROKER : undefined
}

/** Leaders are named `topic-partition`. */
function topicOf(leader: string): string {
  return leader.slice(0, leader.lastIndexOf('-'))
}
