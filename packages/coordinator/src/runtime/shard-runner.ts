// Runs one shard over one internal partition: decides, appends, replays, answers (DESIGN 1.6). A coordinator actor owns it,
// gives it the leader's link (`lead`), hands it requests (`submit`) and carries out its `hands`. It never looks inside state or records.
//
// Speculation: a decision is replayed at once and appended with all others of its turn; while the append is in flight more are
// decided on top. Replies wait for the commit. When an append fails or its outcome is unknown, the state is dropped and read
// from the log again: the log alone knows, and no state needs an undo. What a leader may refuse for reasons of its own (markers,
// transactional appends) is a barrier instead: replayed once it is committed, alone.
import type { ActorContext, ActorDescription } from '@odradek/shared/actor/actor'
import { runTable, type TableEffects, type TableRun } from '@odradek/shared/actor/machine-table-run'
import type { Timer } from '@odradek/shared/base/clock'
import { WakeTimer } from '@odradek/shared/base/wake-timer'
import type {
  AppendResponse,
  WriteMarkerRequest,
  WriteMarkerResponse,
} from '@odradek/shared/contracts/partition-leader.contract'
import { Askers } from './askers.ts'
import { NO_TICKET } from './effects.ts'
import { batchSizeUpperBound, Gathering } from './gathering.ts'
import { LeaderLine, type LeaderLink } from './leader-line.ts'
import { LiveState } from './live-state.ts'
import type { RefusalReason } from './refusal.rules.ts'
import { assertShardInvariants, isActive, reasonOf, type ShardStateName, shardMachine } from './shard.machine.ts'
import type { EncodedRecord, ShardDefinition, ShardHands, ShardTypes, WordsOf } from './shard.ts'
import { append, appendTransactional, endAfter, faultOf, isForeign, writeMarkers } from './shard-appends.ts'
import {
  type Barrier,
  type Entry,
  type Flight,
  givenUp,
  isOwn,
  type MarkerBarrier,
  type Outcome,
  ownQuestion,
  type Question,
  type TransactionalBarrier,
} from './shard-entries.ts'
import { readLog } from './shard-loader.ts'
import { WaitingRoom } from './waiting-room.ts'

export interface ShardRunnerOptions<T extends ShardTypes> {
  readonly definition: ShardDefinition<T>
  /** Shown in logs and traces, such as `__consumer_offsets-12`. */
  readonly name: string
  readonly context: Pick<ActorContext, 'clock' | 'random' | 'log' | 'limits' | 'defer' | 'trace' | 'fail'>
  readonly hands?: ShardHands<T>
  /** The partition's `max.message.bytes`. */
  readonly maxBatchBytes: number
}

export class ShardRunner<T extends ShardTypes> {
  readonly #options: ShardRunnerOptions<T>
  readonly #definition: ShardDefinition<T>
  readonly #machine: TableRun<typeof shardMachine>
  readonly #line = new LeaderLine()
  readonly #live: LiveState<T>
  readonly #askers: Askers<T>
  readonly #waiting: WaitingRoom<Entry<T>>
  readonly #gathering: Gathering<Outcome<T>>
  #flight: Flight<T> | null = null
  #barrier: Barrier<T> | null = null
  #retry: Timer | null = null
  readonly #patience: WakeTimer
  #sendScheduled = false
  #closing = false
  #drained: (() => void)[] = []

