// What users of @odradek/producer import.
export {
  bytes,
  type Codec,
  float64,
  int32,
  int64,
  json,
  type StandardSchema,
  schema,
  string,
} from '@odradek/shared/client/codecs'
export { type KeyOf, type Topic, topic, type ValueOf } from '@odradek/shared/client/topic'
export type { PartitionMetadata } from '@odradek/shared/contracts/sender.contract'
export { type Acknowledgement, type Acknowledgements, PartialSendError } from './acknowledgement.ts'
export type { DeliveryCallback } from './batch-in-progress.ts'
export { createProducer } from './create-producer.ts'
export type {
  HeadersInput,
  HeaderValue,
  InterceptedRecord,
  Partitioner,
  PartitionerInput,
  ProducerInterceptor,
  ProducerOptions,
} from './options.ts'
export type { Producer } from './producer.ts'
export type { ProducerRecord, RecordFor, SendOptions } from './record-encoder.ts'
export type { OffsetsToSend, Transaction } from './transactions.ts'
