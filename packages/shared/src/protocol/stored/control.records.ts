// Contents of control batches: the key says what kind, the value belongs to the kind. Used by the records layer and by tools.
//
//   key     | version int16 = 0 | type int16 |     0 abort, 1 commit, 2 leader change, 3 snapshot header, 4 snapshot footer
//   value   | version int16     | body       |

import { array, data, type Infer, int16, int32, int64, uuid } from '../schema.ts'

/** The key of a control record. */
export const controlRecordTypeSchema = data(
  'ControlRecordTypeSchema',
  { versions: '0', flexible: 'none' },
  { type: int16('0+') },
)
export type ControlRecordTypeSchema = Infer<typeof controlRecordTypeSchema>

/** The value of abort and commit markers. */
export const endTxnMarker = data('EndTxnMarker', { versions: '0', flexible: 'none' }, { coordinatorEpoch: int32('0+') })
export type EndTxnMarker = Infer<typeof endTxnMarker>

const voter = { voterId: int32('0+'), voterDirectoryId: uuid('1+') }

/** The first record of a new leader of the metadata log. */
export const leaderChangeMessage = data(
  'LeaderChangeMessage',
  { versions: '0-1', flexible: '0+' },
  {
    version: int16('0+'),
    leaderId: int32('0+', { entityType: 'brokerId' }),
    voters: array('0+', voter),
    grantingVoters: array('0+', voter),
  },
)
export type LeaderChangeMessage = Infer<typeof leaderChangeMessage>

/** One entry of Kafka's transaction index files. */
export const abortedTxn = data(
  'AbortedTxn',
  { versions: '0', flexible: 'none' },
  {
    producerId: int64('0+'),
    firstOffset: int64('0+'),
    lastOffset: int64('0+'),
    lastStableOffset: int64('0+'),
  },
)
export type AbortedTxn = Infer<typeof abortedTxn>
