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

/** Something that moves on, step by step, and may be waited for. */
export class Changes {
  readonly #watchers = new Set<() => void>()

  tell(): void {
    if (this.#watchers.size === 0) return
    for (const watcher of [...this.#watchers]) watcher()
  }

  /** Resolves at the next change. */
  next(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(aborted(signal))
      const done = () => {
        this.#watchers.delete(done)
        signal?.removeEventListener('abort', gaveUp)
        resolve()
      }
      const gaveUp = () => {
        this.#watchers.delete(done)
        reject(aborted(signal!))
      }
      this.#watchers.add(done)
      signal?.addEventListener('abort', gaveUp, { once: true })
    })
  }
}
