// Waits that a signal can end.
import { KafkaError } from '@odradek/shared/base/errors'

export function aborted(signal: AbortSignal): KafkaError {
  return new KafkaError('ODK_ABORTED', 'the wait was ended by its signal', { cause: signal.reason })
}

/** The promise, or ODK_ABORTED when the signal comes first. */
export function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(aborted(signal))
    signal.addEventListener('abort', abort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
