// What decides about records before they are handed out: the policy for records that do not decode, and interceptors.
import type { KafkaError } from '@odradek/shared/base/errors'
import type { ResolvedConsumerOptions } from './consumer-options.ts'
import type { ConsumerRecord } from './consumer-record.ts'
import type { RecordGate } from './record-feed.ts'

/** What decides about records before they are handed out; null when nothing does, which costs nothing. */
export function gateOf({ onDecodeError, interceptors }: ResolvedConsumerOptions): RecordGate {
  if (onDecodeError === 'fail' && interceptors.length === 0) return null
  return record => {
    if (onDecodeError !== 'fail' && !decodes(record, onDecodeError)) return false
    for (const interceptor of interceptors) ignoringErrors(() => interceptor.onConsume?.(record))
    return true
  }
}

function decodes(
  record: ConsumerRecord<any, any>,
  policy: Exclude<ResolvedConsumerOptions['onDecodeError'], 'fail'>,
): boolean {
  try {
    void record.key
    void record.value
    return true
  } catch (error) {
    if (policy === 'skip') return false
    const { topic, partition, offset } = record
    if (policy(error as KafkaError, { topic, partition, offset }) === 'skip') return false
    throw error
  }
}

export function ignoringErrors(run: () => void): void {
  try {
    run()
  } catch {
    // Kafka's rule: an interceptor cannot stop a consumer.
  }
}
