// All links between two lanes over one channel: writes what link ends and peer ends say into the outgoing array, reads incoming
// arrays and hands each entry to its end. It knows no contract and no actor; its lane decides when to post.

import { isLent } from '../base/lent-buffers.ts'
import type { Channel, ChannelListener } from './channel.ts'
import type { BuffersOf } from './contract.ts'
import { describeThrown } from './describe-thrown.ts'
import {
  ASK,
  CLOSE,
  CLOSED,
  CREDIT,
  type Entries,
  ERROR,
  entryLength,
  NEWS,
  NEWS_CREDIT,
  OPEN,
  REPLY,
  TELL,
} from './entries.ts'
import { isExact, portCopy, withCopies } from './exact.ts'
import type { LinkEnd } from './link-end.ts'
import type { PeerEnd } from './peer-end.ts'

/** What a trunk needs from the lane it ends in. */
export interface TrunkLane {
  /** Entries that may still be handled in this turn. */
  budget: number
  /** Buffers given away in this turn and not yet posted. */
  readonly givenAway: Set<ArrayBuffer>
  readonly transferBytesMin: number
  readonly turnPostMessagesMax: number
  readonly turnPostBytesMax: number
  /** True in the simulated host: messages are copied (and misuse refused) when they are said. */
  readonly copiesMessages: boolean
  /** Something waits in this trunk: post it at the end of the turn. */
  touched(trunk: Trunk): void
  /** An array arrived. */
  arrived(trunk: Trunk, entries: Entries): void
  /** The other lane is gone, or this one closed the trunk. */
  ended(trunk: Trunk): void
  opened(trunk: Trunk, link: number, open: OpenEntry): void
  /** A tell or news could not be sent because of what is in it. */
  misused(message: string): void
}

/** A lane asks for a link to an actor. */
export interface OpenEntry {
  readonly actor: number
  readonly incarnation: number
  readonly kind: string
  readonly asker: string
}

export class Trunk implements ChannelListener {
  readonly lane: TrunkLane
  /** Number of the lane at the other end. */
  readonly remote: number
  /** False for a loop inside one lane: buffers are handed over, not transferred. */
  readonly leavesThread: boolean
  /** Ends of links that this lane opened. */
  readonly links = new Map<number, LinkEnd>()
  /** Ends of links that the other lane opened. */
  readonly peers = new Map<number, PeerEnd>()
  readonly #channel: Channel
  #out: Entries = []
  #transfer: ArrayBuffer[] = []
  #messages = 0
  #bytes = 0
  #touched = false
  #credits: (LinkEnd | PeerEnd)[] = []
  #nextLink = 0
  isClosed = false

  constructor(lane: TrunkLane, remote: number, channel: Channel, leavesThread: boolean) {
    this.lane = lane
    this.remote = remote
    this.leavesThread = leavesThread
    this.#channel = channel
    channel.attach(this)
  }

  nextLinkId(): number {
    return this.#nextLink++
  }

  // --- saying -----------------------------------------------------------------------------------------------------------------

  open(link: number, open: OpenEntry): void {
    this.#out.push(OPEN, link, open.actor, open.incarnation, open.kind, open.asker)
    this.#said(0)
  }

