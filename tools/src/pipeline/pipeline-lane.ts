// The hands of a pipeline in one thread: a consumer, a transactional producer, and the function between them. Everything that touches transactions happens in one
// turn after another, so that a rebalance never meets a transaction half done. A commit is not waited for: the next transaction is filled meanwhile.
import type { Consumer } from '@odradek/consumer/consumer-client'
import type { ConsumerRecord } from '@odradek/consumer/consumer-record'
import type { RecordBatch } from '@odradek/consumer/delivery-runner'
import type { Producer } from '@odradek/producer/producer'
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
  advanced,
  type CommitEvery,
  isDue,
  joined,
  offsetsOf,
  type Positions,
  rewindsOf,
  unsendable,
  verdictOn,
} from './pipeline.rules.ts'
import { Ahead, Failed, type OnError, PipelineFunction, type Slice } from './pipeline-function.ts'

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
const RETRY = { initialMs: 100, maxMs: 1_000 }
const NOTHING: Positions = new Map()
/** A transaction of the lane, from its begin until its end is known. */
interface LaneTransaction {
  readonly transaction: Transaction
  /** Clock at its first record, ms. */
  readonly beganMs: number
  /** Ends it when it has been open long enough. */
  readonly dueTimer: Timer
  positions: Positions
  /** Records read. */
  records: number
}

export class PipelineLane {
  readonly #parts: PipelineParts
  readonly #machine: MachineRun<typeof pipelineMachine>
  readonly #consumer: Consumer
  readonly #stop = new AbortController()
  /** Oldest first; what was processed of the last one may still grow, the one before it is being committed. */
  #transactions: LaneTransaction[] = []
  /** What was processed in vain: where reading goes back to. */
  #undone: Positions = NOTHING
  #beganMs = 0
  /** Settles when no transaction is being begun. */
  #begun: Promise<void> = Promise.resolve()
  /** Settles when the outcome of every commit that was asked for has been told. */
  #told: Promise<void> = Promise.resolve()
  #turns: Promise<unknown> = Promise.resolve()
  #waiting: (() => void)[] = []
  #abortsInRow = 0
  #recoveriesInRow = 0
  /** An output that no transaction will take: the same record makes it again. */
  #unsendable: Failed | null = null
  /** A transaction was undone, and nothing was tried since. */
  #wasUndone = false
  readonly #function: PipelineFunction
  #outputs = 0

  constructor(parts: PipelineParts) {
    this.#parts = parts
    this.#function = new PipelineFunction(parts.transform, parts.onError)
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
        begin: () => {
          this.#begun = this.#begin()
        },
        commit: () => {
          this.#told = this.#end(this.#transactions.at(-1)!, this.#told)
        },
        abort: () => void this.#undo(),
        rewind: () => this.#rewind(),
        recover: () => void this.#recover(),
        wake: () => {
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
    const { records, skipped } = this.#function
    return { records, outputs: this.#outputs, skipped, transactions, aborts }
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
      this.#forget()
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
    if (this.#open === null) this.#beganMs = this.#parts.clock.monotonic()
    // The transactions before may still be on their way: a place behind them is waited for when there is something to send.
    const room = this.#parts.commitEvery.records - (this.#open?.records ?? 0)
    const slice = await this.#function.processed(records, room, () => this.#isLate() || batch.isStale)
    const isTaken = await this.#whenOpen(batch, open => this.#take(open, batch, slice, records.isDone))
    if (isTaken && slice.failure !== null) await this.#failed(slice.failure)
  }

  /** What was processed belongs to the transaction from now on. */
  #take(open: LaneTransaction, batch: Batch, slice: Slice, isBatchDone: boolean): void {
    const { clock, commitEvery, to } = this.#parts
    open.records += slice.records
    // What failed is read again from here. What the isolation level hides behind the last record is done with it.
    const next = slice.failure !== null ? slice.from : isBatchDone ? Number(batch.nextOffset) : slice.next
    note(open, batch, slice.from, next)
    if (slice.failure !== null) return
    if (slice.outputs.length > 0) {
      this.#outputs += slice.outputs.length
      open.transaction.send(topicOf(to), slice.outputs as never).catch(error => this.#refused(error))
    }
    if (isDue(commitEvery, open, clock.monotonic())) this.#machine.send({ type: 'commit.wanted' })
  }

  /** The batch has no record for the function, as after an aborted transaction: its offsets count as read, or the group would lag behind for ever. */
  async #passed(batch: Batch): Promise<void> {
    if (batch.isStale) return
    if (this.#open === null) this.#beganMs = this.#parts.clock.monotonic()
    await this.#whenOpen(batch, open => note(open, batch, Number(batch.position), Number(batch.nextOffset)))
  }

  /** The transaction that takes outputs now. */
  get #open(): LaneTransaction | null {
    return this.#machine.hasTag('open') ? this.#transactions.at(-1)! : null
  }

  /**
   * Calls `use` with the transaction that is open, or one that is begun now; false when the batch must be left. At once when there is one: the one before it may fail
   * at any time, and takes it along. The sender may die while one begins: then another is begun.
   */
  async #whenOpen(batch: Batch, use: (open: LaneTransaction) => void): Promise<boolean> {
    for (;;) {
      this.#check()
      this.#throwFatal()
      // A commit was undone: who tries the same again waits first.
      if (this.state === 'Idle') await this.#pause()
      // It was undone, and this partition is read again from its beginning; or the partition goes to another member.
      if (batch.isStale || this.#machine.isDone) return false
      const open = this.#open
      if (open !== null) {
        use(open)
        return true
      }
      if (this.#machine.hasTag('free')) this.#machine.send({ type: 'transaction.wanted' })
      else await this.#changed()
    }
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

  /** Waits for what is under way, sends the event unless there is nothing to end, and waits until that is done. */
  async #wanted(type: 'commit.wanted' | 'abort.wanted'): Promise<void> {
    await this.#settled()
    if (this.state === 'Idle' || this.#machine.isDone) return
    this.#machine.send({ type })
    await this.#settled()
  }

  async #settled(): Promise<void> {
    while (!this.#machine.hasTag('settled')) await this.#changed()
    this.#check()
    this.#throwFatal()
  }

  #changed(): Promise<void> {
    return new Promise(resolve => this.#waiting.push(resolve))
  }

  #commit(): Promise<void> {
    return this.#wanted('commit.wanted')
  }

  #abort(): Promise<void> {
    return this.#wanted('abort.wanted')
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
      const transaction = await producer.begin()
      if (!this.#isBeginning) {
        // The one before it failed meanwhile; when its sender died, this one began with the next sender all the same.
        await transaction.abort().catch(() => undefined)
        return
      }
      const dueTimer = clock.after(commitEvery.ms, () => this.#commitIfOpen(transaction))
      this.#transactions.push({ transaction, beganMs: this.#beganMs, dueTimer, positions: NOTHING, records: 0 })
      this.#machine.send({ type: 'transaction.begun' })
    } catch (thrown) {
      // Refused because the one before it has failed, which is about to be told.
      if (this.state === 'BeginningNext') await this.#told
      if (this.#isBeginning) this.#troubled(thrown, () => this.#fatal(thrown))
    }
  }

  get #isBeginning(): boolean {
    return this.state === 'Beginning' || this.state === 'BeginningNext'
  }

  /** Its time is over. Timers may fire a little early, so the clock is not asked again. */
  #commitIfOpen(transaction: Transaction): void {
    const commit = async () => {
      if (this.#open?.transaction === transaction) this.#machine.send({ type: 'commit.wanted' })
    }
    this.#turn(commit).catch(() => undefined)
  }

  /** Commits it; its outcome is told after those of earlier ones, unless it was undone with one of them. */
  async #end(work: LaneTransaction, earlier: Promise<void>): Promise<void> {
    const failure = await this.#commitOf(work).then(
      () => null,
      (thrown: unknown) => ({ thrown }),
    )
    await earlier
    if (this.#transactions[0] !== work) return
    if (failure === null) {
      this.#ended(work)
      this.#abortsInRow = 0
      this.#machine.send({ type: 'transaction.committed' })
    } else this.#troubled(failure.thrown, () => this.#machine.send({ type: 'transaction.failed' }))
  }

  /** Outputs, offsets and the commit go out together; the commit waits for the others. It is asked for without a message before: the next transaction begins behind it. */
  async #commitOf({ transaction, positions }: LaneTransaction): Promise<void> {
    if (positions.size > 0) {
      // Whatever changes in the group until they arrive fences the offsets.
      const member = await this.#consumer.groupMetadata()
      // Whoever is no member would not be fenced (KIP-447): the partitions were lost, and may have another owner already.
      if (member.memberId === '') throw new Error('the lane is no member of its group now')
      void transaction.sendOffsets({ ...member, offsets: offsetsOf(positions) })
    }
    await transaction.commit()
  }

