// Pays what ended transactions are owed: sends the markers through a door to the leaders of all partitions, again and again to those
// that could not take it, until every one has it. One order per transactional id; a newer one replaces it. Nothing here is durable: after a
// crash the shard orders anew.
import type { ActorContext } from '@odradek/shared/actor/actor'
import type { Timer } from '@odradek/shared/base/clock'
import { isPortError } from '@odradek/shared/base/errors'
import { answer, type Caller, type Door } from '@odradek/shared/client/port/door'
import type { WriteTxnMarkersRequest } from '@odradek/shared/protocol/messages/27-write-txn-markers'
import { type MarkersAnswered, markersAnswered } from './marker-replies.rules.ts'
import type { TopicPartitions } from './topic-partitions.rules.ts'
import type { MarkerOrder } from './transaction-shard.ts'

export interface MarkerSenderOptions {
  readonly context: Pick<ActorContext, 'clock' | 'limits' | 'log' | 'fail'>
  readonly door: Door
  /** Leaders refuse the markers of an older one (Java: `TxnMarkerEntry.coordinatorEpoch`). */
  readonly coordinatorEpoch: number
  /** Every partition has its marker. False: that could not be noted; the order is repeated. */
  readonly written: (order: MarkerOrder) => Promise<boolean>
}

interface Debt {
  readonly order: MarkerOrder
  owed: readonly TopicPartitions[]
  attempts: number
  retry: Timer | null
}

export class MarkerSender {
  readonly #options: MarkerSenderOptions
  readonly #debts = new Map<string, Debt>()
  #high = 0
  #closed = false

  constructor(options: MarkerSenderOptions) {
    this.#options = options
  }

  /** Transactions that are owed markers now, and most ever. As many as transactional ids at most. */
  get owed(): { readonly size: number; readonly high: number } {
    return { size: this.#debts.size, high: this.#high }
  }

  /** Takes an order; `written` is called once it is paid, never from within. */
  send(order: MarkerOrder): void {
    if (this.#closed) return
    this.#debts.get(order.transactionalId)?.retry?.cancel()
    const debt: Debt = { order, owed: order.partitions, attempts: 0, retry: null }
    this.#debts.set(order.transactionalId, debt)
    this.#high = Math.max(this.#high, this.#debts.size)
    void this.#pay(debt)
  }

  /** Sends nothing more. */
  close(): void {
    this.#closed = true
    for (const { retry } of this.#debts.values()) retry?.cancel()
    this.#debts.clear()
  }

  async #pay(debt: Debt): Promise<void> {
    try {
      const answered = await this.#ask(debt)
      if (this.#isOpen(debt)) this.#answered(debt, answered)
    } catch (error) {
      // Not even the broker could be asked: it is on its way down, or starting anew.
      if (!isPortError(error)) this.#options.context.fail(error)
      else if (this.#isOpen(debt)) this.#again(debt, String(error))
    }
  }

  #isOpen(debt: Debt): boolean {
    return this.#debts.get(debt.order.transactionalId) === debt
  }

  #answered(debt: Debt, { owed, notable }: MarkersAnswered): void {
    const { producerId } = debt.order
    if (notable.length > 0)
      this.#options.context.log.warn({ producerId, errorCodes: notable }, 'leaders refused markers')
    debt.owed = owed
    if (owed.length > 0) this.#again(debt, `error codes ${notable.join(', ')}`)
    else void this.#note(debt)
  }

  async #note(debt: Debt): Promise<void> {
    const isNoted = await this.#options.written(debt.order)
    if (!this.#isOpen(debt)) return
    if (isNoted) this.#debts.delete(debt.order.transactionalId)
    else this.#again(debt, 'the coordinator could not note it')
  }

  #again(debt: Debt, reason: string): void {
    const { clock, limits, log } = this.#options.context
    const { markerRetryMinMs, markerRetryMaxMs } = limits
    const delayMs = Math.min(markerRetryMaxMs, markerRetryMinMs * 2 ** debt.attempts)
    debt.attempts++
    log.warn({ producerId: debt.order.producerId, attempts: debt.attempts, reason }, 'markers are still owed')
    debt.retry = clock.after(delayMs, () => {
      debt.retry = null
      void this.#pay(debt)
    })
  }

  async #ask({ order, owed }: Debt): Promise<MarkersAnswered> {
    if (owed.length === 0) return PAID
    const { door, coordinatorEpoch } = this.#options
    const { producerId, producerEpoch, committed: transactionResult, transactionVersion } = order
    const topics = owed.map(({ topic: name, partitions }) => ({ name, partitionIndexes: partitions.slice() }))
    const marker = { producerId, producerEpoch, transactionResult, topics, coordinatorEpoch, transactionVersion }
    const request: WriteTxnMarkersRequest = { markers: [marker] }
    const response = await answer(door, 'WriteTxnMarkers', request, this.#caller())
    const doubtful = response.markers.some(({ topics }) =>
      topics.some(({ partitions }) => partitions.some(({ errorCode }) => errorCode !== 0)),
    )
    return doubtful ? markersAnswered(response, await this.#existing(owed)) : PAID
  }

  /** Which of these partitions there are, from the broker. */
  async #existing(owed: readonly TopicPartitions[]): Promise<(topic: string, partition: number) => boolean> {
    const partitions = owed.flatMap(({ topic, partitions }) => partitions.map(partition => ({ topic, partition })))
    const { leaders } = await this.#options.door.broker.link.ask('leaders', { partitions })
    const known = new Set(leaders.map(({ topic, partition }) => `${topic}-${partition}`))
    return (topic, partition) => known.has(`${topic}-${partition}`)
  }

  #caller(): Caller {
    const { markerDeadlineMs: deadlineMs } = this.#options.context.limits
    return { apiVersion: 2, clientId: 'transaction-coordinator', clientHost: '/in-process', deadlineMs }
  }
}

const PAID: MarkersAnswered = { owed: [], notable: [] }