  ask(
    link: number,
    seq: number,
    word: number,
    request: unknown,
    buffers: BuffersOf<any> | undefined,
    bytes: number,
  ): void {
    this.#out.push(
      ASK,
      link,
      seq,
      word,
      buffers === undefined && !this.lane.copiesMessages ? request : this.#packed(request, buffers),
    )
    this.#said(bytes)
  }

  tell(link: number, word: number, message: unknown, buffers: BuffersOf<any> | undefined, bytes: number): void {
    this.#out.push(TELL, link, word, bytes, this.#packed(message, buffers))
    this.#said(bytes)
  }

  reply(link: number, seq: number, response: unknown, buffers: BuffersOf<any> | undefined, bytes: number): void {
    this.#out.push(
      REPLY,
      link,
      seq,
      buffers === undefined && !this.lane.copiesMessages ? response : this.#packed(response, buffers),
    )
    this.#said(bytes)
  }

  error(link: number, seq: number, error: unknown): void {
    this.#out.push(ERROR, link, seq, this.#packed(error, undefined))
    this.#said(0)
  }

  news(link: number, word: number, message: unknown, buffers: BuffersOf<any> | undefined, bytes: number): void {
    this.#out.push(NEWS, link, word, bytes, this.#packed(message, buffers))
    this.#said(bytes)
  }

  /** An end has credit to return; it is asked for the sum when the next array is posted. */
  owesCredit(end: LinkEnd | PeerEnd): void {
    this.#credits.push(end)
  }

  /** What is owed is much, or bytes: it goes back at the end of the turn even if nothing else does. Else it does not wake the other thread. */
  owesMuch(): void {
    this.#touch()
  }

  credit(link: number, messages: number, bytes: number, ofNews: boolean): void {
    this.#out.push(ofNews ? NEWS_CREDIT : CREDIT, link, messages, bytes)
  }

  /** The asker's end of a link closes. */
  closeLink(link: number, reason: string): void {
    if (!this.links.delete(link)) return
    this.#out.push(CLOSE, link, reason)
    this.#said(0)
  }

  /** The actor's end of a link closes. */
  closePeer(link: number, code: string, reason: string): void {
    this.peers.delete(link)
    this.#out.push(CLOSED, link, code, reason)
    this.#said(0)
  }

  #said(bytes: number): void {
    this.#messages++
    this.#bytes += bytes
    if (this.#messages >= this.lane.turnPostMessagesMax || this.#bytes >= this.lane.turnPostBytesMax) this.post()
    else this.#touch()
  }

  #touch(): void {
    if (this.#touched || this.isClosed) return
    this.#touched = true
    this.lane.touched(this)
  }

  /** Posts what waits as one array. */
  post(): void {
    this.#touched = false
    if (this.isClosed) return
    const owing = this.#credits
    if (owing.length > 0) {
      this.#credits = []
      for (const end of owing) end.returnCredit()
    }
    if (this.#out.length === 0) return
    const out = this.#out
    const transfer = this.#transfer
    this.#out = []
    this.#messages = 0
    this.#bytes = 0
    if (transfer.length > 0) {
      this.#transfer = []
      for (const buffer of transfer) this.lane.givenAway.delete(buffer)
    }
    try {
      this.#channel.post(out, transfer)
    } catch {
      this.#postOneByOne(out, transfer)
    }
  }

  /** Something in the array cannot cross a port (a bug of whoever said it): the rest still goes, and the guilty one learns it. */
  #postOneByOne(entries: Entries, transfer: ArrayBuffer[]): void {
    for (let at = 0; at < entries.length; at += entryLength[entries[at] as number]!) {
      const entry = entries.slice(at, at + entryLength[entries[at] as number]!)
      try {
        this.#channel.post(entry, [])
      } catch (thrown) {
        this.#uncrossable(entry, describeThrown(thrown))
      }
    }
    // They were copied instead of moved; what was given away is gone for its giver all the same.
    for (const buffer of transfer) if (buffer.byteLength > 0) structuredClone(buffer, { transfer: [buffer] })
  }

  #uncrossable(entry: Entries, why: string): void {
    const [code, link, third] = entry as [number, number, any]
    const error = { code: 'FAILED', message: `the message cannot cross a port: ${why}` }
    if (code === ASK) this.links.get(link)?.failed(third, error)
    else if (code === REPLY || code === ERROR) this.#channel.post([ERROR, link, third, error], [])
    else this.lane.misused(error.message)
  }

  /** The message as it may cross: views exact (inside the lane also lent), large buffers on the transfer list. */
  #packed(message: unknown, buffers: BuffersOf<any> | undefined): unknown {
    if (this.lane.copiesMessages) return this.#copied(message, buffers)
    if (buffers === undefined) return message
    let needsCopy = false
    const givenAway = this.lane.givenAway
    const isCopied = (view: Uint8Array) => {
      if (!isExact(view)) return this.leavesThread || !isLent(view)
      return givenAway.size > 0 && givenAway.has(view.buffer as ArrayBuffer)
    }
    for (const view of buffers(message)) if (view && isCopied(view)) needsCopy = true
    const packed = needsCopy ? withCopies(message, isCopied) : message
    if (!this.leavesThread) return packed
    for (const view of buffers(packed)) {
      if (!view || view.byteLength < this.lane.transferBytesMin || !(view.buffer instanceof ArrayBuffer)) continue
      if (givenAway.has(view.buffer)) continue
      givenAway.add(view.buffer)
      this.#transfer.push(view.buffer)
    }
    return packed
  }

  #copied(message: unknown, buffers: BuffersOf<any> | undefined): unknown {
    if (buffers === undefined) return portCopy(message, none, this.lane.transferBytesMin)
    let exact = message
    for (const view of buffers(message)) if (view && !isExact(view)) exact = withCopies(message, each => !isExact(each))
    const listed = new Set<Uint8Array>()
    for (const view of buffers(exact)) if (view) listed.add(view)
    return portCopy(exact, listed, this.lane.transferBytesMin)
  }

  // --- hearing ----------------------------------------------------------------------------------------------------------------

  received(entries: Entries): void {
    if (!this.isClosed) this.lane.arrived(this, entries)
  }

  /** Handles entries from `at` while the lane's budget for this turn lasts; returns where it stopped. */
  consume(entries: Entries, at: number): number {
    let next = at
    while (next < entries.length && this.lane.budget > 0 && !this.isClosed) {
      this.lane.budget--
      const code = entries[next] as number
      const link = entries[next + 1] as number
      if (code === ASK) {
        this.peers.get(link)?.asked(entries[next + 2] as number, entries[next + 3] as number, entries[next + 4])
      } else if (code === REPLY) {
        this.links.get(link)?.answered(entries[next + 2] as number, entries[next + 3])
      } else {
        this.#consumeRare(code, link, entries, next)
      }
      next += entryLength[code]!
    }
    return this.isClosed ? entries.length : next
  }

  #consumeRare(code: number, link: number, entries: Entries, at: number): void {
    const [first, second, third, fourth] = [entries[at + 2], entries[at + 3], entries[at + 4], entries[at + 5]] as any[]
    switch (code) {
      case TELL:
        this.peers.get(link)?.told(first, second, third)
        break
      case NEWS:
        this.links.get(link)?.heard(first, second, third)
        break
      case CREDIT:
        this.links.get(link)?.credited(first, second)
        break
      case NEWS_CREDIT:
        this.peers.get(link)?.credited(first, second)
        break
      case ERROR:
        this.links.get(link)?.failed(first, second)
        break
      case OPEN:
        this.lane.opened(this, link, { actor: first, incarnation: second, kind: third, asker: fourth })
        break
      case CLOSE:
        this.#left(link, first)
        break
      case CLOSED:
        this.#linkEnded(link, first, second)
        break
    }
  }

  #left(link: number, reason: string): void {
    const peer = this.peers.get(link)
    this.peers.delete(link)
    peer?.leave(reason)
  }

  #linkEnded(link: number, code: string, reason: string): void {
    const end = this.links.get(link)
    this.links.delete(link)
    end?.end(code, reason)
  }

  // --- ending -----------------------------------------------------------------------------------------------------------------

  /** The other lane is gone: every link over this trunk ends. */
  ended(reason: string): void {
    if (this.isClosed) return
    this.isClosed = true
    this.#channel.close()
    this.#out = []
    for (const buffer of this.#transfer) this.lane.givenAway.delete(buffer)
    this.lane.ended(this)
    for (const end of [...this.links.values()]) end.end('LINK_CLOSED', reason)
    for (const peer of [...this.peers.values()]) peer.leave(reason)
    this.links.clear()
    this.peers.clear()
  }

  /** Posts what waits, then ends from this side. */
  close(reason: string): void {
    this.post()
    this.ended(reason)
  }
}

const none: ReadonlySet<Uint8Array> = new Set()
