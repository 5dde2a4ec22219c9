// The leader's reading hand: serves fetches, parks those that want more than there is, and answers them when a commit brought it or
// their time is up. One copy out of the log into an own buffer per answer; nothing is held for a parked fetch but its request.
import type { ActorContext } from '@odradek/shared/actor/actor'
import { giveBack, isLent } from '@odradek/shared/base/lent-buffers'
import { WakeTimer } from '@odradek/shared/base/wake-timer'
import type { FetchRequest, FetchResponse } from '@odradek/shared/contracts/partition-leader.contract'
import { type ErrorName, errors } from '@odradek/shared/protocol/error-codes'
import {
  type FetchWaits,
  isSatisfied,
  noFetchWaits,
  type ParkedFetch,
  park,
  takeAll,
  takeWoken,
  unpark,
  waitingCount,
  wakeMark,
} from './fetch-wait.rules.ts'
import { type Leadership, logErrorCode } from './leadership.ts'
import { READ_COMMITTED, readableEnd } from './list-offsets.rules.ts'
import { abortedForFetch } from './transaction-index.rules.ts'

interface Waiter {
  readonly request: FetchRequest
  /** Id of the peer that asked. */
  readonly peer: number
  readonly answer: (response: FetchResponse) => void
  /** Monotonic milliseconds; then it is answered with what there is. */
  readonly deadline: number
}

/** Who asks. */
interface FetchPeer {
  readonly id: number
  readonly sharesThread: boolean
}

export class FetchDesk {
  readonly #leadership: Leadership
  readonly #context: ActorContext
  readonly #waits: FetchWaits<Waiter>
  /** One for all: a busy leader parks and answers a fetch with every commit, and none of them waits as long as it may. */
  readonly #expiry: WakeTimer
  #bytesOut = 0

  constructor(leadership: Leadership, context: ActorContext) {
    this.#leadership = leadership
    this.#context = context
    this.#waits = noFetchWaits(context.limits.parkedFetchesMax)
    this.#expiry = new WakeTimer(context.clock, () => this.#expire())
  }

