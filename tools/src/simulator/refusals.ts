// Refusals for the moment: what Apache Kafka's brokers answer while they start, load a coordinator or hand a partition over. Our broker lets such requests wait
// instead, so without this the clients' answers to them would be tried by real clusters alone. Some were done before they were refused: an answer that comes
// too late looks no different.
import type { actor as leader } from '@odradek/broker/partition/partition-leader.actor'
import { type ActorDefinition, defineActor } from '@odradek/shared/actor/actor'
import type { Random } from '@odradek/shared/base/random'
import { refusedGroupApi, refusedTransactionApi } from '@odradek/shared/client/port/coordinator-refusals'
import type { ApiName } from '@odradek/shared/contracts/api-map'
import type {
  CoordinatorContract,
  CoordinatorInput,
  CoordinatorRequest,
} from '@odradek/shared/contracts/coordinator.contract'
import { type ErrorName, errors } from '@odradek/shared/protocol/error-codes'
import { pick } from './client-plans.rules.ts'

const GROUP: readonly ErrorName[] = ['COORDINATOR_LOAD_IN_PROGRESS', 'COORDINATOR_NOT_AVAILABLE', 'NOT_COORDINATOR']
const TRANSACTION: readonly ErrorName[] = [...GROUP, 'CONCURRENT_TRANSACTIONS']
const LEADER: readonly ErrorName[] = ['NOT_LEADER_OR_FOLLOWER', 'UNKNOWN_TOPIC_OR_PARTITION', 'KAFKA_STORAGE_ERROR']
const READ: readonly ErrorName[] = [...LEADER, 'OFFSET_NOT_AVAILABLE']
const APPEND: readonly ErrorName[] = [
  ...LEADER,
  'NOT_ENOUGH_REPLICAS',
  'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
  'REQUEST_TIMED_OUT',
]

type Refused = (asked: any, errorCode: number) => unknown

/** By API: what it may be refused with, and how that looks. */
const COORDINATED: { readonly [api in ApiName]?: readonly [readonly ErrorName[], Refused] } = {
  JoinGroup: [GROUP, refusedGroupApi.JoinGroup],
  SyncGroup: [GROUP, refusedGroupApi.SyncGroup],
  Heartbeat: [GROUP, refusedGroupApi.Heartbeat],
  LeaveGroup: [GROUP, refusedGroupApi.LeaveGroup],
  OffsetCommit: [GROUP, refusedGroupApi.OffsetCommit],
  OffsetFetch: [GROUP, ({ groups }, errorCode) => refusedGroupApi.OffsetFetch(groups[0], errorCode)],
  ConsumerGroupHeartbeat: [GROUP, refusedGroupApi.ConsumerGroupHeartbeat],
  TxnOffsetCommit: [GROUP, refusedGroupApi.TxnOffsetCommit],
  InitProducerId: [TRANSACTION, refusedTransactionApi.InitProducerId],
  AddOffsetsToTxn: [TRANSACTION, refusedTransactionApi.AddOffsetsToTxn],
  AddPartitionsToTxn: [
    TRANSACTION,
    ({ transactions }, errorCode) => refusedTransactionApi.AddPartitionsToTxn(transactions[0], errorCode),
  ],
  EndTxn: [TRANSACTION, refusedTransactionApi.EndTxn],
}

type Kind = 'no' | 'undone' | 'done'

export class Refusals {
  /** Share of the requests that are refused, 0..1; changed by the weather. */
  share = 0
  readonly #random: Random

  constructor(random: Random) {
    this.#random = random
  }

  /** Whether the next request is refused, and if it is done nevertheless. */
  next(): Kind {
    if (this.share === 0 || this.#random.float() >= this.share) return 'no'
    return this.#random.int(4) === 0 ? 'done' : 'undone'
  }

  codeOf(names: readonly ErrorName[]): number {
    return errors[pick(this.#random, names)].code
  }
}

export function refusing(
  product: ActorDefinition<CoordinatorContract, CoordinatorInput>,
  refusals: Refusals,
): ActorDefinition<CoordinatorContract, CoordinatorInput> {
  return defineActor({
    ...product,
    async start(context, input) {
      const handlers = await product.start(context, input)
      const { request } = handlers.ask
      const refuse = ({ api, request: asked }: CoordinatorRequest) => {
        const [names, refused] = COORDINATED[api]!
        return { response: refused(asked, refusals.codeOf(names)) }
      }
      return {
        ...handlers,
        ask: {
          ...handlers.ask,
          async request(asked, peer) {
            const kind = COORDINATED[asked.api] === undefined ? 'no' : refusals.next()
            if (kind === 'undone') return refuse(asked)
            const done = await request(asked, peer)
            return kind === 'done' ? refuse(asked) : done
          },
        },
      }
    },
  })
}

export function refusingLeader(product: typeof leader, refusals: Refusals): typeof leader {
  return defineActor({
    ...product,
    async start(context, input) {
      const handlers = await product.start(context, input)
      const { append, fetch, listOffsets } = handlers.ask
      return {
        ...handlers,
        ask: {
          ...handlers.ask,
          async append(asked, peer) {
            const kind = asked.origin === 'client' ? refusals.next() : 'no'
            const done = kind === 'undone' ? NOT_APPENDED : await append(asked, peer)
            return kind === 'no' ? done : { ...NOT_APPENDED, errorCode: refusals.codeOf(APPEND) }
          },
          async fetch(asked, peer) {
            if (refusals.next() === 'no') return fetch(asked, peer)
            return { ...NOT_FETCHED, errorCode: refusals.codeOf(READ) }
          },
          async listOffsets(asked, peer) {
            if (refusals.next() === 'no') return listOffsets(asked, peer)
            return { ...NOT_LISTED, errorCode: refusals.codeOf(READ) }
          },
        },
      }
    },
  })
}

const NOT_APPENDED = {
  errorCode: 0,
  errorMessage: null,
  baseOffset: -1,
  logAppendTimeMs: -1,
  logStartOffset: -1,
  recordErrors: [],
}
const NOT_FETCHED = {
  highWatermark: -1,
  lastStableOffset: -1,
  logStartOffset: -1,
  abortedTransactions: null,
  records: new Uint8Array(0),
  more: false,
}
const NOT_LISTED = { timestamp: -1, offset: -1, leaderEpoch: -1 }
