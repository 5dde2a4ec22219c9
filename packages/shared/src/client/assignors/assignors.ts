// The assignors that come with the client, by name (Kafka's `partition.assignment.strategy`).
import type { Assignor, RebalanceProtocol } from './assignor.ts'
import { rangeAssignor } from './range.ts'
import { roundRobinAssignor } from './round-robin.ts'
import { cooperativeStickyAssignor, stickyAssignor } from './sticky.ts'

export const assignors: ReadonlyMap<string, Assignor> = new Map(
  [rangeAssignor, roundRobinAssignor, stickyAssignor, cooperativeStickyAssignor].map(assignor => [
    assignor.name,
    assignor,
  ]),
)

/** The protocol that a member with these assignors follows: COOPERATIVE only when all of them can (Kafka's ConsumerCoordinator). */
export function protocolOf(strategy: readonly Pick<Assignor, 'protocols'>[]): RebalanceProtocol {
  return strategy.every(({ protocols }) => protocols.includes('COOPERATIVE')) ? 'COOPERATIVE' : 'EAGER'
}
