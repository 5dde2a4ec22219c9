// One connection to one broker address: the hands of connection.machine. Opens the socket, negotiates versions, authenticates, sends requests in
// order and matches replies. Requests wait (bounded) while it is not ready, and fail with the attempt that they waited for; a reply that is overdue breaks
// the connection, as in Kafka's clients, because replies come in order.
import type { Duplex } from 'node:stream'
import { type MachineRun, runMachine } from '../../actor/machine-runner.ts'
import { NamedQueue } from '../../actor/named-queue.ts'
import type { Timer } from '../../base/clock.ts'
import { KafkaError, PortError } from '../../base/errors.ts'
import type { ApiName, ApiRequest, ApiResponse } from '../../contracts/api-map.ts'
import type { WirePatience, WireSecurity } from '../../contracts/wire-security.ts'
import { decodeResponse, encodeRequest, peekCorrelationId } from '../../protocol/frame.ts'
import { backoffMs } from '../backoff.rules.ts'
import type { LinkHost, RequestOptions } from '../cluster-link.ts'
import { type Ask, askAbilities, logIn } from './authentication.ts'
import type { ClusterFeatures } from './cluster-features.ts'
import { connectionMachine } from './connection.machine.ts'
import { asError, lost, tlsFailed, unreachable, unsupported } from './connection-errors.ts'
import { aborted, type Exchange, InFlight, loadMessages, messagesOf, settle, watchAbort } from './exchange.ts'
import { type BrokerAbilities, chooseVersion } from './negotiation.rules.ts'
import type { OpenSocket } from './open-socket.ts'
import { ReplyReader } from './reply-reader.ts'
import { silenceMs } from './throttle.rules.ts'
import { isUnanswered, replyMadeUp } from './unanswered.ts'
import { versionOfReply } from './version-of-reply.rules.ts'

export interface ConnectionOptions {
  readonly host: Pick<LinkHost, 'clock' | 'random' | 'limits'>
  readonly address: { readonly host: string; readonly port: number }
  readonly clientId: string
  readonly security: WireSecurity
  readonly patience: WirePatience
  readonly openSocket: OpenSocket
  /** Of the cluster, shared by the connections of a link. */
  readonly features: ClusterFeatures
}

/** Largest frame a broker may send: what Kafka's `fetch.max.bytes` and one oversized batch may sum up to. Bytes. */
const FRAME_BYTES_MAX = 2 ** 31 - 1
/** The same before it has shown that it is a broker: what HTTP or TLS begin with would be a size of a gigabyte. Bytes. */
const FIRST_FRAMES_BYTES_MAX = 2 ** 20

export class Connection {
  readonly #options: ConnectionOptions
  readonly #machine: MachineRun<typeof connectionMachine>
  readonly #waiting: NamedQueue<Exchange>
  readonly #inFlight = new InFlight()
  #socket: Duplex | null = null
  /** Of the socket of now. */
  #reader: ReplyReader | null = null
  /** Since it was ready: attempts that failed. */
  #failures = 0
  /** Since a socket was open: attempts to open one that failed. */
  #setupFailures = 0
  #abilities: BrokerAbilities | null = null
  /** What requests fail with at once: we were refused, or closed. */
  #refusal: Error | null = null
  #lastReason = 'not connected yet'
  #silentUntil = 0
  #busyAt = 0
  #idle: Timer | null = null
  #setup: Timer | null = null
  #backoff: Timer | null = null
  #throttle: Timer | null = null
  #session: Timer | null = null

