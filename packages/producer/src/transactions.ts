// Transactions as their user holds them, in the caller's thread. The states are the sender's business; here are the calls and their order.
import type { Link } from '@odradek/shared/actor/actor'
import { assert } from '@odradek/shared/base/assert'
import { KafkaError } from '@odradek/shared/base/errors'
import { integer, offset, partitionFields, partitionsIn, text } from '@odradek/shared/client/call-input'
import { isObject, notTaken } from '@odradek/shared/client/options'
import type { SenderContract, TransactionOffsets } from '@odradek/shared/contracts/sender.contract'
import type { Producer } from './producer.ts'

/** Whose offsets a transaction commits. */
export interface OffsetsToSend {
  readonly groupId: string
  /** Of the consumer, so that a member that was fenced cannot commit (KIP-447). Left out: not a member. */
  readonly generationId?: number
  readonly memberId?: string
  readonly groupInstanceId?: string | null
  /** Next offset to read, per partition. */
  readonly offsets: readonly {
    readonly topic: string
    readonly partition: number
    readonly offset: bigint | number
    readonly leaderEpoch?: number
    readonly metadata?: string
  }[]
}

/** What the producer lends. */
export interface TransactionsHost {
  readonly producer: Producer
  readonly maxBlockMs: number
  /** Resolves when the sender runs. */
  link(): Promise<Link<SenderContract>>
  /** Resolves when everything that was given before is with the sender. */
  handOverAll(): Promise<void>
  /** What an ask of the sender rejected with, as the user sees it. */
  failureOf(thrown: unknown): KafkaError
}

export class Transactions {
  readonly #host: TransactionsHost
  /** The link on which transactions were initialised. */
  #initialized: Link<SenderContract> | null = null
  /** Those that are not ended, at most two: the last one may take records, one before it is being committed. */
  readonly #unended: Transaction[] = []
  /** What ended this producer for good: no transaction of it begins any more (Java: the state FATAL_ERROR). */
  #fatal: KafkaError | null = null
  #isBeginning = false

  constructor(host: TransactionsHost) {
    this.#host = host
  }

  /** Whether there is one that takes records. */
  get takesRecords(): boolean {
    return this.#unended.at(-1)?.isCommitting === false
  }

  /** A record never came to the sender, which therefore knows nothing of it: the open transaction may not be committed without it. */
  refused(error: unknown): void {
    this.#unended.at(-1)?.refused(error)
  }

