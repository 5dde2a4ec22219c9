// Interceptors around records and their outcomes. What they throw is logged and ignored, as in Java (`ProducerInterceptors`).
import type { Log } from '@odradek/shared/actor/actor'
import type { DeliveryCallback } from './batch-in-progress.ts'
import type { InterceptedRecord, ProducerInterceptor } from './options.ts'

/** The record after every `onSend`, in order. */
export function interceptRecord<R extends InterceptedRecord>(
  interceptors: readonly ProducerInterceptor[],
  topic: string,
  record: R,
  log: Log,
): R {
  let current: InterceptedRecord = record
  for (const interceptor of interceptors) {
    try {
      current = interceptor.onSend?.(topic, current) ?? current
    } catch (thrown) {
      log.warn({ topic, reason: String(thrown) }, 'an interceptor threw in onSend')
    }
  }
  return current as R
}

/** Calls every `onAcknowledgement`, then the caller's own callback. */
export function interceptedCallback(
  interceptors: readonly ProducerInterceptor[],
  topic: string,
  callback: DeliveryCallback | undefined,
  log: Log,
): DeliveryCallback | undefined {
  if (interceptors.length === 0) return callback
  return (error, acknowledgement) => {
    const outcome = {
      topic,
      partition: acknowledgement?.partition ?? -1,
      offset: acknowledgement?.offset ?? -1n,
      timestamp: acknowledgement?.timestamp ?? -1,
      error,
    }
    for (const interceptor of interceptors) {
      try {
        interceptor.onAcknowledgement?.(outcome)
      } catch (thrown) {
        log.warn({ topic, reason: String(thrown) }, 'an interceptor threw in onAcknowledgement')
      }
    }
    callback?.(error, acknowledgement)
  }
}
