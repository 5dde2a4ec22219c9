// The actor's end of a link: hands asks and tells to the actor, returns credits, and carries news to the asker within credits of
// its own. Called by the trunk with what arrives, and by actors through `Peer`.
import type { ErrorData } from '../base/errors.ts'
import type { LinkStats, Peer } from './actor.ts'
import type { Contract } from './contract.ts'
import type { LinkLane } from './link-end.ts'
import { NamedQueue } from './named-queue.ts'
import type { Trunk } from './trunk.ts'
import { bytesOf, type Words } from './words.ts'

/** What a peer end needs from the actor behind it. */
export interface PeerActor {
  readonly words: Words
  asked(peer: PeerEnd, seq: number, word: number, request: unknown): void
  told(peer: PeerEnd, word: number, message: unknown, bytes: number): void
  left(peer: PeerEnd, reason: string): void
}

interface QueuedNews {
  readonly word: number
  readonly message: unknown
  readonly bytes: number
}

export class PeerEnd<C extends Contract = Contract> implements Peer<C> {
  readonly id: number
  readonly name: string
  /** Number of the link in its trunk. */
  readonly link: number
  isClosed = false
  readonly #trunk: Trunk
  readonly #actor: PeerActor
  readonly #lane: LinkLane
  readonly #queue: NamedQueue<QueuedNews>
  #queuedBytes = 0
  #inFlightMessages = 0
  #inFlightBytes = 0
  #inFlightMessagesHigh = 0
  #inFlightBytesHigh = 0
  #owedMessages = 0
  #owedBytes = 0

  constructor(trunk: Trunk, lane: LinkLane, actor: PeerActor, identity: { id: number; link: number; name: string }) {
    this.#trunk = trunk
    this.#actor = actor
    this.#lane = lane
    this.id = identity.id
    this.link = identity.link
    this.name = identity.name
    this.#queue = new NamedQueue(`news to ${identity.name}`, lane.linkQueueMessagesMax)
  }

  get sharesThread(): boolean {
    return !this.#trunk.leavesThread
  }

  asked(seq: number, word: number, request: unknown): void {
    this.#actor.asked(this, seq, word, request)
  }

  reply(seq: number, word: number, response: unknown): void {
    if (this.isClosed) return
    const buffers = this.#actor.words.asks.items[word]!.responseBuffers
    this.#trunk.reply(this.link, seq, response, buffers, buffers === undefined ? 0 : bytesOf(buffers, response))
  }

  refuse(seq: number, error: ErrorData): void {
    if (!this.isClosed) this.#trunk.error(this.link, seq, error)
  }

  told(word: number, bytes: number, message: unknown): void {
    this.#actor.told(this, word, message, bytes)
  }

  /** A tell of so many bytes was handled: its credit goes back with the next array, at the end of this turn if it matters. */
  handled(bytes: number): void {
    if (this.#owedMessages === 0) this.#trunk.owesCredit(this)
    this.#owedMessages++
    this.#owedBytes += bytes
    if (this.#owedBytes > 0 || this.#owedMessages >= this.#lane.linkMessagesMax / 4) this.#trunk.owesMuch()
  }

  returnCredit(): void {
    if (!this.isClosed) this.#trunk.credit(this.link, this.#owedMessages, this.#owedBytes, false)
    this.#owedMessages = 0
    this.#owedBytes = 0
  }

  news(name: string, message: any): boolean {
    if (this.isClosed) return false
    const { news } = this.#actor.words
    const word = news.index.get(name)
    if (word === undefined) throw new TypeError(`no news '${name}' in the contract`)
    const bytes = bytesOf(news.items[word]!.buffers, message)
    if (this.#queue.size === 0 && this.#hasCreditFor(bytes)) {
      this.#send(word, message, bytes)
      return true
    }
    const fits = this.#queue.size === 0 || this.#queuedBytes + bytes <= this.#lane.linkQueueBytesMax
    if (!fits || !this.#queue.push({ word, message, bytes })) {
      if (news.items[word]!.isVital) this.#part(`${this.name} had no room for '${name}'`)
      return false
    }
    this.#queuedBytes += bytes
    return true
  }

  /** Both sides learn that the link has ended. */
  #part(reason: string): void {
    this.close('LINK_CLOSED', reason)
    this.#actor.left(this, reason)
  }

  /** A message larger than all the credit may go alone. */
  #hasCreditFor(bytes: number): boolean {
    if (this.#inFlightMessages >= this.#lane.linkMessagesMax) return false
    return this.#inFlightBytes === 0 || this.#inFlightBytes + bytes <= this.#lane.linkBytesMax
  }

  #send(word: number, message: unknown, bytes: number): void {
    this.#trunk.news(this.link, word, message, this.#actor.words.news.items[word]!.buffers, bytes)
    this.#inFlightBytes += bytes
    if (++this.#inFlightMessages > this.#inFlightMessagesHigh) this.#inFlightMessagesHigh = this.#inFlightMessages
    if (this.#inFlightBytes > this.#inFlightBytesHigh) this.#inFlightBytesHigh = this.#inFlightBytes
  }

  credited(messages: number, bytes: number): void {
    this.#inFlightMessages -= messages
    this.#inFlightBytes -= bytes
    for (
      let next = this.#queue.peek();
      next !== undefined && this.#hasCreditFor(next.bytes);
      next = this.#queue.peek()
    ) {
      this.#queue.shift()
      this.#queuedBytes -= next.bytes
      this.#send(next.word, next.message, next.bytes)
    }
  }

  stats(): LinkStats {
    return {
      inFlightMessages: this.#inFlightMessages,
      inFlightBytes: this.#inFlightBytes,
      queuedMessages: this.#queue.size,
      inFlightMessagesHigh: this.#inFlightMessagesHigh,
      inFlightBytesHigh: this.#inFlightBytesHigh,
      queuedMessagesHigh: this.#queue.high,
      newsUnheard: 0,
    }
  }

  /** The actor has ended: the asker learns why. */
  close(code: string, reason: string): void {
    if (this.isClosed) return
    this.isClosed = true
    this.#queue.clear()
    this.#trunk.closePeer(this.link, code, reason)
  }

  /** The asker or its lane has gone. */
  leave(reason: string): void {
    if (this.isClosed) return
    this.isClosed = true
    this.#queue.clear()
    this.#actor.left(this, reason)
  }
}
