// The async iterable of records. `next` answers from what has arrived without waiting; only an empty inbox costs a wait.
import { assert } from '@odradek/shared/base/assert'
import type { ConsumerRecord } from './consumer-record.ts'

/** What a stream needs of its consumer. */
export interface StreamSource {
  /** Takes the consumer's reading place; throws when another reader has it. */
  begin(): void
  /** The previous record is done; the next one, or null when nothing has arrived. Throws what the user must hear. */
  next(): ConsumerRecord<any, any> | null
  /** Resolves when something may have arrived; rejects with what the user must hear; false: the consumer was closed. */
  wait(signal: AbortSignal | undefined): Promise<boolean>
  end(): void
}

/**
 * Records as they come, partitions in turn, each in order. A record counts as processed when the next one is asked for; the one in hand when the
 * loop is left (break, throw) does not. One reader at a time; ends when the consumer is closed.
 */
export class RecordStream<R extends ConsumerRecord<any, any>> implements AsyncIterableIterator<R> {
  readonly #source: StreamSource
  readonly #signal: AbortSignal | undefined
  readonly #ready: () => Promise<void>
  #state: 'new' | 'open' | 'done' = 'new'
  #pending = false

  constructor(source: StreamSource, ready: () => Promise<void>, signal: AbortSignal | undefined) {
    this.#source = source
    this.#ready = ready
    this.#signal = signal
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<R, undefined>> {
    if (this.#state === 'open' && !this.#pending) {
      try {
        const record = this.#source.next()
        if (record !== null) return Promise.resolve({ value: record as R, done: false })
      } catch (error) {
        this.#finish()
        return Promise.reject(error)
      }
    }
    return this.#slowNext()
  }

  async return(): Promise<IteratorResult<R, undefined>> {
    this.#finish()
    return { value: undefined, done: true }
  }

  async #slowNext(): Promise<IteratorResult<R, undefined>> {
    assert(!this.#pending, 'a stream is asked for one record at a time')
    if (this.#state === 'done') return { value: undefined, done: true }
    this.#pending = true
    try {
      if (this.#state === 'new') await this.#open()
      while (this.#state === 'open' && !this.#signal?.aborted) {
        const record = this.#source.next()
        if (record !== null) return { value: record as R, done: false }
        if (!(await this.#source.wait(this.#signal))) break
      }
      this.#finish()
      return { value: undefined, done: true }
    } catch (error) {
      this.#finish()
      throw error
    } finally {
      this.#pending = false
    }
  }

  async #open(): Promise<void> {
    this.#source.begin()
    this.#state = 'open'
    await this.#ready()
  }

  #finish(): void {
    if (this.#state === 'open') this.#source.end()
    this.#state = 'done'
  }
}
