// AddPartitionsToTxn 0-5. Up to version 3 one transaction by plain fields (what clients speak), from 4 on a list of transactions (between brokers, KIP-890).
import { answer } from '@odradek/shared/client/port/door'
import type { Handler } from './handler.ts'

const BATCHED_VERSION = 4

export const addPartitionsToTxnHandler: Handler<'AddPartitionsToTxn'> = async (request, { door, caller }) => {
  if (caller.apiVersion >= BATCHED_VERSION) return answer(door, 'AddPartitionsToTxn', request, caller)
  const transaction = {
    transactionalId: request.v3AndBelowTransactionalId,
    producerId: request.v3AndBelowProducerId,
    producerEpoch: request.v3AndBelowProducerEpoch,
    verifyOnly: false,
    topics: request.v3AndBelowTopics,
  }
  const response = await answer(
    door,
    'AddPartitionsToTxn',
    { ...request, transactions: [transaction], v3AndBelowTransactionalId: '', v3AndBelowTopics: [] },
    caller,
  )
  const resultsByTopicV3AndBelow = response.resultsByTransaction[0]?.topicResults ?? []
  return { throttleTimeMs: 0, errorCode: 0, resultsByTransaction: [], resultsByTopicV3AndBelow }
}
