// Producer ids as they are after years: every new one is given out with an epoch from which a few ends lead to exhaustion (32766), and
// then to a fresh id. What comes first of the id is changed, and nothing else.
import type { transactionShard } from '@odradek/coordinator/transaction/transaction-shard'

/** A handful of ends away from the last epoch that a client gets. */
const EPOCH = 32_760

export function agedProducerIds(shardOf: typeof transactionShard): typeof transactionShard {
  return settings => {
    const shard = shardOf(settings)
    const { initProducerId } = shard.handlers
    if (initProducerId.kind !== 'write') return shard
    const handler: typeof initProducerId = {
      ...initProducerId,
      decide(state, asked, context) {
        const decision = initProducerId.decide(state, asked, context)
        const [record] = decision.records ?? []
        if (state.has(asked.transactionalId) || !record?.metadata || decision.reply?.kind !== 'done') return decision
        const metadata = { ...record.metadata, producerEpoch: EPOCH }
        return {
          ...decision,
          records: [{ ...record, metadata }],
          reply: { ...decision.reply, producerEpoch: EPOCH },
        }
      },
    }
    return { ...shard, handlers: { ...shard.handlers, initProducerId: handler } }
  }
}
