// The asker's end of a link: credits, the bounded queue before them, deadlines, and the promises of asks. One implementation for
// all channels. Called by actors through `Link`, and by the trunk with what arrives.
import { onAbort } from '../base/abort.ts'
import type { ErrorData } from '../base/errors.ts'
import { PortError } from '../base/errors.ts'
import type { Address, AskOptions, Link, LinkStats } from './actor.ts'
import type { BuffersOf, Contract } from './contract.ts'
import { NamedQueue } from './named-queue.ts'
import type { Trunk } from './trunk.ts'
import { bytesOf, type Words, wordsOf } from './words.ts'

/** What a link needs from the lane that it starts in. */
export interface LinkLane {
  readonly linkMessagesMax: number
  readonly linkBytesMax: number
  readonly linkQueueMessagesMax: number
  readonly linkQueueBytesMax: number
  /** Monotonic milliseconds. */
  monotonic(): number
  /** Promises to call `expire` on all links soon after `at`. */
  expireBy(at: number): void
}

/** One message on its way: an ask (with its promise) or a tell (seq -1). */
class Outgoing {
  readonly seq: number
  readonly word: number
  message: unknown
  readonly bytes: number
  readonly deadline: number
  resolve: ((response: any) => void) | null
  reject: ((error: PortError) => void) | null
  /** Removes the listener from the ask's signal. */
  detach: (() => void) | null = null

  constructor(
    seq: number,
    word: number,
    message: unknown,
    bytes: number,
    deadline: number,
    resolve: ((response: any) => void) | null,
    reject: ((error: PortError) => void) | null,
  ) {
    this.seq = seq
    this.word = word
    this.message = message
    this.bytes = bytes
    this.deadline = deadline
    this.resolve = resolve
    this.reject = reject
  }

  /** The asker got its answer or gave up; what is left of the entry is the credit that it holds. */
  settle(): void {
    this.resolve = null
    this.reject = null
    this.detach?.()
    this.detach = null
  }
}

export class LinkEnd<C extends Contract = Contract> implements Link<C> {
  readonly address: Address<C>
  readonly id: number
  readonly closed: Promise<string>
  isClosed = false
  readonly #words: Words
  readonly #trunk: Trunk
  readonly #lane: LinkLane
  readonly #onEnd: (link: LinkEnd) => void
  readonly #sent = new Map<number, Outgoing>()
  readonly #queue: NamedQueue<Outgoing>
  readonly #listeners: (((message: any) => void) | undefined)[] = []
  #nextSeq = 0
  #queuedBytes = 0
  #inFlightMessages = 0
  #inFlightBytes = 0
  #inFlightMessagesHigh = 0
  #inFlightBytesHigh = 0
  #owedMessages = 0
  #owedBytes = 0
  #newsUnheard = 0
  #writableWaiters: (() => void)[] = []
  #resolveClosed!: (reason: string) => void
  #closeCode = 'LINK_CLOSED'
  #closeReason = ''

  constructor(trunk: Trunk, lane: LinkLane, contract: C, address: Address<C>, onEnd: (link: LinkEnd) => void) {
    this.#trunk = trunk
    this.#lane = lane
    this.#words = wordsOf(contract)
    this.#onEnd = onEnd
    this.#queue = new NamedQueue(`link to ${address.name}`, lane.linkQueueMessagesMax)
    this.address = address
    this.id = trunk.nextLinkId()
    this.closed = new Promise(resolve => {
      this.#resolveClosed = resolve
    })
  }