  /** Settles when every commit that was asked for so far has an answer. */
  async commits(): Promise<void> {
    await Promise.all(this.#unended.map(({ committing }) => committing))
  }

  async begin(): Promise<Transaction> {
    if (this.#fatal !== null) throw this.#fatal
    if (this.#isBeginning) throw stillOpen('is still open')
    this.#isBeginning = true
    try {
      await this.#turn()
      if (this.#fatal !== null) throw this.#fatal
      const link = await this.#initializedLink()
      // What it follows may have failed meanwhile.
      this.#checkEnding()
      link.tell('beginTransaction', {})
      const transaction = new Transaction(this.#host, link, this.#events())
      this.#unended.push(transaction)
      return transaction
    } finally {
      this.#isBeginning = false
    }
  }

  async #initializedLink(): Promise<Link<SenderContract>> {
    try {
      const link = await this.#host.link()
      if (this.#initialized !== link) {
        await link.ask('initTransactions', { maxBlockMs: this.#host.maxBlockMs })
        this.#initialized = link
      }
      return link
    } catch (thrown) {
      throw this.#host.failureOf(thrown)
    }
  }

  /** Resolves when one transaction is being committed at most, and all of it is with the sender: what comes there from then on is of the next one. */
  async #turn(): Promise<void> {
    this.#checkEnding()
    if (this.#unended.length > 1) await this.#unended[0]!.committing
    await this.#unended.at(-1)?.handingOver
    this.#checkEnding()
  }

  #checkEnding(): void {
    for (const { mayBeFollowed, hasFailed } of this.#unended)
      if (!mayBeFollowed) throw stillOpen(hasFailed ? 'has failed and must be aborted first' : 'is still open')
  }

  #events(): TransactionEvents {
    return {
      before: transaction => this.#unended[this.#placeOf(transaction) - 1]?.committing ?? null,
      failed: (transaction, error) => {
        for (const next of this.#unended.splice(this.#placeOf(transaction) + 1)) next.drop(error)
      },
      ended: (transaction, error) => {
        this.#unended.splice(this.#placeOf(transaction), 1)
        if (error?.fatal) this.#fatal = error
      },
    }
  }

  #placeOf(transaction: Transaction): number {
    const place = this.#unended.indexOf(transaction)
    assert(place >= 0, 'a transaction that ends has begun')
    return place
  }
}

function stillOpen(how: string): KafkaError {
  return new KafkaError('ODK_TRANSACTION_STATE', `begin: a transaction of this producer ${how}`)
}

/** What a transaction asks of the others of its producer, and tells them. */
interface TransactionEvents {
  /** Settles with the commit before it; null: there is none. */
  before(transaction: Transaction): Promise<unknown> | null
  /** It must be aborted: what was begun behind it never happens. */
  failed(transaction: Transaction, error: KafkaError): void
  ended(transaction: Transaction, error?: KafkaError): void
}

/** An open transaction. `await using` aborts it unless it was committed. */
export class Transaction implements AsyncDisposable {
  /** As {@link Producer.send}; the record belongs to the transaction. Need not be awaited: a commit fails if a record of it failed. */
  readonly send: Producer['send']
  readonly #host: TransactionsHost
  readonly #link: Link<SenderContract>
  readonly #events: TransactionEvents
  #isOpen = true
  /** Why it never happens: the transaction before it must be aborted. */
  #dropped: KafkaError | null = null
  #committing: Promise<unknown> | null = null
  #handingOver: Promise<void> | null = null
  #isHandedOver = false
  #hasFailed = false
  /** Why something of it never came to the sender. */
  #refusal: { readonly error: unknown } | null = null

  /** Use {@link Producer.begin}. */
  constructor(host: TransactionsHost, link: Link<SenderContract>, events: TransactionEvents) {
    this.#host = host
    this.#link = link
    this.#events = events
    const { producer } = host
    this.send = ((...args: Parameters<Producer['send']>) => {
      if (!this.#isOpen || this.isCommitting) return Promise.reject(this.#notOpen('send'))
      const sent = producer.send(...args)
      // Who does not await it hears of a failure from the commit.
      sent.catch(() => undefined)
      return sent
    }) as Producer['send']
  }

  get isCommitting(): boolean {
    return this.#committing !== null
  }

  /** Settles when the commit that was asked for has an answer; null: none is under way. */
  get committing(): Promise<unknown> | null {
    return this.#committing
  }

  /** Settles when all of it is with the sender, the wish to commit excepted, which follows at once; null: not asked for yet. */
  get handingOver(): Promise<void> | null {
    return this.#handingOver
  }

  /** A commit of it was refused: only an abort leads on. */
  get hasFailed(): boolean {
    return this.#hasFailed
  }

  /** Whether another one may begin behind it. */
  get mayBeFollowed(): boolean {
    return this.isCommitting && this.#refusal === null && !this.#hasFailed
  }

  /** The transaction before it must be aborted, so this one never happens. Nothing of it is left to undo. */
  drop(cause: KafkaError): void {
    this.#isOpen = false
    const why = `the transaction before it must be aborted, so it never happens: ${cause.message}`
    this.#dropped = new KafkaError('ODK_TRANSACTION_ABORTABLE', why, { cause })
  }

  /** Something of it was refused in this thread. What ended the sender, or shut it out, the commit learns from the sender itself. */
  refused(error: unknown): void {
    const isSenders = error instanceof KafkaError && (error.fatal || SENDERS_OWN.has(error.code))
    // What is refused when all of it is with the sender was never of it.
    if (!isSenders && !this.#isHandedOver) this.#refusal ??= { error }
  }

  /**
   * Commits consumed offsets with the transaction: they count if, and only if, it is committed. Need not be awaited: a commit waits for it, and fails if it
   * failed.
   */
  sendOffsets(given: OffsetsToSend): Promise<void> {
    const sent = this.#sendOffsets(given)
    sent.catch(() => undefined)
    return sent
  }

  async #sendOffsets(given: OffsetsToSend): Promise<void> {
    this.#checkOpen('sendOffsets')
    try {
      checkOffsets(given)
    } catch (thrown) {
      this.refused(thrown)
      throw thrown
    }
    const request: TransactionOffsets & { maxBlockMs: number } = {
      groupId: given.groupId,
      generationId: given.generationId ?? -1,
      memberId: given.memberId ?? '',
      groupInstanceId: given.groupInstanceId ?? null,
      offsets: given.offsets.map(({ topic, partition, offset, leaderEpoch = -1, metadata = '' }) => ({
        topic,
        partition,
        offset: Number(offset),
        leaderEpoch,
        metadata,
      })),
      maxBlockMs: this.#host.maxBlockMs,
    }
    await this.#link.ask('sendOffsets', request).catch(thrown => {
      throw this.#host.failureOf(thrown)
    })
  }

  /**
   * Sends what is left and commits. Rejects with ODK_TRANSACTION_ABORTABLE when something of it failed: then abort. The producer's next transaction may be begun
   * meanwhile; it follows without a pause, and never happens when this one fails.
   */
  async commit(): Promise<void> {
    this.#checkOpen('commit')
    const committed = this.#commit()
    this.#committing = committed.catch(() => undefined)
    try {
      await committed
    } finally {
      this.#committing = null
    }
  }

  async #commit(): Promise<void> {
    try {
      this.#handingOver = this.#host.handOverAll()
      await this.#handingOver
      this.#isHandedOver = true
      this.#checkWhole()
      await this.#end(true)
    } catch (thrown) {
      this.#hasFailed = true
      // An abort is still owed.
      if (this.#isOpen) this.#events.failed(this, thrown as KafkaError)
      throw thrown
    }
  }

  #checkWhole(): void {
    if (this.#refusal === null) return
    const { error: cause } = this.#refusal
    const why = `commit: something of the transaction was not sent: ${(cause as Error)?.message ?? cause}`
    throw new KafkaError('ODK_TRANSACTION_ABORTABLE', why, { cause })
  }

  /** Undoes the transaction: nothing of it is ever read with isolation level readCommitted. */
  async abort(): Promise<void> {
    if (this.#dropped !== null) return
    this.#checkOpen('abort')
    // Whether it happens at all, the one before decides.
    await this.#events.before(this)
    if (!this.#isOpen) return
    await this.#host.handOverAll()
    await this.#end(false)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#committing
    if (this.#isOpen) await this.abort()
  }

  async #end(committed: boolean): Promise<void> {
    try {
      await this.#link.ask('endTransaction', { committed, maxBlockMs: this.#host.maxBlockMs })
      this.#close()
    } catch (thrown) {
      const error = this.#host.failureOf(thrown)
      // After an abortable error an abort is still owed.
      if (error.code !== 'ODK_TRANSACTION_ABORTABLE') this.#close(error)
      throw error
    }
  }

  #close(error?: KafkaError): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#events.ended(this, error)
  }

  /** What is asked while it is being committed might come too late: nobody could say whether it counts. */
  #checkOpen(what: string): void {
    if (!this.#isOpen || this.isCommitting) throw this.#notOpen(what)
  }

  #notOpen(what: string): KafkaError {
    if (this.#dropped !== null) return this.#dropped
    const state = this.#isOpen ? 'is being committed' : 'has ended'
    return new KafkaError('ODK_TRANSACTION_STATE', `${what}: the transaction ${state}`)
  }
}

/** What the sender tells by itself when it is asked to commit. */
const SENDERS_OWN: ReadonlySet<string> = new Set([
  'ODK_BROKER_CLOSED',
  'ODK_SENDER_DIED',
  'ODK_PRODUCER_CLOSED',
  'ODK_PRODUCER_FENCED',
])

function checkOffsets(given: OffsetsToSend): void {
  if (!isObject(given) || typeof given.groupId !== 'string')
    throw notTaken('sendOffsets', '{ groupId, offsets }', given)
  if (given.groupId === '') throw notTaken('sendOffsets', 'a groupId that is not empty', given.groupId)
  partitionsIn('sendOffsets', given.offsets, { ...partitionFields, offset }, { leaderEpoch: integer, metadata: text })
  const negative = given.offsets.find(each => each.offset < 0)
  if (negative !== undefined) throw notTaken('sendOffsets', 'offsets from 0', negative.offset)
}

/**
 * Aborts because of `thrown`; resolves with what its caller should throw. That is `thrown` itself: an abort that fails too leaves the transaction to its timeout.
 * But a producer that was fenced may see no more than a refused record first, and learns from the abort that it is of no use any more.
 */
export async function undo(transaction: Transaction, thrown: unknown): Promise<unknown> {
  const failure = await transaction[Symbol.asyncDispose]().then(
    () => null,
    (error: unknown) => error,
  )
  if (!(failure instanceof KafkaError && failure.fatal)) return thrown
  const { code, message, kafkaCode, kafkaName } = failure
  return new KafkaError(code, message, {
    ...(kafkaCode === undefined ? {} : { kafkaCode }),
    ...(kafkaName === undefined ? {} : { kafkaName }),
    fatal: true,
    cause: thrown,
  })
}
