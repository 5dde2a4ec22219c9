// The APIs that a door answers by asking partition leaders.
import type { Answers } from './door.ts'
import { fetch } from './fetch.ts'
import {
  deleteRecords,
  describeProducers,
  listOffsets,
  offsetForLeaderEpoch,
  writeTxnMarkers,
} from './partition-queries.ts'
import { produce } from './produce.ts'

export const leaderApis: Answers = {
  Produce: produce,
  Fetch: fetch,
  ListOffsets: listOffsets,
  DeleteRecords: deleteRecords,
  OffsetForLeaderEpoch: offsetForLeaderEpoch,
  DescribeProducers: describeProducers,
  WriteTxnMarkers: writeTxnMarkers,
}
