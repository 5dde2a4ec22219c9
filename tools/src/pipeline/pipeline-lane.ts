// The hands of a pipeline in one thread: a consumer, a transactional producer, and the function between them. Everything that touches the transaction happens
// in one turn after another, so that a rebalance never meets a transaction half done.
import type { Consumer } from '@odradek/consumer/consumer-client'
import type { ConsumerRecord } from '@odradek/consumer/consumer-record'
import type { RecordBatch } from '@odradek/consumer/delivery-runner'
import type { HandlerFailureChoice } from '@odradek/consumer/handler-failure-choice'
import type { Producer } from '@odradek/producer/producer'
import type { ProducerRecord } from '@odradek/producer/record-encoder'
import type { Transaction } from '@odradek/producer/transactions'
import { type MachineRun, runMachine } from '@odradek/shared/actor/machine-runner'
import { assert } from '@odradek/shared/base/assert'
import type { Clock, Timer } from '@odradek/shared/base/clock'
import type { KafkaError } from '@odradek/shared/base/errors'
import type { Random } from '@odradek/shared/base/random'
import { backoffMs } from '@odradek/shared/client/backoff.rules'
import { type Topic, topicOf } from '@odradek/shared/client/topic'
import { assertPipelineInvariants, pipelineMachine } from './pipeline.machine.ts'
import {
  addOutputs,
  advanced,
  type CommitEvery,
  isDue,
  offsetsOf,
  type Positions,
  rewindsOf,
  unsendable,
  verdictOn,
} from './pipeline.rules.ts'

/** What is done about a record whose function threw: `stop` the pipeline, `skip` the record (its offset is committed), or `retry` it after a wait. */
export type OnError =
  | HandlerFailureChoice
  | ((error: unknown, record: ConsumerRecord<any, any>) => HandlerFailureChoice | Promise<HandlerFailureChoice>)

export interface PipelineParts {
  readonly clock: Clock
  readonly random: Random
  readonly from: Topic<any, any> | string
  readonly to: Topic<any, any> | string
  readonly transform: (record: ConsumerRecord<any, any>) => unknown
  readonly commitEvery: CommitEvery
  readonly onError: OnError
  readonly producer: Producer
  /** Makes the consumer with the hooks of the lane. */
  consumer(hooks: { onRevoked(): Promise<void>; onLost(): Promise<void> }): Consumer
}

/** Counts since the start. */
export interface PipelineMetrics {
  readonly records: number
  readonly outputs: number
  readonly skipped: number
  readonly transactions: number
  readonly aborts: number
}

type Batch = RecordBatch<ConsumerRecord<any, any>>
type Outputs = ProducerRecord | readonly ProducerRecord[] | null | undefined
const RETRY = { initialMs: 100, maxMs: 1_000 }
const NOTHING: Positions = new Map()
/** The clock is looked at after so many records. */
const LOOK_MASK = 15

interface Slice {
  readonly outputs: ProducerRecord[]
  readonly from: number
  next: number
  /** Records that were read. */
  records: number
  failure: Failed | null
}

/** Records of a batch, with the next one in sight. */
class Ahead {
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
class Failed extends Error {
  readonly choice: HandlerFailureChoice

  constructor(choice: HandlerFailureChoice, cause: unknown) {
    super('the function of a pipeline failed', { cause })
    this.choice = choice
  }
}

export class PipelineLane {
  readonly #parts: PipelineParts
  readonly #machine: MachineRun<typeof pipelineMachine>
  readonly #consumer: Consumer
  readonly #stop = new AbortController()
  #transaction: Transaction | null = null
  #positions: Positions = NOTHING
  #records = 0
  #beganMs = 0
  #dueTimer: Timer | null = null
  #turns: Promise<unknown> = Promise.resolve()
  #waiting: (() => void)[] = []
  #abortsInRow = 0
  #recoveriesInRow = 0
  /** An output that no transaction will take: the same record makes it again. */
  #unsendable: Failed | null = null
  /** A transaction was undone, and nothing was tried since. */
  #wasUndone = false
  #counts = { records: 0, outputs: 0, skipped: 0 }

