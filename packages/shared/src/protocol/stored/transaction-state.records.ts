// Records of `__transaction_state`: one per transactional id, the last one counts. Framed by `coordinator-record.ts`.
// A key with a null value is a tombstone: the id has expired.

import { array, data, type Infer, int8, int16, int32, int64, string } from '../schema.ts'

export const transactionLogKey = data(
  'TransactionLogKey',
  { type: 'coordinator-key', apiKey: 0, versions: '0', flexible: 'none' },
  { transactionalId: string('0') },
)
export type TransactionLogKey = Infer<typeof transactionLogKey>

/** Version 1 is flexible and written under transaction.version 1 and above (KIP-890); version 0 takes none of its fields. */
export const transactionLogValue = data(
  'TransactionLogValue',
  { type: 'coordinator-value', apiKey: 0, versions: '0-1', flexible: '1+' },
  {
    producerId: int64('0+'),
    /** Producer id of the last completed transaction, after an epoch ran out. */
    previousProducerId: int64('1+', { default: -1, tag: 0 }),
    /** Producer id that was handed out but not yet seen, while an epoch runs out. */
    nextProducerId: int64('1+', { default: -1, tag: 1 }),
    producerEpoch: int16('0+'),
    /** Epoch that goes with `nextProducerId`. */
    nextProducerEpoch: int16('1+', { default: -1, tag: 3 }),
    transactionTimeoutMs: int32('0+'),
    /**
     * Java: `TransactionState`: 0 Empty, 1 Ongoing, 2 PrepareCommit, 3 PrepareAbort, 4 CompleteCommit, 5 CompleteAbort,
     * 6 Dead, 7 PrepareEpochFence.
     */
    transactionStatus: int8('0+'),
    /** Null in states that have none. */
    transactionPartitions: array('0+', { topic: string('0+'), partitionIds: array('0+', 'int32') }, { nullable: '0+' }),
    transactionLastUpdateTimestampMs: int64('0+'),
    transactionStartTimestampMs: int64('0+'),
    /** The transaction.version that the client of this transaction uses. */
    clientTransactionVersion: int16('1+', { tag: 2 }),
  },
)
export type TransactionLogValue = Infer<typeof transactionLogValue>
