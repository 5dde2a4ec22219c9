// The group coordinator's hands: one actor per partition of `__consumer_offsets`, on the lane of that partition's leader. Runs the group shard,
// keeps its view of topics true, and tells members that live in this process of rebalances.
import { type ActorContext, defineActor, type Handlers, type Peer } from '@odradek/shared/actor/actor'
import { PortError } from '@odradek/shared/base/errors'
import type { GroupNews } from '@odradek/shared/client/cluster-link'
import { internalTopics } from '@odradek/shared/client/port/internal-topics'
import type { ApiName } from '@odradek/shared/contracts/api-map'
import {
  type CoordinatorContract,
  type CoordinatorInput,
  coordinatorContract,
  type MemberRef,
} from '@odradek/shared/contracts/coordinator.contract'
import { partitionLeader } from '@odradek/shared/contracts/partition-leader.contract'
import { ShardRunner } from '../runtime/shard-runner.ts'
import { BrokerWatch } from './broker-watch.ts'
import { GroupConfigView } from './group-config-view.ts'
import { groupSettings } from './group-settings.ts'
import { groupShard } from './group-shard.ts'
import type { GroupMoved, GroupShard } from './group-words.ts'
import { TopicView } from './topic-view.ts'

/** The word for each of Kafka's APIs. */
const words: { readonly [A in ApiName]?: keyof GroupShard['words'] } = {
  JoinGroup: 'joinGroup',
  SyncGroup: 'syncGroup',
  Heartbeat: 'heartbeat',
  LeaveGroup: 'leaveGroup',
  OffsetCommit: 'offsetCommit',
  TxnOffsetCommit: 'txnOffsetCommit',
  OffsetFetch: 'offsetFetch',
  OffsetDelete: 'offsetDelete',
  DeleteGroups: 'deleteGroups',
  DescribeGroups: 'describeGroups',
  ListGroups: 'listGroups',
  ConsumerGroupHeartbeat: 'consumerGroupHeartbeat',
  ConsumerGroupDescribe: 'consumerGroupDescribe',
}

/** The actor; `shardOf` is another for tests that plant a bug in the shard. */
export function groupCoordinator(shardOf = groupShard) {
  return defineActor<CoordinatorContract, CoordinatorInput>({
    kind: 'coordinator',
    contract: coordinatorContract,
    start: (context, input) => start(context, input, shardOf),
  })
}

export const actor = groupCoordinator()

async function start(
  context: ActorContext,
  input: CoordinatorInput,
  shardOf: typeof groupShard,
): Promise<Handlers<CoordinatorContract>> {
  const name = `${internalTopics.offsets}-${input.partition}`
  const topics = new TopicView(context.clock.now())
  const groupConfigs = new GroupConfigView()
  const watchers = new Watchers()
  const runner = new ShardRunner<GroupShard>({
    definition: shardOf({
      settings: groupSettings(input.configs),
      topics,
      groupConfigs: groupId => groupConfigs.of(groupId),
    }),
    name,
    context,
    hands: {
      notify: notice => {
        if (notice.kind === 'rebalance') watchers.tell(notice)
        else if (context.trace.on) traceMove(context.trace, notice)
      },
    },
    maxBatchBytes: Number(input.configs['message.max.bytes'] ?? 1_048_588),
  })
  const leader = context.link(partitionLeader, input.leader)
  // Its host starts a coordinator anew beside the next incarnation of the leader.
  let closing = false
  void leader.closed.then(reason => closing || context.fail(new Error(`the leader of ${name} ended: ${reason}`)))
  runner.lead(leader)
  const watch = new BrokerWatch({
    context,
    broker: input.broker,
    topics,
    groupConfigs,
    topicsChanged: () => void runner.submit('topicsChanged', {}),
    topicsDeleted: names => void runner.submit('topicsDeleted', { topics: names }),
  })
  await watch.open()
  return {
    ask: {
      request: async asked => {
        const word = words[asked.api]
        if (word === undefined) {
          const message = `a group coordinator does not answer ${asked.api}`
          throw new PortError({ code: 'UNSUPPORTED_VERSION', message })
        }
        return { response: await runner.submit(word, asked as never) }
      },
      writeMarker: request => runner.writeMarker(request),
    },
    tell: {
      watchMember: (member, peer) => watchers.add(member, peer),
      unwatchMember: (member, peer) => watchers.remove(member, peer),
    },
    closed: peer => watchers.removeAll(peer),
    close: () => {
      closing = true
      watch.close()
      return runner.close()
    },
    describe: () => runner.describe(),
  }
}

function traceMove(trace: ActorContext['trace'], { groupId, from, to, event, effects }: GroupMoved): void {
  trace.transition({ machine: 'classic-group', subject: groupId, from, to, event, effects })
}

/** Who wants to be told of which member. */
class Watchers {
  readonly #peers = new Map<string, Set<Peer<CoordinatorContract>>>()

  add(member: MemberRef, peer: Peer<CoordinatorContract>): void {
    const peers = this.#peers.get(keyOf(member))
    if (peers === undefined) this.#peers.set(keyOf(member), new Set([peer]))
    else peers.add(peer)
  }

  remove(member: MemberRef, peer: Peer<CoordinatorContract>): void {
    const peers = this.#peers.get(keyOf(member))
    peers?.delete(peer)
    if (peers?.size === 0) this.#peers.delete(keyOf(member))
  }

  removeAll(peer: Peer<CoordinatorContract>): void {
    for (const [key, peers] of this.#peers) {
      if (peers.delete(peer) && peers.size === 0) this.#peers.delete(key)
    }
  }

  tell({ groupId, memberId, isRebalancing }: MemberRef & GroupNews): void {
    const news = { groupId, memberId, isRebalancing }
    for (const peer of this.#peers.get(keyOf(news)) ?? []) peer.news('rebalance', news)
  }
}

function keyOf({ groupId, memberId }: MemberRef): string {
  return JSON.stringify([groupId, memberId])
}