  constructor(parts: PipelineParts) {
    this.#parts = parts
    this.#consumer = parts.consumer({
      onRevoked: () => this.#turn(() => this.#commit()),
      onLost: () => this.#turn(() => this.#abort()),
    })
    const host = {
      trace: { on: false, transition: () => undefined },
      fail: (thrown: unknown) => this.#fatal(thrown),
    }
    this.#machine = runMachine(host as never, pipelineMachine, {
      effects: {
        initialize: () => void this.#initialize(),
        begin: () => void this.#begin(),
        commit: () => void this.#end(),
        abort: () => void this.#undo(),
        rewind: () => this.#rewind(),
        recover: () => void this.#recover(),
        settle: () => {
          for (const resolve of this.#waiting.splice(0)) resolve()
        },
      },
    })
  }

  get state(): string {
    return this.#machine.state
  }

  get consumer(): Consumer {
    return this.#consumer
  }

  metrics(): PipelineMetrics {
    const { transactions, aborts } = this.#machine.context
    return { ...this.#counts, transactions, aborts }
  }

  /** Runs until `stop`, or until it cannot go on: rejects with what ended it. What was processed is committed before it resolves. */
  async run(): Promise<void> {
    try {
      await this.#turn(() => this.#started())
      const options = { signal: this.#stop.signal, emptyBatches: true }
      await this.#consumer.batch(this.#parts.from, batch => this.#batch(batch as Batch), options)
      await this.#turn(() => this.#commit())
      this.#throwFatal()
      this.#machine.send({ type: 'stopped' })
    } catch (thrown) {
      await this.#turn(() => this.#abort()).catch(() => undefined)
      throw this.#machine.context.error ?? (thrown instanceof Failed ? thrown.cause : thrown)
    } finally {
      this.#dueTimer?.cancel()
      await this.#close()
    }
  }

  /** Ends after what is being processed; it is committed. */
  stop(): void {
    this.#stop.abort()
  }

  /** The lane may not commit any more: hooks that run while it closes find nothing open. */
  async #close(): Promise<void> {
    await this.#consumer.close().catch(() => undefined)
    await this.#parts.producer
      .close({ timeoutMs: this.#machine.state === 'Failed' ? 0 : 30_000 })
      .catch(() => undefined)
  }

  // --- records ----------------------------------------------------------------------------------------------------------------------

  async #batch(batch: Batch): Promise<void> {
    const records = new Ahead(batch[Symbol.iterator]())
    if (records.isDone) await this.#turn(() => this.#passed(batch))
    while (!records.isDone && !batch.isStale) await this.#turn(() => this.#slice(batch, records))
  }

  /** Processes records of the batch until the transaction is due. */
  async #slice(batch: Batch, records: Ahead): Promise<void> {
    if (this.#unsendable !== null) throw this.#unsendable
    await this.#pause()
    // It may have been rewound, or taken away, while this slice waited for its turn.
    if (batch.isStale) return
    const { clock, commitEvery, to } = this.#parts
    if (this.state !== 'Processing') this.#beganMs = clock.monotonic()
    // The transaction before may still be on its way: its commit is waited for when there is something to send.
    const slice = await this.#processed(batch, records)
    if (!(await this.#isOpenFor(batch))) return
    this.#records += slice.records
    if (slice.failure !== null) {
      this.#note(batch, slice.from, slice.from)
      await this.#failed(slice.failure)
      return
    }
    // What the isolation level hides behind the last record is done with it.
    this.#note(batch, slice.from, records.isDone ? Number(batch.nextOffset) : slice.next)
    if (slice.outputs.length > 0) {
      this.#counts.outputs += slice.outputs.length
      this.#transaction!.send(topicOf(to), slice.outputs as never).catch(error => this.#refused(error))
    }
    if (isDue(commitEvery, { records: this.#records, beganMs: this.#beganMs }, clock.monotonic()))
      this.#machine.send({ type: 'commit.wanted' })
  }

  /** The batch has no record for the function, as after an aborted transaction: its offsets count as read, or the group would lag behind for ever. */
  async #passed(batch: Batch): Promise<void> {
    if (batch.isStale) return
    if (this.state !== 'Processing') this.#beganMs = this.#parts.clock.monotonic()
    if (await this.#isOpenFor(batch)) this.#note(batch, Number(batch.position), Number(batch.nextOffset))
  }

  /** Opens a transaction unless one is open; false when the batch must be left. */
  async #isOpenFor(batch: Batch): Promise<boolean> {
    await this.#settled()
    await this.#pause()
    // It was undone, and this partition is read again from its beginning; or the partition goes to another member.
    if (batch.isStale) return false
    // The sender may die while the transaction begins: then there is none, and perhaps the batch is read again.
    do {
      await this.#wanted('transaction.wanted', 'Processing')
      if (batch.isStale || this.#machine.isDone) return false
    } while (this.state !== 'Processing')
    return true
  }

  /** Records of the batch until the transaction is due, the batch is done, or the function fails. */
  async #processed(batch: Batch, records: Ahead): Promise<Slice> {
    const { commitEvery } = this.#parts
    const slice: Slice = {
      outputs: [],
      from: Number(records.next!.offset),
      next: -1,
      records: 0,
      failure: null,
    }
    const room = commitEvery.records - (this.state === 'Processing' ? this.#records : 0)
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
      if ((slice.records & LOOK_MASK) === 0 && (this.#isLate() || batch.isStale)) break
    }
    slice.next = slice.records === 0 ? slice.from : Number(last!.offset) + 1
    return slice
  }

  /** What the function makes of a record; throws Failed unless the record is to be skipped. */
  #made(record: ConsumerRecord<any, any>): Outputs | Promise<Outputs> {
    this.#counts.records++
    try {
      const made = this.#parts.transform(record)
      return made instanceof Promise ? made.catch(thrown => this.#chosen(thrown, record)) : (made as Outputs)
    } catch (thrown) {
      return this.#chosen(thrown, record)
    }
  }

  async #chosen(thrown: unknown, record: ConsumerRecord<any, any>): Promise<Outputs> {
    const { onError } = this.#parts
    const choice = typeof onError === 'function' ? await onError(thrown, record) : onError
    if (choice !== 'skip') throw new Failed(choice, thrown)
    this.#counts.skipped++
    return null
  }

  /** Nothing of the transaction may count; with `retry` reading goes on at its beginning. */
  async #failed(failure: Failed): Promise<void> {
    await this.#abort()
    if (failure.choice === 'stop') throw failure
  }

  /** The commit fails, too. Whatever another try may mend is tried again. */
  #refused(error: KafkaError): void {
    const cause = unsendable(error)
    if (cause !== null) this.#unsendable ??= new Failed('stop', cause)
  }

  #note({ topic, partition, leaderEpoch }: Batch, from: number, next: number): void {
    this.#positions = advanced(this.#positions, { topic, partition, leaderEpoch, from, next })
  }

  #isLate(): boolean {
    return this.#parts.clock.monotonic() - this.#beganMs >= this.#parts.commitEvery.ms
  }

  // --- the transaction --------------------------------------------------------------------------------------------------------------

  /** One after another: slices, commits of hooks and of the timer. */
  #turn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turns.then(() => {
      this.#throwFatal()
      return work()
    })
    this.#turns = turn.catch(() => undefined)
    return turn
  }

  #throwFatal(): void {
    const { error } = this.#machine.context
    if (error !== null) throw error
  }

  /** A predecessor's transaction must end before its group's offsets are asked for: they are hidden while it is open. */
  async #started(): Promise<void> {
    this.#machine.send({ type: 'pipeline.started' })
    await this.#settled()
  }

  /** Waits for what is under way, sends the event if the machine is not where it leads to, and waits until it has settled. */
  async #wanted(type: 'transaction.wanted' | 'commit.wanted' | 'abort.wanted', reached: string): Promise<void> {
    await this.#settled()
    if (this.state === reached || this.#machine.isDone) return
    this.#machine.send({ type })
    await this.#settled()
  }

  async #settled(): Promise<void> {
    while (!this.#machine.hasTag('settled')) await new Promise<void>(resolve => this.#waiting.push(resolve))
    this.#check()
    this.#throwFatal()
  }

  #commit(): Promise<void> {
    return this.#wanted('commit.wanted', 'Idle')
  }

  #abort(): Promise<void> {
    return this.#wanted('abort.wanted', 'Idle')
  }

  /** Whoever was undone waits before he tries the same again. */
  async #pause(): Promise<void> {
    if (!this.#wasUndone) return
    this.#wasUndone = false
    await this.#waited(this.#abortsInRow++)
  }

  async #waited(tries: number): Promise<void> {
    const { clock, random } = this.#parts
    const waitMs = backoffMs(RETRY, tries, random.float())
    await new Promise<void>(resolve => clock.after(waitMs, resolve))
  }

  async #initialize(): Promise<void> {
    try {
      await (await this.#parts.producer.begin()).abort()
      this.#machine.send({ type: 'transactions.initialized' })
    } catch (thrown) {
      this.#troubled(thrown, () => this.#fatal(thrown))
    }
  }

  async #begin(): Promise<void> {
    const { clock, commitEvery, producer } = this.#parts
    try {
      this.#transaction = await producer.begin()
      const opened = this.#transaction
      this.#dueTimer = clock.after(commitEvery.ms, () =>
        this.#turn(() => this.#commitIfOpen(opened)).catch(() => undefined),
      )
      this.#machine.send({ type: 'transaction.begun' })
    } catch (thrown) {
      this.#troubled(thrown, () => this.#fatal(thrown))
    }
  }

  /** Its time is over. Timers may fire a little early, so the clock is not asked again. */
  async #commitIfOpen(opened: Transaction): Promise<void> {
    if (this.state === 'Processing' && this.#transaction === opened) await this.#commit()
  }

  async #end(): Promise<void> {
    const transaction = this.#transaction!
    try {
      // Outputs, offsets and the commit go out together; the commit waits for the others.
      void this.#parts.producer.flush()
      if (this.#positions.size > 0) {
        // Whatever changes in the group until they arrive fences the offsets.
        const member = await this.#consumer.groupMetadata()
        // Whoever is no member would not be fenced (KIP-447): the partitions were lost, and may have another owner already.
        if (member.memberId === '') throw new Error('the lane is no member of its group now')
        void transaction.sendOffsets({ ...member, offsets: offsetsOf(this.#positions) })
      }
      await transaction.commit()
      this.#ended()
      this.#abortsInRow = 0
      this.#positions = NOTHING
      this.#machine.send({ type: 'transaction.committed' })
    } catch (thrown) {
      this.#troubled(thrown, () => this.#machine.send({ type: 'transaction.failed' }))
    }
  }

  async #undo(): Promise<void> {
    try {
      await this.#transaction!.abort()
      this.#ended()
      this.#machine.send({ type: 'transaction.aborted' })
    } catch (thrown) {
      this.#troubled(thrown, () => this.#fatal(thrown))
    }
  }

  #troubled(thrown: unknown, otherwise: () => void): void {
    const verdict = verdictOn(thrown as KafkaError)
    if (verdict === 'fatal') this.#fatal(thrown)
    else if (verdict === 'recover') this.#machine.send({ type: 'sender.lost' })
    else otherwise()
  }

  #ended(): void {
    this.#dueTimer?.cancel()
    this.#transaction = null
    this.#records = 0
  }

  #rewind(): void {
    for (const { topic, partition, from } of rewindsOf(this.#positions, this.#consumer.assignment()))
      this.#consumer.seek({ topic, partition }, from)
    this.#positions = NOTHING
    this.#wasUndone = true
    this.#machine.send({ type: 'rewound' })
  }

  async #recover(): Promise<void> {
    const { producer } = this.#parts
    try {
      await this.#transaction?.abort().catch(() => undefined)
      this.#ended()
      if (this.#recoveriesInRow++ > 0) await this.#waited(this.#recoveriesInRow)
      // InitProducerId ends what the lost sender left open, one way or the other.
      await (await producer.begin()).abort()
      const places = rewindsOf(this.#positions, this.#consumer.assignment())
      const committed = await this.#consumer.committed(places)
      for (const [index, { topic, partition, from }] of places.entries())
        this.#consumer.seek({ topic, partition }, committed[index] ?? from)
      this.#positions = NOTHING
      this.#recoveriesInRow = 0
      this.#machine.send({ type: 'rewound' })
    } catch (thrown) {
      this.#troubled(thrown, () => this.#fatal(thrown))
    }
  }

  #fatal(thrown: unknown): void {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown))
    this.#machine.send({ type: 'pipeline.fatal', error })
    this.stop()
  }

  #check(): void {
    const { error } = this.#machine.context
    const facts = { isTransactionOpen: this.#transaction !== null, partitionsAhead: this.#positions.size, error }
    assertPipelineInvariants(this.state, facts)
    assert(this.state !== 'Stopped', 'a stopped pipeline has no turns')
  }
}
