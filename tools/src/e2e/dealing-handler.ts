// A handler module that brings an assignor of its own: partition p is dealt to the thread `p % members`, which each thread says of itself in its user data.
import type { HandlerContext } from '@odradek/consumer/handler-module'
import type { PartitionAssignor } from '@odradek/consumer/partition-assignor'

export { each } from './telling-handler.ts'

let mine = -1

/** Runs before the thread joins its group. */
export function start({ thread }: HandlerContext): void {
  mine = thread
}

export const partitionAssignmentStrategy: PartitionAssignor = {
  name: 'by-thread',
  subscriptionUserData: () => Uint8Array.of(mine),
  assign(cluster, members) {
    const all = [...cluster.topics].flatMap(([topic, { partitions }]) =>
      partitions.map((_, partition) => ({ topic, partition })),
    )
    const threadOf = (id: string) => members.get(id)!.userData![0]!
    const ids = [...members.keys()].sort((a, b) => threadOf(a) - threadOf(b))
    return new Map(
      ids.map((id, seat) => [id, { partitions: all.filter(({ partition }) => partition % ids.length === seat) }]),
    )
  },
}
