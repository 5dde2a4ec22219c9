// What every sending client of the load tool has: a producer with the plan's options, the topic of the tool's records, and what others read of it meanwhile.
import { createProducer } from '@odradek/producer'
import { systemRandom } from '@odradek/shared/base/random'
import { topic } from '@odradek/shared/client/topic'
import type { ClientTask } from './client-messages.ts'
import { loadEncoder } from './load-record.records.ts'

export type LoadProducer = ReturnType<typeof loadProducer>

/** `options`: of the producer, beside those that the plan gives. */
export function loadProducer({ plan, worker, counters }: ClientTask, bootstrapServers: object, options: object) {
  const random = systemRandom()
  return {
    topic: topic(plan.topic, { value: loadEncoder(plan, worker, () => random.float()) }),
    live: new Float64Array(counters),
    /** The next number of each partition. */
    sequences: new Array<number>(plan.partitions).fill(0),
    producer: createProducer({
      ...bootstrapServers,
      clientId: `odradek-load-${worker}`,
      batchSize: plan.batchSize,
      lingerMs: plan.lingerMs,
      compressionType: plan.compression,
      ...options,
    } as never),
  }
}