  async #undo(): Promise<void> {
    const [failed] = this.#transactions
    this.#undoAll()
    try {
      await failed!.transaction.abort()
      this.#machine.send({ type: 'transaction.aborted' })
    } catch (thrown) {
      this.#troubled(thrown, () => this.#fatal(thrown))
    }
  }

  /** What was processed since the last commit that is known was in vain. */
  #undoAll(): void {
    for (const { positions } of this.#transactions) this.#undone = joined(this.#undone, positions)
    this.#forget()
  }

  #troubled(thrown: unknown, otherwise: () => void): void {
    const verdict = verdictOn(thrown as KafkaError)
    if (verdict === 'fatal') this.#fatal(thrown)
    else if (verdict === 'recover') this.#machine.send({ type: 'sender.lost' })
    else otherwise()
  }

  #ended(work: LaneTransaction): void {
    work.dueTimer.cancel()
    this.#transactions.shift()
  }

  #forget(): void {
    for (const { dueTimer } of this.#transactions) dueTimer.cancel()
    this.#transactions = []
  }

  #rewind(): void {
    for (const { topic, partition, from } of rewindsOf(this.#undone, this.#consumer.assignment()))
      this.#consumer.seek({ topic, partition }, from)
    this.#undone = NOTHING
    this.#wasUndone = true
    this.#machine.send({ type: 'rewound' })
  }

  async #recover(): Promise<void> {
    const { producer } = this.#parts
    const left = this.#transactions
    this.#undoAll()
    try {
      await this.#begun
      for (const { transaction } of left) await transaction.abort().catch(() => undefined)
      if (this.#recoveriesInRow++ > 0) await this.#waited(this.#recoveriesInRow)
      // InitProducerId ends what the lost sender left open, one way or the other.
      await (await producer.begin()).abort()
      const places = rewindsOf(this.#undone, this.#consumer.assignment())
      const committed = await this.#consumer.committed(places)
      for (const [index, { topic, partition, from }] of places.entries())
        this.#consumer.seek({ topic, partition }, committed[index] ?? from)
      this.#undone = NOTHING
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
    const partitionsAhead = this.#transactions.reduce((sum, { positions }) => sum + positions.size, this.#undone.size)
    const facts = { transactions: this.#transactions.length, partitionsAhead, error }
    assertPipelineInvariants(this.state, facts)
    assert(this.state !== 'Stopped', 'a stopped pipeline has no turns')
  }
}

function note(open: LaneTransaction, { topic, partition, leaderEpoch }: Batch, from: number, next: number): void {
  open.positions = advanced(open.positions, { topic, partition, leaderEpoch, from, next })
}