  constructor(options: ShardRunnerOptions<T>) {
    const { definition, name, context } = options
    this.#options = options
    this.#definition = definition
    this.#machine = runTable(context, shardMachine, {
      subject: name,
      effects: this.#effects(),
      settled: () => this.#settled(),
    })
    this.#live = new LiveState(definition, context.clock, (word, request) => {
      this.#admit(ownQuestion(word, request))
    })
    this.#askers = new Askers(definition.handlers, { max: context.limits.shardAskersMax, log: context.log })
    this.#gathering = new Gathering(options.maxBatchBytes)
    this.#patience = new WakeTimer(context.clock, () => this.#hurry())
    this.#waiting = new WaitingRoom({
      clock: context.clock,
      max: context.limits.shardWaitingMax,
      expire: entry =>
        this.#guard(() =>
          this.#askers.refuse(entry, { reason: this.#whyNotReady(), message: 'the shard was not ready in time' }),
        ),
    })
  }

  /** The state as it stands, speculation included. For tests and read-only views; never change it. */
  get state(): T['state'] {
    return this.#live.value
  }

  /** Serves the partition that this link leads to; loads it first. The runner owns the link from now on. */
  lead(link: LeaderLink): void {
    this.#line.open(link, reason => this.#machine.send({ type: 'leader.lost', reason }))
    this.#machine.send({ type: 'leader.found' })
  }

  /** Asks a word of the shard. Resolves with its reply, a refusal in the word's own shape included; never rejects. */
  submit<N extends WordsOf<T>>(name: N, request: T['words'][N]['request']): Promise<T['words'][N]['reply']> {
    return new Promise(resolve => {
      const ticket = this.#askers.add(name, request, resolve)
      if (ticket === undefined) return
      this.#admit({ kind: 'question', name, request, ticket, deadline: this.#deadline() })
    })
  }

  /** Writes a transaction marker into the shard's partition, ends the transaction in its state, then answers. Never rejects. */
  writeMarker(request: WriteMarkerRequest): Promise<WriteMarkerResponse> {
    return new Promise(resolve => {
      this.#admit({ kind: 'marker', request, answer: resolve, deadline: this.#deadline() })
    })
  }

  /** Finishes what is pending, refuses what waits and all that comes later. Idempotent. */
  async close(): Promise<void> {
    this.#closing = true
    this.#patience.cancel()
    this.#hurry()
    while (this.#isPending()) await new Promise<void>(resolve => this.#drained.push(resolve))
    this.#machine.send({ type: 'close' })
    this.#line.close()
  }

  describe(): ActorDescription {
    const { limits } = this.#options.context
    const { nextOffset, timers, unknownRecords } = this.#live
    return {
      state: this.#state,
      queues: [
        { name: 'waiting', size: this.#waiting.size, high: this.#waiting.high, max: limits.shardWaitingMax },
        { name: 'askers', size: this.#askers.size, high: this.#askers.high, max: limits.shardAskersMax },
      ],
      detail: { nextOffset, timers: timers.size, unknownRecords, refusedEvents: this.#machine.refused },
    }
  }

  get #state(): ShardStateName {
    return this.#machine.state as ShardStateName
  }

  #deadline(): number {
    const { clock, limits } = this.#options.context
    return clock.monotonic() + limits.shardWaitMs
  }

  #whyNotReady(): RefusalReason {
    return this.#state === 'Failed' || this.#state === 'Initial' ? 'failed' : 'loading'
  }

  // Who may come in: everyone while the shard is active, no barrier stands, and the next append has room.

  #admit(entry: Entry<T>): void {
    this.#guard(() => {
      if (this.#closing) this.#askers.refuse(entry, { reason: 'closed', message: 'the shard is closing' })
      else if (this.#waiting.size === 0 && this.#isOpenFor(entry)) this.#take(entry)
      else if (!this.#waiting.enter(entry)) {
        this.#askers.refuse(entry, { reason: 'full', message: 'too many requests wait for the shard' })
      }
    })
  }

  #isOpenFor(entry: Entry<T>): boolean {
    if (!isActive(this.#state)) return false
    if (this.#barrier !== null) {
      return entry.kind === 'marker' && this.#barrier.kind === 'markers' && !this.#barrier.sent
    }
    return this.#gathering.sizeInBytes < this.#options.context.limits.groupCommitBytesMax
  }

  #admitWaiting(): void {
    for (let entry = this.#waiting.first; entry !== undefined && this.#isOpenFor(entry); entry = this.#waiting.first) {
      this.#waiting.leave()
      this.#take(entry)
    }
  }

  #take(entry: Entry<T>): void {
    if (entry.kind === 'question') this.#decide(entry)
    else if (this.#barrier?.kind === 'markers') this.#barrier.orders.push(entry)
    else this.#raise({ kind: 'markers', orders: [entry], sent: false })
  }

  // Decide, then become, then wait for the commit.

  #decide(question: Question<T>): void {
    const { clock, random } = this.#options.context
    const { ticket, request } = question
    const handler = this.#definition.handlers[question.name]
    const context = { now: clock.now(), random, ticket }
    if (handler.kind === 'read') {
      this.#whenCommitted({ question, decision: { reply: handler.read(this.state, request, context) } })
    } else {
      this.#become({ question, decision: handler.decide(this.state, request, context) }, context.now)
    }
  }

  #become(outcome: Outcome<T>, now: number): void {
    const { question, decision } = outcome
    const records = (decision.records ?? []).map(record => this.#definition.encodeRecord(record))
    const { divisible = false } = decision
    if (!(divisible ? records.every(record => this.#gathering.fits([record])) : this.#gathering.fits(records))) {
      if (decision.instead === undefined) this.#refuseTooLarge(question, records)
      else this.#become({ question, decision: decision.instead() }, now)
    } else if (decision.transaction !== undefined && records.length > 0) {
      this.#raise({ kind: 'transactional', question, decision, records, timestamp: now, sent: false })
    } else {
      if (divisible) this.#gathering.addDivisible(records, now)
      else if (records.length > 0) this.#gathering.add(records, now)
      this.#whenCommitted({ question, decision: this.#live.become(decision, now) })
    }
  }

  #refuseTooLarge(question: Question<T>, records: readonly EncodedRecord[]): void {
    const most = `${records.length} records do not fit one batch of ${this.#options.maxBatchBytes} bytes`
    const message = `${most}: they take ${batchSizeUpperBound(records)}`
    this.#askers.refuse(question, { reason: 'tooLarge', message })
  }

  #whenCommitted(outcome: Outcome<T>): void {
    const { clock, limits } = this.#options.context
    if (this.#gathering.recordCount > 0) {
      this.#gathering.whenCommitted(outcome, outcome.decision.isPatient === true)
      if (this.#gathering.sizeInBytes >= limits.groupCommitBytesMax) this.#gathering.hurry()
      if (this.#gathering.isUrgent) this.#scheduleSend()
      else this.#patience.wakeAt(clock.monotonic() + limits.shardPatienceMs)
    } else if (this.#flight !== null) this.#flight.outcomes.push(outcome)
    else this.#release(outcome)
  }

  /** Effects go first: who gets the reply may rely on the news having been told. */
  #release({ question, decision }: Outcome<T>): void {
    for (const effect of decision.effects ?? []) {
      if (effect.kind === 'reply') this.#askers.answer(effect.ticket, effect.reply)
      else if (effect.kind === 'notify') this.#options.hands?.notify?.(effect.notice)
      else if (effect.kind === 'writeMarkers') this.#options.hands?.writeMarkers?.(effect.markers)
    }
    if ('reply' in decision) this.#askers.answer(question.ticket, decision.reply)
  }

  // One thing is in flight at a time: the append of what has gathered, or a barrier when nothing has.

  #scheduleSend(): void {
    if (this.#sendScheduled || this.#state !== 'Active.idle') return
    this.#sendScheduled = true
    this.#options.context.defer(() => {
      this.#sendScheduled = false
      this.#guard(() => this.#sendNext())
    })
  }

  /** What could wait has waited long enough. */
  #hurry(): void {
    if (this.#gathering.recordCount === 0) return
    this.#gathering.hurry()
    this.#scheduleSend()
  }

  #sendNext(): void {
    if (this.#state !== 'Active.idle') return
    if (this.#gathering.recordCount === 0) {
      if (this.#barrier !== null) this.#sendBarrier(this.#barrier)
    } else if (this.#gathering.isUrgent || this.#barrier !== null) this.#sendGathered()
  }

  #sendGathered(): void {
    const { records, recordCount, outcomes } = this.#gathering.take()
    const expectedOffset = this.#live.nextOffset - recordCount
    this.#flight = { outcomes }
    this.#machine.send({ type: 'batch.sent' })
    this.#ask(
      link => append(link, records, expectedOffset),
      response => this.#appended(response),
    )
  }

  #appended(response: AppendResponse): void {
    const { outcomes } = this.#flight!
    const fault = faultOf(response)
    if (fault === null) {
      this.#flight = null
      for (const outcome of outcomes) this.#release(outcome)
    }
    this.#machine.send(fault === null ? { type: 'append.committed' } : { type: 'append.failed', reason: fault })
  }

  #raise(barrier: Barrier<T>): void {
    this.#barrier = barrier
    this.#scheduleSend()
  }

  #sendBarrier(barrier: Barrier<T>): void {
    barrier.sent = true
    this.#machine.send({ type: 'barrier.sent' })
    if (barrier.kind === 'markers') this.#sendMarkers(barrier)
    else this.#sendTransactional(barrier)
  }

  #sendTransactional(barrier: TransactionalBarrier<T>): void {
    this.#ask(
      link => appendTransactional(link, barrier, this.#live.nextOffset),
      response => {
        if (isForeign(response)) return this.#machine.send({ type: 'append.failed', reason: faultOf(response)! })
        const { errorCode: leaderErrorCode, errorMessage } = response
        const { question, decision, timestamp } = barrier
        this.#barrier = null
        if (leaderErrorCode === 0) this.#release({ question, decision: this.#live.become(decision, timestamp) })
        else {
          const message = errorMessage ?? 'refused by the leader'
          this.#askers.refuse(question, { reason: 'appendRefused', message, leaderErrorCode })
        }
        this.#machine.send({ type: 'barrier.passed' })
      },
    )
  }

  #sendMarkers(barrier: MarkerBarrier): void {
    this.#ask(
      link => writeMarkers(link, barrier),
      responses => {
        const end = endAfter(responses, this.#live.nextOffset)
        if (end === null) {
          return this.#machine.send({
            type: 'append.failed',
            reason: 'the log is not where the state says it ends, or another has claimed it',
          })
        }
        this.#barrier = null
        this.#live.moveTo(end)
        for (const [index, { request, answer }] of barrier.orders.entries()) {
          const { producerId, producerEpoch, transactionResult } = request
          const { errorCode } = responses[index]!
          const result = transactionResult ? 'COMMIT' : 'ABORT'
          if (errorCode === 0) this.#live.endTransaction({ producerId, producerEpoch, result })
          answer({ errorCode })
        }
        this.#machine.send({ type: 'barrier.passed' })
      },
    )
  }

  /** Asks the leader. A throw of what takes the answer in is a bug; an ask that failed fails the append. */
  #ask<R>(ask: (link: LeaderLink) => Promise<R>, answered: (response: R) => void): void {
    this.#line.ask(ask, {
      answered: response => this.#guard(() => answered(response)),
      failed: reason => this.#machine.send({ type: 'append.failed', reason }),
    })
  }

  // Loading, and giving up what the log may not hold.

  #startLoading(): void {
    this.#live.reset()
    this.#line.giveUp()
    if (!this.#line.isOpen) {
      this.#machine.send({ type: 'load.failed', reason: 'the link to the leader ended' })
      return
    }
    const visitor = {
      record: this.#live.load.bind(this.#live),
      marker: this.#live.endTransaction.bind(this.#live),
    }
    this.#line.ask((link, wanted) => readLog(link, { ...visitor, wanted }), {
      answered: endOffset => {
        this.#live.moveTo(endOffset)
        this.#machine.send({ type: 'load.done' })
      },
      failed: reason => this.#machine.send({ type: 'load.failed', reason }),
    })
  }

  #finishLoading(): void {
    const { clock, random, log } = this.#options.context
    log.info({ shard: this.#options.name, nextOffset: this.#live.nextOffset }, 'shard loaded')
    const context = { now: clock.now(), random, ticket: NO_TICKET }
    const decision = this.#definition.onLoaded?.(this.state, context)
    if (decision === undefined) return
    this.#become({ question: ownQuestion('onLoaded', null), decision }, context.now)
  }

  /** Reads and what was not sent yet wait for the next load; what may or may not be in the log is refused as unknown. */
  #abandonPending(reason: string): void {
    this.#line.giveUp()
    this.#live.timers.clear()
    const outcomes = [...(this.#flight?.outcomes ?? []), ...this.#gathering.drop()]
    const { again, unknown } = givenUp(outcomes, this.#barrier, this.#definition)
    this.#flight = null
    this.#barrier = null
    this.#waiting.remove(isOwn)
    const why = { reason: 'unknown', message: `not known to be committed: ${reason}` } as const
    for (const entry of unknown) this.#askers.refuse(entry, why)
    this.#waiting.returnToFront(again)
    // Those whose reply was put off: what they waited for is forgotten with the soft state.
    this.#askers.refuseOthers(this.#waiting, { reason: 'closed', message: `the shard lost its state: ${reason}` })
  }

  #refuseEverything(): void {
    this.#line.giveUp()
    this.#live.timers.clear()
    const why = { reason: 'closed', message: 'the shard is closed' } as const
    for (const entry of this.#waiting.remove(() => true)) this.#askers.refuse(entry, why)
    this.#askers.refuseOthers([], why)
  }

  #armRetry(reason: string): void {
    const { clock, limits, log } = this.#options.context
    log.warn({ shard: this.#options.name, reason }, 'shard could not be loaded')
    if (this.#line.isOpen) this.#retry = clock.after(limits.shardRetryMs, () => this.#machine.send({ type: 'retry' }))
  }

  // What the machine asks for, and what is true when it has come to rest.

  #effects(): TableEffects<typeof shardMachine> {
    return {
      startLoading: () => this.#startLoading(),
      abandonPending: event => this.#abandonPending(reasonOf(event)),
      armRetry: event => this.#armRetry(reasonOf(event)),
      cancelRetry: () => {
        this.#retry?.cancel()
        this.#retry = null
      },
      finishLoading: () => this.#finishLoading(),
      admitWaiting: () => this.#admitWaiting(),
      sendNext: () => this.#sendNext(),
      refuseEverything: () => this.#refuseEverything(),
    }
  }

  #settled(): void {
    this.#checkInvariants()
    if (!this.#isPending()) for (const drained of this.#drained.splice(0)) drained()
  }

  #isPending(): boolean {
    return this.#flight !== null || this.#barrier !== null || this.#gathering.recordCount > 0
  }

  #checkInvariants(): void {
    assertShardInvariants(this.#state, {
      appendsInFlight: this.#flight === null ? 0 : 1,
      barriersInFlight: this.#barrier?.sent === true ? 1 : 0,
      gathered: this.#gathering.decisionCount,
      timersArmed: this.#live.timers.size,
      waiting: this.#waiting.size,
      tickets: this.#askers.size,
    })
  }

  /** A throw of rules or of this class is a bug: the actor dies and its supervisor acts. */
  #guard(work: () => void): void {
    try {
      work()
    } catch (bug) {
      this.#options.context.fail(bug)
    }
  }
}