  ask(name: string, request: any, options?: AskOptions): Promise<any> {
    return new Promise((resolve, reject) => {
      const word = this.#words.asks.index.get(name)
      if (word === undefined) return reject(new TypeError(`${this.address.kind} has no ask '${name}'`))
      if (this.isClosed) return reject(this.#closedError())
      const { requestBuffers, deadlineMs } = this.#words.asks.items[word]!
      const deadline = this.#lane.monotonic() + (options?.deadlineMs ?? deadlineMs)
      const bytes = requestBuffers === undefined ? 0 : bytesOf(requestBuffers, request)
      const outgoing = new Outgoing(this.#nextSeq++, word, request, bytes, deadline, resolve, reject)
      if (options?.signal !== undefined && !this.#watch(outgoing, options.signal)) return
      if (!this.#take(outgoing, requestBuffers)) {
        outgoing.settle()
        reject(
          new PortError({
            code: 'LINK_FULL',
            message: `the link to ${this.address.name} is full`,
            detail: this.stats(),
          }),
        )
      } else this.#lane.expireBy(deadline)
    })
  }

  tell(name: string, message: any): boolean {
    const word = this.#words.tells.index.get(name)
    if (word === undefined) throw new TypeError(`${this.address.kind} has no tell '${name}'`)
    if (this.isClosed) return false
    const { buffers } = this.#words.tells.items[word]!
    const bytes = buffers === undefined ? 0 : bytesOf(buffers, message)
    return this.#take(new Outgoing(-1, word, message, bytes, Number.POSITIVE_INFINITY, null, null), buffers)
  }

  on(name: string, listener: (message: any) => void): void {
    const word = this.#words.news.index.get(name)
    if (word === undefined) throw new TypeError(`${this.address.kind} has no news '${name}'`)
    this.#listeners[word] = listener
  }

  get isFull(): boolean {
    return (
      this.#queue.size > 0 ||
      this.#inFlightMessages >= this.#lane.linkMessagesMax ||
      this.#inFlightBytes >= this.#lane.linkBytesMax
    )
  }

  writable(): Promise<void> {
    if (!this.isFull || this.isClosed) return Promise.resolve()
    return new Promise(resolve => this.#writableWaiters.push(resolve))
  }

  stats(): LinkStats {
    return {
      inFlightMessages: this.#inFlightMessages,
      inFlightBytes: this.#inFlightBytes,
      queuedMessages: this.#queue.size,
      inFlightMessagesHigh: this.#inFlightMessagesHigh,
      inFlightBytesHigh: this.#inFlightBytesHigh,
      queuedMessagesHigh: this.#queue.high,
      newsUnheard: this.#newsUnheard,
    }
  }

  close(reason = 'closed by the asker'): void {
    if (this.isClosed) return
    this.#trunk.closeLink(this.id, reason)
    this.end('LINK_CLOSED', reason)
  }

  /** False when the signal had fired already: the ask is rejected. */
  #watch(outgoing: Outgoing, signal: AbortSignal): boolean {
    const aborted = () => {
      const reject = outgoing.reject
      outgoing.settle()
      reject?.(
        new PortError({ code: 'ABORTED', message: `the ask of ${this.address.name} was given up by its caller` }),
      )
    }
    if (signal.aborted) {
      aborted()
      return false
    }
    outgoing.detach = onAbort(signal, aborted)
    return true
  }

  /** Sends at once while there is credit, else queues. False when the queue is full. */
  #take(outgoing: Outgoing, buffers: BuffersOf<any> | undefined): boolean {
    if (this.#queue.size === 0 && this.#hasCreditFor(outgoing.bytes)) {
      this.#send(outgoing, buffers)
      return true
    }
    const fits = this.#queue.size === 0 || this.#queuedBytes + outgoing.bytes <= this.#lane.linkQueueBytesMax
    if (!fits || !this.#queue.push(outgoing)) return false
    this.#queuedBytes += outgoing.bytes
    return true
  }

  /** A message larger than all the credit may go alone. */
  #hasCreditFor(bytes: number): boolean {
    if (this.#inFlightMessages >= this.#lane.linkMessagesMax) return false
    return this.#inFlightBytes === 0 || this.#inFlightBytes + bytes <= this.#lane.linkBytesMax
  }

  #send(outgoing: Outgoing, buffers: BuffersOf<any> | undefined): void {
    const { seq, word, message, bytes } = outgoing
    outgoing.message = undefined
    if (seq === -1) this.#trunk.tell(this.id, word, message, buffers, bytes)
    else {
      this.#trunk.ask(this.id, seq, word, message, buffers, bytes)
      this.#sent.set(seq, outgoing)
    }
    this.#inFlightBytes += bytes
    if (++this.#inFlightMessages > this.#inFlightMessagesHigh) this.#inFlightMessagesHigh = this.#inFlightMessages
    if (this.#inFlightBytes > this.#inFlightBytesHigh) this.#inFlightBytesHigh = this.#inFlightBytes
  }

  answered(seq: number, response: unknown): void {
    const outgoing = this.#sent.get(seq)
    if (outgoing === undefined) return
    this.#sent.delete(seq)
    outgoing.resolve?.(response)
    if (outgoing.detach !== null) outgoing.settle()
    this.credited(1, outgoing.bytes)
  }

  failed(seq: number, error: ErrorData): void {
    const outgoing = this.#sent.get(seq)
    if (outgoing === undefined) return
    this.#sent.delete(seq)
    outgoing.reject?.(new PortError(error))
    outgoing.settle()
    this.credited(1, outgoing.bytes)
  }

  credited(messages: number, bytes: number): void {
    this.#inFlightMessages -= messages
    this.#inFlightBytes -= bytes
    if (this.#queue.size > 0) this.#sendQueued()
    if (this.#writableWaiters.length > 0 && !this.isFull) this.#wakeWriters()
  }

  #sendQueued(): void {
    for (let next = this.#queue.peek(); next !== undefined; next = this.#queue.peek()) {
      const givenUp = next.seq !== -1 && next.reject === null
      if (!givenUp && !this.#hasCreditFor(next.bytes)) return
      this.#queue.shift()
      this.#queuedBytes -= next.bytes
      if (givenUp) continue
      const words = this.#words
      this.#send(
        next,
        next.seq === -1 ? words.tells.items[next.word]!.buffers : words.asks.items[next.word]!.requestBuffers,
      )
    }
  }

  #wakeWriters(): void {
    const waiters = this.#writableWaiters
    this.#writableWaiters = []
    for (const wake of waiters) wake()
  }

  /** News arrived. Its credit goes back when the listener has run. */
  heard(word: number, bytes: number, message: unknown): void {
    if (this.#owedMessages === 0) this.#trunk.owesCredit(this)
    this.#owedMessages++
    this.#owedBytes += bytes
    if (this.#owedBytes > 0 || this.#owedMessages >= this.#lane.linkMessagesMax / 4) this.#trunk.owesMuch()
    const listener = this.#listeners[word]
    if (listener === undefined) this.#newsUnheard++
    else listener(message)
  }

  returnCredit(): void {
    if (!this.isClosed) this.#trunk.credit(this.id, this.#owedMessages, this.#owedBytes, true)
    this.#owedMessages = 0
    this.#owedBytes = 0
  }

  /** Rejects the asks whose deadline has passed; returns the earliest deadline that is left. */
  expire(now: number): number {
    let earliest = Number.POSITIVE_INFINITY
    for (const outgoing of this.#sent.values()) earliest = Math.min(earliest, this.#expireOne(outgoing, now))
    for (const outgoing of this.#queue) earliest = Math.min(earliest, this.#expireOne(outgoing, now))
    return earliest
  }

  #expireOne(outgoing: Outgoing, now: number): number {
    if (outgoing.reject === null) return Number.POSITIVE_INFINITY
    if (outgoing.deadline > now) return outgoing.deadline
    const { reject } = outgoing
    outgoing.settle()
    const name = this.#words.asks.names[outgoing.word]
    reject(new PortError({ code: 'DEADLINE', message: `${this.address.name} did not answer '${name}' in time` }))
    return Number.POSITIVE_INFINITY
  }

  /** The link is over, whoever ended it: everything in flight fails. */
  end(code: string, reason: string): void {
    if (this.isClosed) return
    this.isClosed = true
    this.#closeCode = code
    this.#closeReason = reason
    const left = [...this.#sent.values(), ...this.#queue.clear()]
    this.#sent.clear()
    for (const outgoing of left) {
      const { reject } = outgoing
      outgoing.settle()
      reject?.(this.#closedError())
    }
    this.#onEnd(this)
    this.#resolveClosed(reason)
    this.#wakeWriters()
  }

  #closedError(): PortError {
    return new PortError({
      code: this.#closeCode,
      message: `the link to ${this.address.name} has ended: ${this.#closeReason}`,
    })
  }
}
