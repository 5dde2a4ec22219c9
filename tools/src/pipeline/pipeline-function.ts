// The user's function at work: what it makes of the records of a batch, and what is done about a record over which it throws.
import type { ConsumerRecord } from '@odradek/consumer/consumer-record'
import type { HandlerFailureChoice } from '@odradek/consumer/handler-failure-choice'
import type { ProducerRecord } from '@odradek/producer/record-encoder'
import { addOutputs } from './pipeline.rules.ts'

/** What is done about a record whose function threw: `stop` the pipeline, `skip` the record (its offset is committed), or `retry` it after a wait. */
export type OnError =
  | HandlerFailureChoice
  | ((error: unknown, record: ConsumerRecord<any, any>) => HandlerFailureChoice | Promise<HandlerFailureChoice>)

type Outputs = ProducerRecord | readonly ProducerRecord[] | null | undefined
/** `isOver` is asked after so many records. */
const LOOK_MASK = 15

/** Records of one batch, and what became of them. */
export interface Slice {
  readonly outputs: ProducerRecord[]
  readonly from: number
  next: number
  /** Records that were read. */
  records: number
  failure: Failed | null
}

/** Records of a batch, with the next one in sight. */
export class Ahead {
  readonly #records: Iterator<ConsumerRecord<any, any>>
  next: ConsumerRecord<any, any> | null = null

  constructor(records: Iterator<ConsumerRecord<any, any>>) {
    this.#records = records
    this.take()
  }

  get isDone(): boolean {
    return this.next === null
  }

  take(): void {
    const { done, value } = this.#records.next()
    this.next = done === true ? null : value
  }
}

/** A batch in the middle of which the function failed. */
export class Failed extends Error {
  readonly choice: HandlerFailureChoice

  constructor(choice: HandlerFailureChoice, cause: unknown) {
    super('the function of a pipeline failed', { cause })
    this.choice = choice
  }
}

export class PipelineFunction {
  readonly #transform: (record: ConsumerRecord<any, any>) => unknown
  readonly #onError: OnError
  #records = 0
  #skipped = 0

  constructor(transform: (record: ConsumerRecord<any, any>) => unknown, onError: OnError) {
    this.#transform = transform
    this.#onError = onError
  }

  /** Calls so far. */
  get records(): number {
    return this.#records
  }

  get skipped(): number {
    return this.#skipped
  }

  /** At most `room` of the records, until the batch is done, the function fails, or `isOver`, which is looked at now and then. */
  async processed(records: Ahead, room: number, isOver: () => boolean): Promise<Slice> {
    const slice: Slice = {
      outputs: [],
      from: Number(records.next!.offset),
      next: -1,
      records: 0,
      failure: null,
    }
    let last = records.next
    while (records.next !== null && slice.records < room) {
      const record = records.next
      try {
        const made = this.#made(record)
        addOutputs(slice.outputs, made instanceof Promise ? await made : made)
      } catch (thrown) {
        slice.failure = thrown as Failed
        break
      }
      last = record
      records.take()
      slice.records++
      if ((slice.records & LOOK_MASK) === 0 && isOver()) break
    }
    slice.next = slice.records === 0 ? slice.from : Number(last!.offset) + 1
    return slice
  }

  /** What the function makes of a record; throws Failed unless the record is to be skipped. */
  #made(record: ConsumerRecord<any, any>): Outputs | Promise<Outputs> {
    this.#records++
    try {
      const made = this.#transform(record)
      return made instanceof Promise ? made.catch(thrown => this.#chosen(thrown, record)) : (made as Outputs)
    } catch (thrown) {
      return this.#chosen(thrown, record)
    }
  }

  async #chosen(thrown: unknown, record: ConsumerRecord<any, any>): Promise<Outputs> {
    const onError = this.#onError
    const choice = typeof onError === 'function' ? await onError(thrown, record) : onError
    if (choice !== 'skip') throw new Failed(choice, thrown)
    this.#skipped++
    return null
  }
}
