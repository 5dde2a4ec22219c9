// The transaction coordinator of one partition of `__transaction_state`: hands of the transaction shard. Lives on the lane of that
// partition's leader. Asked by the doors; asks leaders and group coordinators to write markers, and the broker for producer ids.
import {
  type ActorContext,
  type ActorDefinition,
  defineActor,
  type Handlers,
  type Link,
} from '@odradek/shared/actor/actor'
import { PortError } from '@odradek/shared/base/errors'
import { closeDoor, openDoor } from '@odradek/shared/client/port/door'
import { internalTopics } from '@odradek/shared/client/port/internal-topics'
import {
  type CoordinatorContract,
  type CoordinatorInput,
  coordinatorContract,
} from '@odradek/shared/contracts/coordinator.contract'
import { type PartitionLeaderContract, partitionLeader } from '@odradek/shared/contracts/partition-leader.contract'
import { ShardRunner } from '../runtime/shard-runner.ts'
import { EndedWatch } from './ended-watch.ts'
import { FreshProducerIds } from './fresh-producer-ids.ts'
import { MarkerSender } from './marker-sender.ts'
import { answerTransactionApi } from './transaction-requests.ts'
import { transactionSettings } from './transaction-settings.ts'
import {
  type TransactionMoved,
  type TransactionNotice,
  type TransactionShard,
  transactionShard,
} from './transaction-shard.ts'

/** Kafka's default `max.message.bytes`, which `__transaction_state` keeps. */
const BATCH_BYTES_MAX = 1_048_588

/** `shardOf` decides what the coordinator decides: the rules of this room, unless a test tries others. */
export function transactionCoordinator(
  shardOf: typeof transactionShard = transactionShard,
): ActorDefinition<CoordinatorContract, CoordinatorInput> {
  return defineActor({
    kind: 'coordinator',
    contract: coordinatorContract,
    start: (context, input) => start(context, input, shardOf),
  })
}

export const actor = transactionCoordinator()

function start(
  context: ActorContext,
  input: CoordinatorInput,
  shardOf: typeof transactionShard,
): Handlers<CoordinatorContract> {
  const settings = transactionSettings(input.configs)
  const name = `${internalTopics.transactions}-${input.partition}`
  const door = openDoor(context, input.broker)
  const ends = new EndedWatch(context)
  const markers = new MarkerSender({
    context,
    door,
    coordinatorEpoch: input.coordinatorEpoch,
    written: async order => {
      const noted = runner.submit('markersWritten', order)
      // What EndTxn answers was logged with the decision; whoever else waits is judged on top of what is being noted (decision 0014).
      ends.ended(order.transactionalId)
      return (await noted).kind !== 'refused'
    },
  })
  const notify = (notice: TransactionNotice) => {
    if (notice.kind === 'loaded') ends.everythingEnded()
    else {
      if (context.trace.on) traceMove(context.trace, notice)
      if (notice.logged.effects.includes('wake')) ends.ended(notice.transactionalId)
    }
  }
  const runner = new ShardRunner<TransactionShard>({
    definition: shardOf(settings),
    name,
    context,
    hands: { notify, writeMarkers: order => markers.send(order) },
    maxBatchBytes: BATCH_BYTES_MAX,
  })
  const leader = context.link(partitionLeader, input.leader) as Link<PartitionLeaderContract>
  // Its host starts a coordinator anew beside the next incarnation of the leader.
  let closing = false
  void leader.closed.then(reason => closing || context.fail(new Error(`the leader of ${name} ended: ${reason}`)))
  runner.lead(leader)
  const host = { context, settings, runner, door, producerIds: new FreshProducerIds(door.broker), ends }
  return {
    ask: {
      request: async request => {
        const answer = answerTransactionApi(host, request)
        if (answer !== undefined) return { response: await answer }
        const message = `a transaction coordinator does not answer ${request.api}`
        throw new PortError({ code: 'UNSUPPORTED_VERSION', message })
      },
      writeMarker: request => runner.writeMarker(request),
    },
    tell: { watchMember: () => {}, unwatchMember: () => {} },
    close: async () => {
      closing = true
      markers.close()
      await runner.close()
      ends.everythingEnded()
      closeDoor(door)
    },
    describe: () => {
      const { state, queues = [], detail = {} } = runner.describe()
      const { size, high } = markers.owed
      return {
        state,
        queues: [...queues, ends.queue],
        detail: { ...detail, transactionalIds: runner.state.size, markersOwed: size, markersOwedHigh: high },
      }
    },
  }
}

/** A decision and its commit are two steps of the machine; both are told when the second has happened. */
function traceMove(
  trace: ActorContext['trace'],
  { transactionalId, event, from, step, logged }: TransactionMoved,
): void {
  const which = { machine: 'transaction', subject: transactionalId }
  trace.transition({ ...which, from, to: step.to, event, effects: step.effects })
  trace.transition({ ...which, from: step.to, to: logged.to, event: 'record.logged', effects: logged.effects })
}
