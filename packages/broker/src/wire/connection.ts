// One client connection at the network door: bytes in, frames out of them, each answered through the router; replies leave in the order of the requests, as lists
// of buffers. What is in flight is bounded in requests and bytes; a client that does not read its replies is not read from either.
import type { Socket } from 'node:net'
import { type MachineRun, runMachine } from '@odradek/shared/actor/machine-runner'
import type { Timer } from '@odradek/shared/base/clock'
import { giveBack, isLent, take } from '@odradek/shared/base/lent-buffers'
import { sharedAbort } from '@odradek/shared/base/shared-abort'
import { answer, type Caller } from '@odradek/shared/client/port/door'
import type { ApiName, ApiRequest, ApiResponse } from '@odradek/shared/contracts/api-map'
import { type ApiMessages, apiOf } from '@odradek/shared/protocol/api-table'
import { errors } from '@odradek/shared/protocol/error-codes'
import { decodeRequest, encodeResponse, peekRequestHeader, type RequestHeader } from '@odradek/shared/protocol/frame'
import { FrameSplitter } from '@odradek/shared/protocol/frame-splitter'
import { apiVersionsResponse } from '@odradek/shared/protocol/messages/18-api-versions'
import { connectionMachine } from './connection.machine.ts'
import type { HandlerContext } from './handlers/handler.ts'
import type { ListenerCounters, ListenerRoom } from './listener-room.ts'
import { readInto } from './read-into.ts'
import { type Route, routes, serves } from './request-router.ts'

const PRODUCE_KEY = 0
const FETCH_KEY = 1
const API_VERSIONS_KEY = 18
/** Deadline of a request that the leader, the coordinator or the broker must answer; JoinGroup and Fetch may wait long by themselves. Milliseconds. */
const REQUEST_DEADLINE_MS = 30_000
const LONG_DEADLINE_MS = 1_800_000
/** Bytes that are read although they cannot be taken yet. */
const READ_BEYOND_BYTES = 64 * 1024
const patientApis: ReadonlySet<ApiName> = new Set<ApiName>(['JoinGroup', 'SyncGroup', 'Fetch'])

/** A request whose reply has not left yet. */
interface Pending {
  /** Bytes of the request, counted against the read-ahead. */
  readonly bytes: number
  readonly isFetch: boolean
  /** Set when the reply is ready; an empty list when there is none to send. */
  parts: readonly Uint8Array[] | null
}

export class Connection {
  readonly #room: ListenerRoom
  readonly #socket: Socket
  readonly #splitter: FrameSplitter
  readonly #machine: MachineRun<typeof connectionMachine>
  readonly #abort = sharedAbort()
  /** Ends the waits that a client asked for, once there is no client to wait for. */
  readonly #patience = sharedAbort()
  readonly #clientHost: string
  #pending: Pending[] = []
  #pendingBytes = 0
  /** Bytes of replies that wait for one before them. */
  #readyBytes = 0
  /** A Fetch is being answered. Its reply may be large, so the next one waits. */
  #fetching = false
  /** A frame that may not be taken yet. */
  #held: Uint8Array | undefined
  #taking = false
  /** Replies are about to leave. */
  #isSendDue = false
  #peerHasEnded = false
  #draining = false
  #idle: Timer
  #lastUsedMs: number
  /** Resolves when nothing of the connection is left. */
  readonly closed: Promise<void>
  #release: () => void = () => undefined

