// The door of `odradek`, the package that users install: broker, producer, consumer, admin, topics and codecs.
import { usePackedThreads } from './pack/packed-threads.ts'

export * from '@odradek/broker'
export * from '@odradek/consumer'
export * from '@odradek/producer'
export { KafkaError } from '@odradek/shared/base/errors'
export type * from '@odradek/shared/client/admin'
export { createAdmin, PartialAdminError } from '@odradek/shared/client/admin'
export { type Made, type Outputs, type Pipeline, pipeline } from './pipeline/pipeline.ts'
export type { PipelineMetrics } from './pipeline/pipeline-lane.ts'
export type { PipelineOptions } from './pipeline/pipeline-options.ts'
export { openWindow, type Window } from './watch/window.ts'

usePackedThreads()