  constructor(options: ConnectionOptions) {
    this.#options = options
    this.#waiting = new NamedQueue('wire-requests', options.host.limits.wireRequestsWaitingMax)
    const { clock } = options.host
    this.#machine = runMachine({ trace: NO_TRACE, fail: thrown => this.#failAll(asError(thrown)) }, connectionMachine, {
      effects: {
        openSocket: () => this.#open(),
        armSetup: () => {
          const timeoutMs = this.#setupTimeoutMs()
          this.#setup = clock.after(timeoutMs, () =>
            this.#lost(`not open after ${Math.round(timeoutMs)} ms (socketConnectionSetupTimeoutMs)`),
          )
        },
        cancelSetup: () => this.#setup?.cancel(),
        askVersions: () => void this.#negotiate(),
        authenticate: () => void this.#authenticate(),
        release: () => this.#release(),
        failInFlight: ({ reason }) => this.#failInFlight(lost(this.#why(reason))),
        failWaiting: ({ reason }) => this.#failWaiting(unreachable(this.#why(reason))),
        failRefused: () => this.#failAll(this.#refusal!),
        failClosed: () => this.#failAll(lost('the link was closed')),
        armThrottle: () => {
          const waitMs = this.#silentUntil - clock.monotonic()
          this.#throttle = clock.after(waitMs, () => this.#machine.send({ type: 'throttle.over' }))
        },
        cancelThrottle: () => this.#throttle?.cancel(),
        armBackoff: () => {
          this.#backoff = clock.after(this.#backoffMs(), () => this.#backoffOver())
        },
        cancelBackoff: () => this.#backoff?.cancel(),
        closeSocket: () => this.#closeSocket(),
      },
    })
  }

  get isReady(): boolean {
    return this.#machine.state === 'Ready'
  }

  /** The last attempt failed, and the next must wait. */
  get isBackingOff(): boolean {
    return this.#machine.state === 'BackingOff' || this.#machine.state === 'AuthenticationFailed'
  }

  /** Attempts that failed since it was ready. */
  get failures(): number {
    return this.#failures
  }

  /** Why there is no connection, for messages to people. */
  get reason(): string {
    return this.#lastReason
  }

  /** What the broker said it can do; null before the first time. */
  get abilities(): BrokerAbilities | null {
    return this.#abilities
  }

  /** Requests on their way, for choosing the least loaded. */
  get load(): number {
    return this.#inFlight.size + this.#waiting.size
  }

  /**
   * Sends a request in the newest common version (`encode` shapes it) and resolves with the reply as that version has it. Rejects with
   * PortError UNREACHABLE (never sent: the connection could not be opened), LINK_CLOSED (lost on the way), DEADLINE, ABORTED, LINK_FULL; with
   * KafkaError when the broker lacks the API or refused us.
   */
  request<A extends ApiName>(
    api: A,
    encode: (version: number) => ApiRequest<A>,
    { deadlineMs, signal }: RequestOptions,
    versionCap = Number.POSITIVE_INFINITY,
  ): Promise<{ value: ApiResponse<A>; version: number }> {
    return new Promise((resolve, reject) => {
      const submit = (messages: Exchange['messages']) => {
        const exchange: Exchange = {
          api,
          messages,
          encode,
          resolve: resolve as Exchange['resolve'],
          reject,
          timer: this.#options.host.clock.after(deadlineMs, () => this.#overdue(exchange)),
          version: -1,
          versionCap,
        }
        if (signal) watchAbort(exchange, signal, () => this.#giveUp(exchange))
        if (signal?.aborted) this.#giveUp(exchange)
        else this.#submit(exchange)
      }
      const messages = messagesOf(api)
      if (messages) submit(messages)
      else loadMessages(api).then(submit, reject)
    })
  }

  close(): void {
    this.#machine.send({ type: 'close' })
  }

  #submit(exchange: Exchange): void {
    if (this.#refusal) settle(exchange, this.#refusal)
    else if (this.isReady) this.#send(exchange)
    else if (this.#waiting.push(exchange)) this.#machine.send({ type: 'wanted' })
    else {
      const message = `${this.#waiting.max} requests wait for ${this.name} (${this.#lastReason})`
      settle(exchange, new PortError({ code: 'LINK_FULL', message }))
    }
  }

  #release(): void {
    this.#failures = 0
    this.#reader!.frameBytesMax = FRAME_BYTES_MAX
    for (let exchange = this.#waiting.shift(); exchange; exchange = this.#waiting.shift()) this.#send(exchange)
  }

  #send(exchange: Exchange): void {
    const { api, versionCap } = exchange
    const version = chooseVersion(api, this.#abilities!, versionCap)
    if (version < 0) settle(exchange, unsupported(api, this.name, this.#abilities!, versionCap))
    else this.#write(exchange, version)
  }

  #write(exchange: Exchange, version: number): void {
    const correlationId = this.#inFlight.add(exchange)
    exchange.version = version
    let request: unknown
    let parts: readonly Uint8Array[]
    try {
      request = exchange.encode(version)
      const envelope = { correlationId, clientId: this.#options.clientId }
      parts = encodeRequest(exchange.messages.request, version, envelope, request as never)
    } catch (error) {
      this.#inFlight.remove(correlationId)
      settle(exchange, asError(error))
      return
    }
    const socket = this.#socket!
    socket.cork()
    for (const part of parts) socket.write(part)
    socket.uncork()
    this.#busyAt = this.#options.host.clock.monotonic()
    if (!isUnanswered(exchange.api, request)) return
    this.#inFlight.remove(correlationId)
    settle(exchange, null, replyMadeUp(request as ApiRequest<'Produce'>))
  }

  #open(): void {
    const { address, security, openSocket } = this.#options
    const reader = new ReplyReader(FIRST_FRAMES_BYTES_MAX)
    const answered = (frame: Uint8Array) => this.#answered(frame)
    const socket = openSocket(address, security, {
      room: () => reader.room(),
      filled: bytes => ours(() => this.#receive(() => reader.filled(bytes, answered))),
    })
    this.#reader = reader
    this.#socket = socket
    // What an old socket still says is no longer heard.
    const ours = (hear: () => void) => this.#socket === socket && hear()
    socket.once(security.tls ? 'secureConnect' : 'connect', () => ours(() => this.#opened()))
    socket.on('data', (chunk: Uint8Array) => ours(() => this.#receive(() => reader.push(chunk, answered))))
    socket.on('error', (error: Error) => ours(() => this.#failed(error)))
    socket.once('close', () => ours(() => this.#lost(this.#closedBy())))
  }

  #opened(): void {
    this.#setupFailures = 0
    this.#armIdle(this.#options.patience.connectionsMaxIdleMs)
    this.#machine.send({ type: 'socket.opened' })
  }

  #failed(error: Error): void {
    const { tls } = this.#options.security
    if (tls && this.#machine.state !== 'Ready' && isTlsFailure(error)) this.#refused(tlsFailed(this.name, error))
    else
      this.#lost(
        tls && this.#machine.state === 'Connecting' && isReset(error) ? `${error.message}${TLS_HINT}` : error.message,
      )
  }

  /** The broker, or somebody between, ended it: before it said a word, that is often a listener that expects something else. */
  #closedBy(): string {
    const { tls, sasl } = this.#options.security
    if (this.#machine.state !== 'CheckingApiVersions' || tls) return 'the connection was closed by the broker'
    return `the connection was closed before ApiVersions was answered (does this listener expect TLS${sasl ? '' : ' or SASL'}?)`
  }

  #lost(reason: string): void {
    if (this.#machine.state === 'Connecting') this.#setupFailures++
    this.#lastReason = reason
    this.#machine.send({ type: 'socket.lost', reason })
  }

  #refused(error: KafkaError): void {
    this.#refusal = error
    this.#lastReason = error.message
    this.#machine.send({ type: 'refused', reason: error.message })
  }

  #receive(read: () => void): void {
    try {
      read()
    } catch (error) {
      this.#lost(`the broker sent what is not a reply: ${asError(error).message}`)
    }
  }

  #answered(frame: Uint8Array): void {
    const correlationId = peekCorrelationId(frame)
    const exchange = this.#inFlight.answeredBy(correlationId)
    const version = versionOfReply(exchange.api, exchange.version, frame)
    // What cannot be decoded stays in flight, so that it fails with the connection instead of waiting for its deadline.
    const response = decodeResponse(exchange.messages.response, version, frame)
    this.#inFlight.remove(correlationId)
    settle(exchange, null, response)
    const waitMs = silenceMs(exchange.api, version, response)
    if (waitMs === 0) return
    this.#silentUntil = Math.max(this.#silentUntil, this.#options.host.clock.monotonic() + waitMs)
    if (this.isReady || this.#machine.state === 'Throttled') this.#machine.send({ type: 'throttled' })
  }

  /** A reply that is overdue makes all later ones late too: the connection is given up, and a new one is opened when next wanted. */
  #overdue(exchange: Exchange): void {
    const inFlight = this.#inFlight.has(exchange)
    const state = inFlight ? '' : `: it was not sent, ${this.#lastReason}`
    const message = `no reply to ${exchange.api} from ${this.name} in time${state}`
    settle(exchange, new PortError({ code: 'DEADLINE', message }))
    if (inFlight) this.#lost(`${exchange.api} was not answered in time`)
    else this.#forget(exchange)
  }

  /** The reply to what was sent is still awaited, by nobody: what follows it must be matched. */
  #giveUp(exchange: Exchange): void {
    settle(exchange, aborted(exchange.api))
    if (!this.#inFlight.has(exchange)) this.#forget(exchange)
  }

  #forget(exchange: Exchange): void {
    for (let left = this.#waiting.size; left > 0; left--) {
      const other = this.#waiting.shift()!
      if (other !== exchange) this.#waiting.push(other)
    }
  }

  async #negotiate(): Promise<void> {
    const authenticate = this.#options.security.sasl !== undefined
    await this.#duringSetup(async ask => {
      this.#abilities = await askAbilities(ask, this.#options.features)
      return () => this.#machine.send({ type: 'versions.negotiated', authenticate })
    })
  }

  async #authenticate(): Promise<void> {
    const { host, security, patience } = this.#options
    await this.#duringSetup(async ask => {
      const where = { abilities: this.#abilities!, broker: this.name }
      const wait = { clock: host.clock, timeoutMs: patience.requestTimeoutMs }
      const lifetimeMs = await logIn(ask, { sasl: security.sasl!, ...where, ...wait })
      return () => {
        this.#session?.cancel()
        // KIP-368: anew after 85 to 95 % of the session, so that not all clients come at once.
        const renewMs = lifetimeMs * (0.85 + 0.1 * host.random.float())
        if (lifetimeMs > 0) this.#session = host.clock.after(renewMs, () => this.#sessionEnding())
        this.#machine.send({ type: 'authenticated' })
      }
    })
  }

  #sessionEnding(): void {
    if (this.isReady || this.#machine.state === 'Throttled') this.#machine.send({ type: 'session.ending' })
  }

  /** Talks on the socket of now; what comes of it counts only if that is still the socket when the talk is over. */
  async #duringSetup(talk: (ask: Ask) => Promise<() => void>): Promise<void> {
    const socket = this.#socket
    try {
      const then = await talk((api, version, request) => this.#ask(socket, api, version, request))
      if (this.#socket === socket) then()
    } catch (error) {
      if (this.#socket !== socket) return
      if (error instanceof KafkaError) this.#refused(error)
      else this.#lost(asError(error).message)
    }
  }

  /** A request of the connection itself, before it is ready. */
  async #ask<A extends ApiName>(
    socket: Duplex | null,
    api: A,
    version: number,
    request: ApiRequest<A>,
  ): Promise<ApiResponse<A>> {
    const messages = messagesOf(api) ?? (await loadMessages(api))
    // While the schemas were loaded the socket may have gone, and another may have come.
    if (this.#socket !== socket) throw lost(this.#lastReason)
    return new Promise((resolve, reject) => {
      const { host, patience } = this.#options
      const exchange: Exchange = {
        api,
        messages,
        encode: () => request,
        resolve: ({ value }) => resolve(value as ApiResponse<A>),
        reject,
        timer: host.clock.after(patience.requestTimeoutMs, () => this.#overdue(exchange)),
        version,
        versionCap: version,
      }
      this.#write(exchange, version)
    })
  }

  #backoffMs(): number {
    const { reconnectBackoffMs: initialMs, reconnectBackoffMaxMs: maxMs } = this.#options.patience
    return backoffMs({ initialMs, maxMs }, this.#failures++, this.#options.host.random.float())
  }

  #setupTimeoutMs(): number {
    const { socketConnectionSetupTimeoutMs: initialMs, socketConnectionSetupTimeoutMaxMs: maxMs } =
      this.#options.patience
    return backoffMs({ initialMs, maxMs }, this.#setupFailures, this.#options.host.random.float())
  }

  #backoffOver(): void {
    this.#refusal = null
    this.#machine.send({ type: 'backoff.over' })
    if (this.#waiting.size > 0) this.#machine.send({ type: 'wanted' })
  }

  /** Closes the connection when nothing was sent for long (`connections.max.idle.ms`); the next request opens it again. */
  #armIdle(waitMs: number): void {
    const { host, patience } = this.#options
    const maxMs = patience.connectionsMaxIdleMs
    this.#idle = host.clock.after(waitMs, () => {
      const idleMs = host.clock.monotonic() - this.#busyAt
      if (this.load > 0 || !this.isReady) this.#armIdle(maxMs)
      else if (idleMs < maxMs) this.#armIdle(maxMs - idleMs)
      else this.#machine.send({ type: 'idle' })
    })
  }

  #failInFlight(error: Error): void {
    for (const exchange of this.#inFlight.clear()) settle(exchange, error)
  }

  #failWaiting(error: Error): void {
    for (const exchange of this.#waiting.clear()) settle(exchange, error)
  }

  /** Fails what is here, and what comes until the refusal is lifted. */
  #failAll(error: Error): void {
    this.#refusal = error
    this.#failInFlight(error)
    this.#failWaiting(error)
  }

  #closeSocket(): void {
    this.#idle?.cancel()
    this.#session?.cancel()
    const socket = this.#socket
    this.#socket = null
    this.#reader = null
    socket?.destroy()
  }

  #why(reason: string): string {
    return `${this.name}: ${reason}`
  }

  /** `host:port`, for messages. */
  get name(): string {
    return `${this.#options.address.host}:${this.#options.address.port}`
  }
}

/** A listener without TLS takes the hello for a size that is too large, and closes. */
const TLS_HINT = ' (does this port speak TLS?)'
const isReset = (error: Error) => (error as NodeJS.ErrnoException).code === 'ECONNRESET'

const NO_TRACE = { on: false, transition: () => undefined }

/** The handshake itself failed: certificates, protocol versions, a peer that does not speak TLS. Connections that break are not that. */
function isTlsFailure(error: Error): boolean {
  const { code, syscall } = error as NodeJS.ErrnoException
  return code === 'EPROTO' || (syscall === undefined && code !== undefined && code !== 'ECONNRESET')
}
