// The door of @odradek/consumer: what other packages and users may import by name.
export type { GroupMetadata, TopicPartition } from '@odradek/shared/contracts/consumer.contract'
export {
  type ConsumeOptions,
  consume,
  type HandlerThreadMetrics,
  type WorkerConsumers,
} from './consume.ts'
export type {
  BatchOptions,
  CallOptions,
  ConsumerMetrics,
  OffsetToCommit,
  PartitionToAssign,
  RecordOf,
  RunOptions,
  SeekTo,
  Topics,
} from './consumer-calls.ts'
export type { Consumer } from './consumer-client.ts'
export type {
  AssignorChoice,
  ConsumerInterceptor,
  ConsumerOptions,
  DecodeErrorPolicy,
  RebalanceHook,
} from './consumer-options.ts'
export type { ConsumerRecord } from './consumer-record.ts'
export { createConsumer } from './create-consumer.ts'
export type { RecordBatch } from './delivery-runner.ts'
export type { HandlerFailure } from './handler.worker.ts'
export type { HandlerFailureChoice } from './handler-failure-choice.ts'
export type { HandlerContext, HandlerModule } from './handler-module.ts'
export type {
  AssignorCluster,
  AssignorName,
  GroupAssignment,
  MemberAssignment,
  MemberSubscription,
  PartitionAssignor,
} from './partition-assignor.ts'
export type { RecordStream } from './record-stream.ts'
