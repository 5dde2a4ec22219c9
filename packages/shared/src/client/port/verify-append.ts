// KIP-890: before the first append of a transaction to a partition, the door asks the transaction coordinator whether the partition belongs
// to it (old clients: it must have been added) or adds it (Produce 12 and up), under a guard that the leader issued.
import type { VerificationGuard } from '../../contracts/partition-leader.contract.ts'
import { errors } from '../../protocol/error-codes.ts'
import type {
  AddPartitionsToTxnRequest,
  AddPartitionsToTxnResponse,
} from '../../protocol/messages/24-add-partitions-to-txn.ts'
import { BATCH_HEADER_BYTES, baseSequence, producerEpoch, producerId } from '../../records/record-batch.ts'
import type { Caller, Door } from './door.ts'
import type { Leader } from './leader-directory.ts'

/** First Produce version whose clients let the append itself add the partition. */
const IMPLICIT_ADD_VERSION = 12
const ADD_PARTITIONS_BATCHED_VERSION = 5

/** The guard to append under (undefined: none needed), or Kafka's error code. */
export async function verifyAppend(
  door: Door,
  leader: Leader,
  transactionalId: string,
  records: Uint8Array,
  caller: Caller,
): Promise<VerificationGuard | undefined | number> {
  const implicitAdd = caller.apiVersion >= IMPLICIT_ADD_VERSION
  // Too short to be a batch: the append will say so.
  if (records.byteLength < BATCH_HEADER_BYTES) return undefined
  const batch = {
    producerId: producerId(records, 0),
    producerEpoch: producerEpoch(records, 0),
    baseSequence: baseSequence(records, 0),
  }
  const { guard } = await leader.link.ask(
    'verify',
    { ...batch, supportsEpochBump: implicitAdd },
    { deadlineMs: caller.deadlineMs },
  )
  if (!guard) return undefined
  const transaction = {
    transactionalId,
    producerId: batch.producerId,
    producerEpoch: batch.producerEpoch,
    verifyOnly: !implicitAdd,
    topics: [{ name: leader.topic, partitions: [leader.partition] }],
  }
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
