// KIP-890: before the first append of a transaction to a partition, the door asks the transaction coordinator whether the partition belongs
// to it (old clients: it must have been added) or adds it (newer clients), so nothing late can open a transaction that nobody ends. For an old client
// the leader issues a guard first, which whatever ends the transaction meanwhile makes void; a newer one is fenced by its epoch, which every end
// raises, so its leader need not be asked.
import type { Verification } from '../../contracts/partition-leader.contract.ts'
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

/** What to append under (undefined: nothing needed), or the coordinator's error code. Rejects as an ask of the leader does. */
export async function vouch(
  door: Door,
  leader: Leader,
  append: VouchedAppend,
  caller: Caller,
): Promise<Verification | undefined | number> {
  if (append.implicitAdd) {
    const code = await addedOrVerified(door, leader, append, caller)
    return code === 0 ? 'added' : code
  }
  const { producerId, producerEpoch, baseSequence } = append
  const asked = { producerId, producerEpoch, baseSequence }
  const { guard } = await leader.link.ask('verify', asked, { deadlineMs: caller.deadlineMs })
  if (!guard) return undefined
  const code = await addedOrVerified(door, leader, append, caller)
  return code === 0 ? guard : code
}

/** The coordinator's code; 0: the partition is in the transaction. */
async function addedOrVerified(
  door: Door,
  { topic, partition }: Leader,
  { transactionalId, producerId, producerEpoch, implicitAdd }: VouchedAppend,
  caller: Caller,
): Promise<number> {
  const topics = [{ name: topic, partitions: [partition] }]
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
  return typeof response === 'number' ? response : codeOf(response)
}

function codeOf({ errorCode: code, resultsByTransaction }: AddPartitionsToTxnResponse): number {
  if (code !== 0) return code
  const partition = resultsByTransaction[0]?.topicResults[0]?.resultsByPartition[0]
  return partition?.partitionErrorCode ?? errors.UNKNOWN_SERVER_ERROR.code
}