  constructor(room: ListenerRoom, socket: Socket) {
    this.#room = room
    this.#socket = socket
    this.#clientHost = `/${(socket.remoteAddress ?? 'unknown').replace(/^::ffff:/, '')}`
    this.#splitter = new FrameSplitter({ frameBytesMax: room.limits.requestBytesMax })
    this.closed = new Promise(resolve => {
      this.#release = resolve
    })
    this.#machine = runMachine(room.context, connectionMachine, {
      effects: {
        pause: () => void socket.pause(),
        resume: () => void socket.resume(),
        noteReason: ({ reason }) => room.context.log.debug({ client: this.#clientHost, reason }, 'connection ends'),
        drain: () => this.#drain(),
        release: () => this.#end(),
      },
    })
    this.#lastUsedMs = room.context.clock.monotonic()
    this.#idle = this.#armIdle(room.limits.idleMs)
    socket.setNoDelay(true)
    socket.setKeepAlive(true)
    if (!readInto(socket, room.readBuffer, chunk => this.#receiveLent(chunk)))
      socket.on('data', chunk => this.#receive(chunk))
    socket.on('drain', () => this.#takeFrames())
    socket.once('end', () => this.#peerEnded())
    socket.once('error', () => this.destroy())
    socket.once('close', () => this.destroy())
  }

  get remoteAddress(): string {
    return this.#clientHost
  }

  /** Ends it in order: replies that are owed leave first. */
  end(reason: string): void {
    if (!this.#machine.isDone) this.#machine.send({ type: 'end.asked', reason })
  }

  /** Ends it now. */
  destroy(): void {
    if (!this.#machine.isDone) this.#machine.send({ type: 'socket.lost' })
  }

  #receive(chunk: Uint8Array): void {
    this.#heard(chunk)
    this.#splitter.push(chunk)
    this.#takeFrames()
  }

  /** The chunk is gone when this returns. */
  #receiveLent(chunk: Uint8Array): void {
    this.#heard(chunk)
    this.#splitter.pushLent(chunk)
    this.#takeFrames()
    this.#splitter.keepRest()
  }

  #heard(chunk: Uint8Array): void {
    this.#lastUsedMs = this.#room.context.clock.monotonic()
    this.#count('bytesIn', chunk.byteLength)
  }

  /** Takes what may be taken now. What may not stays here, and nothing more is read from the socket before it was taken. */
  #takeFrames(): void {
    if (this.#taking) return
    this.#taking = true
    try {
      for (let frame = this.#nextFrame(); frame; frame = this.#nextFrame()) this.#take(frame)
    } catch (error) {
      // No frame: nothing was allocated for what its size promised.
      this.#count('malformed', 1)
      this.end(String(error))
    }
    this.#taking = false
    this.#checkWindow()
  }

  #nextFrame(): Uint8Array | undefined {
    if (!this.#machine.hasTag('serving') || this.#isFull()) return undefined
    const frame = this.#held ?? this.#ownFrame()
    this.#held = undefined
    if (frame && this.#fetching && isFetch(frame)) {
      this.#held = frame
      return undefined
    }
    if (!frame && this.#peerHasEnded) this.#machine.send({ type: 'peer.ended' })
    return frame
  }

  /** The next frame in memory that stays: lent, for batches, which are many and large and done with when they are answered. */
  #ownFrame(): Uint8Array | undefined {
    const frame = this.#splitter.next()
    if (frame === undefined || !this.#splitter.isLentChunk(frame)) return frame
    const own = isProduce(frame) ? take(frame.length) : new Uint8Array(frame.length)
    own.set(frame)
    return own
  }

  /** A client that ended may still be owed replies, also to what was not taken yet, but nobody waits for records or members any more. */
  #peerEnded(): void {
    this.#peerHasEnded = true
    this.#patience.abort()
    this.#takeFrames()
  }

  #take(frame: Uint8Array): void {
    this.#count('requests', 1)
    const pending: Pending = { bytes: frame.byteLength, isFetch: isFetch(frame), parts: null }
    this.#pending.push(pending)
    this.#pendingBytes += pending.bytes
    if (pending.isFetch) this.#fetching = true
    try {
      const header = peekRequestHeader(frame)
      const route = routes.get(header.apiKey)
      if (route && serves(route, header.apiVersion)) this.#serve(route, header, frame, pending)
      else if (header.apiKey === API_VERSIONS_KEY) this.#ready(pending, this.#unknownApiVersions(header))
      else
        throw new Error(
          `${apiOf(header.apiKey)?.name ?? `API ${header.apiKey}`} version ${header.apiVersion} is not served`,
        )
    } catch (error) {
      this.#malformed(pending, error)
    }
  }

  #serve(route: Route, header: RequestHeader, frame: Uint8Array, pending: Pending): void {
    const messages = this.#room.messages.get(route)
    if (messages) {
      this.#answer(route, header, this.#decode(messages, header, frame) as never, pending)
      return
    }
    // First request of this API on this thread: its schemas are loaded. Replies stay in order all the same.
    this.#room.messages
      .load(route)
      .then(loaded => this.#answer(route, header, this.#decode(loaded, header, frame) as never, pending))
      .catch(error => this.#malformed(pending, error))
  }

  #decode({ request }: ApiMessages, header: RequestHeader, frame: Uint8Array): unknown {
    return decodeRequest(request, header, frame, { onLeftOver: () => this.#count('leftOver', 1) })
  }

  #answer<A extends ApiName>(route: Route, header: RequestHeader, request: ApiRequest<A>, pending: Pending): void {
    const context = this.#context(route.name, header)
    const answered: Promise<ApiResponse<A> | null> = route.handler
      ? route.handler(request, context)
      : answer(this.#room.door, route.name as A, request, context.caller)
    answered
      .then(response => this.#ready(pending, response === null ? [] : this.#encode(route, header, response)))
      .catch(error => {
        this.#count('failed', 1)
        // A client that goes away gives its requests up: nothing to tell anybody.
        if (!this.#abort.signal.aborted)
          this.#room.context.log.warn(
            { api: route.name, client: this.#clientHost, error: String(error) },
            'a request could not be answered',
          )
        this.#unanswered(pending, String(error))
      })
  }

  /** Bad bytes end this connection and nothing else. */
  #malformed(pending: Pending, error: unknown): void {
    this.#count('malformed', 1)
    this.#unanswered(pending, String(error))
  }

  /** Replies to requests before it still leave; it gets none, so neither may those after it. */
  #unanswered(pending: Pending, reason: string): void {
    const at = this.#pending.indexOf(pending)
    // Dropped already, because one before it got no reply.
    if (at < 0) return
    this.#pending.splice(at + 1)
    this.end(reason)
    this.#ready(pending, [])
  }

  #context(api: ApiName, { apiVersion, clientId }: RequestHeader): HandlerContext {
    const { door, advertised, sessions, nodeId, apiVersions } = this.#room
    const patient = patientApis.has(api)
    const caller: Caller = {
      apiVersion,
      clientId: clientId ?? '',
      clientHost: this.#clientHost,
      deadlineMs: patient ? LONG_DEADLINE_MS : REQUEST_DEADLINE_MS,
      signal: patient ? this.#patience.signal : this.#abort.signal,
      givesBack: true,
    }
    return { door, caller, advertised: advertised(), sessions, nodeId, apiVersions }
  }

  #encode(route: Route, { apiVersion, correlationId }: RequestHeader, response: unknown): readonly Uint8Array[] {
    return encodeResponse(this.#room.messages.get(route)!.response, apiVersion, correlationId, response as never)
  }

  #unknownApiVersions({ correlationId }: RequestHeader): readonly Uint8Array[] {
    return encodeResponse(apiVersionsResponse, 0, correlationId, {
      ...this.#room.apiVersions(),
      errorCode: errors.UNSUPPORTED_VERSION.code,
    })
  }

  #ready(pending: Pending, parts: readonly Uint8Array[]): void {
    pending.parts = parts
    this.#readyBytes += sizeOf(parts)
    if (this.#pending[0] === pending) this.#sendSoon()
  }

  /**
   * Behind what is being said now, at the latest behind one turn of the lane's: what one commit answers leaves in one write, which costs the system as much as each
   * of them alone.
   */
  #sendSoon(): void {
    if (this.#isSendDue) return
    this.#isSendDue = true
    process.nextTick(() => this.#sendReady())
  }

  /** Sends all replies at the head of the line that are ready, in one write. */
  #sendReady(): void {
    this.#isSendDue = false
    let sent = 0
    this.#socket.cork()
    for (; sent < this.#pending.length && this.#pending[sent]!.parts; sent++) {
      const { parts, bytes, isFetch } = this.#pending[sent]!
      this.#pendingBytes -= bytes
      this.#readyBytes -= sizeOf(parts!)
      if (isFetch) this.#fetching = false
      if (!this.#socket.destroyed) for (const part of parts!) this.#write(part)
    }
    this.#socket.uncork()
    this.#pending.splice(0, sent)
    this.#takeFrames()
    this.#repliesLeft()
  }

  #write(part: Uint8Array): void {
    this.#count('bytesOut', part.byteLength)
    if (isLent(part)) this.#socket.write(part, error => error || giveBack(part))
    else this.#socket.write(part)
  }

  /** As much is in flight or unsent as may be. */
  #isFull(): boolean {
    const { readAheadBytesMax, readAheadRequestsMax, unsentBytesMax } = this.#room.limits
    return (
      this.#pendingBytes > readAheadBytesMax ||
      this.#pending.length >= readAheadRequestsMax ||
      this.#readyBytes + this.#socket.writableLength > unsentBytesMax
    )
  }

  /** Goes on reading a little past what may be taken: only who reads learns that its peer is gone. */
  #checkWindow(): void {
    const aheadBytes = this.#splitter.bufferedBytes + (this.#held?.byteLength ?? 0)
    const full = aheadBytes > READ_BEYOND_BYTES && (this.#held !== undefined || this.#isFull())
    const state = this.#machine.state
    if (full && state === 'Serving.Reading') this.#machine.send({ type: 'window.full' })
    else if (!full && state === 'Serving.Paused') this.#machine.send({ type: 'window.open' })
  }

  #drain(): void {
    this.#draining = true
    this.#repliesLeft()
  }

  #repliesLeft(): void {
    if (!this.#draining || this.#socket.writableEnded || this.#pending.length > 0) return
    this.#socket.end(() => this.#machine.isDone || this.#machine.send({ type: 'replies.left' }))
  }

  #armIdle(delayMs: number): Timer {
    const { clock } = this.#room.context
    return clock.after(delayMs, () => {
      const leftMs = this.#room.limits.idleMs - (clock.monotonic() - this.#lastUsedMs)
      const waiting = this.#pending.length > 0 && this.#socket.writableLength === 0
      if (leftMs > 0 || waiting) this.#idle = this.#armIdle(Math.max(leftMs, 1000))
      else if (this.#socket.writableLength > 0) this.destroy()
      else this.end('idle for connections.max.idle.ms')
    })
  }

  #end(): void {
    this.#idle.cancel()
    this.#patience.abort()
    this.#abort.abort()
    this.#socket.destroy()
    this.#pending = []
    this.#held = undefined
    this.#release()
  }

  #count(counter: keyof ListenerCounters, by: number): void {
    this.#room.counters[counter] += by
  }
}

function isProduce(frame: Uint8Array): boolean {
  return frame[0] === 0 && frame[1] === PRODUCE_KEY
}

function isFetch(frame: Uint8Array): boolean {
  return frame[0] === 0 && frame[1] === FETCH_KEY
}

function sizeOf(parts: readonly Uint8Array[]): number {
  let bytes = 0
  for (const part of parts) bytes += part.byteLength
  return bytes
}
