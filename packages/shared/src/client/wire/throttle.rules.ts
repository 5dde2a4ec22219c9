// Who keeps the silence that a quota asks for (KIP-219; Kafka's `shouldClientThrottle`): since these versions the client, before them the broker, which
// answered late. Pure.

/** First version whose replies come before the silence; APIs that are not named here have always been so. */
const sinceVersion: { readonly [api: string]: number } = {
  Produce: 6,
  Fetch: 8,
  ListOffsets: 3,
  Metadata: 6,
  OffsetCommit: 4,
  OffsetFetch: 4,
  FindCoordinator: 2,
  JoinGroup: 3,
  Heartbeat: 2,
  LeaveGroup: 2,
  SyncGroup: 2,
  DescribeGroups: 2,
  ListGroups: 2,
  ApiVersions: 2,
  CreateTopics: 3,
  DeleteTopics: 2,
  DeleteRecords: 1,
  InitProducerId: 1,
  AddPartitionsToTxn: 1,
  AddOffsetsToTxn: 1,
  EndTxn: 1,
  TxnOffsetCommit: 1,
  DescribeAcls: 1,
  DescribeConfigs: 2,
  AlterConfigs: 1,
  DescribeLogDirs: 1,
  CreatePartitions: 1,
  DeleteGroups: 1,
}

/** Milliseconds for which nothing may be sent after this reply; 0: go on. */
export function silenceMs(api: string, version: number, response: unknown): number {
  const { throttleTimeMs } = response as { readonly throttleTimeMs?: number }
  if (throttleTimeMs === undefined || throttleTimeMs <= 0) return 0
  return version >= (sinceVersion[api] ?? 0) ? throttleTimeMs : 0
}