  /** Parked fetches, and most ever. */
  get queue(): { readonly size: number; readonly high: number } {
    return { size: waitingCount(this.#waits), high: this.#waits.high }
  }

  fetch(request: FetchRequest, peer: FetchPeer): FetchResponse | Promise<FetchResponse> {
    const { id, sharesThread } = peer
    return this.#fetch(request.lend && !sharesThread ? { ...request, lend: false } : request, id)
  }

  #fetch(request: FetchRequest, peer: number): FetchResponse | Promise<FetchResponse> {
    const response = this.#read(request)
    const available = response.records.length
    const final = response.errorCode !== errors.NONE.code || response.divergingEpoch !== undefined || response.more
    if (final || isSatisfied(available, request)) return response
    const parked = this.#park(request, peer, available)
    if (parked !== undefined && isLent(response.records)) giveBack(response.records)
    return parked ?? response
  }

  /** Answers everybody who has what they waited for; after each commit. */
  wake(): void {
    const { state, stablePosition } = this.#leadership
    for (const { reply } of takeWoken(this.#waits, { appended: state.position, stable: stablePosition })) {
      reply.answer(this.#read(reply.request))
    }
  }

  /** The asker is gone: nobody waits for these any more. */
  forget(peer: number): void {
    for (const parked of this.#parked()) {
      if (parked.reply.peer !== peer) continue
      unpark(this.#waits, parked)
      parked.reply.answer(this.refusal('NOT_LEADER_OR_FOLLOWER'))
    }
  }

  /** Answers everybody with an error: the leader leads no more. */
  abandon(error: ErrorName): void {
    for (const { reply } of takeAll(this.#waits)) {
      reply.answer(this.refusal(error))
    }
  }

  refusal(error: ErrorName): FetchResponse {
    return this.#response(errors[error].code)
  }

  #park(request: FetchRequest, peer: number, available: number): Promise<FetchResponse> | undefined {
    const { state, stablePosition } = this.#leadership
    const readCommitted = request.isolationLevel === READ_COMMITTED
    let answer: Waiter['answer'] = () => {}
    const answered = new Promise<FetchResponse>(resolve => {
      answer = resolve
    })
    const deadline = this.#context.clock.monotonic() + request.maxWaitMs
    const parked: ParkedFetch<Waiter> = {
      wakeAt: wakeMark(readCommitted ? stablePosition : state.position, available, request.minBytes),
      readCommitted,
      reply: { request, peer, answer, deadline },
    }
    if (!park(this.#waits, parked)) return undefined
    this.#expiry.wakeAt(deadline)
    return answered
  }

  /** Answers those who have waited as long as they may. */
  #expire(): void {
    const now = this.#context.clock.monotonic()
    let next = Number.POSITIVE_INFINITY
    for (const parked of this.#parked()) {
      const { request, answer, deadline } = parked.reply
      if (deadline > now) next = Math.min(next, deadline)
      else if (unpark(this.#waits, parked)) answer(this.#read(request))
    }
    if (next < Number.POSITIVE_INFINITY) this.#expiry.wakeAt(next)
  }

  #parked(): readonly ParkedFetch<Waiter>[] {
    return [...this.#waits.uncommitted, ...this.#waits.committed]
  }

  /** What a fetch finds now. */
  #read(request: FetchRequest): FetchResponse {
    const { log } = this.#leadership
    const { fetchOffset, lastFetchedEpoch } = request
    const fenced = this.#leadership.epochRefusal(request.currentLeaderEpoch)
    if (fenced !== null) return this.refusal(fenced)
    const readCommitted = request.isolationLevel === READ_COMMITTED
    // Read once: what a commit adds meanwhile is for the next fetch (PROMISES 8).
    const end = readableEnd(this.#leadership, request.isolationLevel)
    if (fetchOffset < log.logStartOffset || fetchOffset > log.logEndOffset) return this.refusal('OFFSET_OUT_OF_RANGE')
    if (lastFetchedEpoch >= 0) {
      const diverging = this.#divergingEpoch(fetchOffset, lastFetchedEpoch)
      if (diverging !== undefined) return diverging
    }
    if (fetchOffset >= end) return this.#response(0, { abortedTransactions: readCommitted ? [] : null })
    try {
      return this.#context.gate.run(() => this.#readLog(request, { end, readCommitted }))
    } catch (error) {
      const errorCode = logErrorCode(error)
      this.#context.log.error({ fetchOffset, reason: (error as Error).message }, 'the log could not be read')
      return this.#response(errorCode)
    }
  }

  #readLog(
    request: FetchRequest,
    { end, readCommitted }: { readonly end: number; readonly readCommitted: boolean },
  ): FetchResponse {
    const { log } = this.#leadership
    const { fetchOffset, partitionMaxBytes, minOneBatch = true, lend = false } = request
    const limits = { maxBytes: Math.max(partitionMaxBytes, 1), maxOffset: end, minOneBatch, lend }
    const { bytes, nextOffset } = log.read(fetchOffset, limits)
    this.#bytesOut += bytes.length
    this.#context.report('BytesOut', this.#bytesOut)
    const abortedTransactions = readCommitted ? abortedForFetch(log.abortedTransactions(fetchOffset, nextOffset)) : null
    return this.#response(0, { records: bytes, abortedTransactions, more: nextOffset < end })
  }

  /** KIP-595: where the reader's log parts from ours, if it does. */
  #divergingEpoch(fetchOffset: number, lastFetchedEpoch: number): FetchResponse | undefined {
    const { leaderEpoch, endOffset } = this.#leadership.log.offsetForLeaderEpoch(lastFetchedEpoch)
    if (endOffset < 0) return this.refusal('OFFSET_OUT_OF_RANGE')
    if (leaderEpoch >= lastFetchedEpoch && endOffset >= fetchOffset) return undefined
    return { ...this.#response(0), divergingEpoch: { epoch: leaderEpoch, endOffset } }
  }

  #response(
    errorCode: number,
    {
      records = new Uint8Array(0),
      abortedTransactions = null,
      more = false,
    }: Partial<Pick<FetchResponse, 'records' | 'abortedTransactions' | 'more'>> = {},
  ): FetchResponse {
    const { highWatermark, lastStableOffset, logStartOffset } = this.#leadership
    return { errorCode, highWatermark, lastStableOffset, logStartOffset, abortedTransactions, records, more }
  }
}
