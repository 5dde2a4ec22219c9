// KIP-890: before the first append of a transaction to a partition, the door asks the transaction coordinator whether the partition belongs
// to it (old clients: it must have been added) or adds it (newer clients), under a guard that the leader issued first: whatever ends the
// transaction meanwhile makes the guard void, so nothing late can open a transaction that nobody ends.
import type { VerificationGuard } from '../../contracts/partition-leader.contract.ts'
import { errors } from '../../protocol/error-codes.ts'
import type {
  AddPartitionsToTxnRequest,
  AddPartitionsToTxnResponse,
} from '../../protocol/messages/24-add-partitions-to-txn.ts'
import type { Caller, Door } from './door.ts'
import type { Leader } from './leader-directory.ts'

const ADD_PARTITIONS_BATCHED_VERSION = 5

export interface VouchedAppend {
  readonly transactionalId: string
  readonly producerId: number
  readonly producerEpoch: number
  /** Of the first batch; -1: offsets, which have none. */
  readonly baseSequence: number
  /** True: a client of transaction.version 2, whose append adds the partition. */
  readonly implicitAdd: boolean
}

/** The guard to append under (undefined: none needed), or the coordinator's error code. Rejects as an ask of the leader does. */
export async function vouch(
  door: Door,
  leader: Leader,
  append: VouchedAppend,
  caller: Caller,
): Promise<VerificationGuard | undefined | number> {
  const { transactionalId, producerId, producerEpoch, baseSequence, implicitAdd } = append
  const { guard } = await leader.link.ask(
    'verify',
    { producerId, producerEpoch, baseSequence, supportsEpochBump: implicitAdd },
    { deadlineMs: caller.deadlineMs },
  )
  if (!guard) return undefined
  const topics = [{ name: leader.topic, partitions: [leader.partition] }]
  const transaction = { transactionalId, producerId, producerEpoch, verifyOnly: !implicitAdd, topics }
  const request: AddPartitionsToTxnRequest = {
    transactions: [transaction],
    v3AndBelowTransactionalId: '',
    v3AndBelowProducerId: 0,
    v3AndBelowProducerEpoch: 0,
    v3AndBelowTopics: [],
  }
  const asked = {
    api: 'AddPartitionsToTxn' as const,
    apiVersion: ADD_PARTITIONS_BATCHED_VERSION,
    request,
    clientId: caller.clientId,
    clientHost: caller.clientHost,
  }
  const response = (await door.coordinators.ask('transaction', transactionalId, asked, caller)) as
    | AddPartitionsToTxnResponse
    | number
  const code = typeof response === 'number' ? response : codeOf(response)
  return code === 0 ? guard : code
}

function codeOf({ errorCode: code, resultsByTransaction }: AddPartitionsToTxnResponse): number {
  if (code !== 0) return code
  const partition = resultsByTransaction[0]?.topicResults[0]?.resultsByPartition[0]
  return partition?.partitionErrorCode ?? errors.UNKNOWN_SERVER_ERROR.code
}
