// One connection to one broker address: the hands of connection.machine. Opens the socket, negotiates versions, authenticates, sends requests in
// order and matches replies by correlation id. Requests wait (bounded) while it is not ready; a reply that is overdue breaks the connection, as in Kafka's clients,
// because replies come in order.
import type { Socket } from 'node:net'
import { type MachineRun, runMachine } from '../../actor/machine-runner.ts'
import { NamedQueue } from '../../actor/named-queue.ts'
import type { Timer } from '../../base/clock.ts'
import { KafkaError, PortError } from '../../base/errors.ts'
import type { ApiName, ApiRequest, ApiResponse } from '../../contracts/api-map.ts'
import type { WirePatience, WireSecurity } from '../../contracts/wire-security.ts'
import { type ApiMessages, apiOf } from '../../protocol/api-table.ts'
import { errorOf, errors } from '../../protocol/error-codes.ts'
import { decodeResponse, encodeRequest, peekCorrelationId } from '../../protocol/frame.ts'
import { FrameSplitter } from '../../protocol/frame-splitter.ts'
import { backoffMs } from '../backoff.rules.ts'
import type { LinkHost, RequestOptions } from '../cluster-link.ts'
import { connectionMachine } from './connection.machine.ts'
import { abilitiesOf, apiKeyOf, type BrokerAbilities, chooseVersion } from './negotiation.rules.ts'
import { openSocket } from './open-socket.ts'
import { saslConversation } from './sasl.ts'

export interface ConnectionOptions {
  readonly host: LinkHost
  readonly address: { readonly host: string; readonly port: number }
  readonly clientId: string
  readonly security: WireSecurity
  readonly patience: WirePatience
}

/** Largest frame a broker may send: what Kafka's `fetch.max.bytes` and one oversized batch may sum up to. Bytes. */
const FRAME_BYTES_MAX = 2 ** 31 - 1
const REQUESTS_WAITING_MAX = 4_096
/** ApiVersions that brokers of all ages answer at least with their own list. */
const API_VERSIONS_MAX = 4

/** A request that was sent or waits to be. */
interface Exchange {
  readonly api: ApiName
  readonly messages: ApiMessages
  readonly encode: (version: number) => { request: unknown; version: number }
  readonly resolve: (reply: { value: unknown; version: number }) => void
  readonly reject: (error: Error) => void
  timer: Timer
  version: number
  /** Newest version that can carry the request. */
  readonly versionCap: number
  /** Stops listening to the caller's signal. */
  unwatch?: () => void
}

export class Connection {
  readonly #options: ConnectionOptions
  readonly #machine: MachineRun<typeof connectionMachine>
  readonly #waiting = new NamedQueue<Exchange>('wire-requests', REQUESTS_WAITING_MAX)
  readonly #inFlight = new Map<number, Exchange>()
  #socket: Socket | null = null
  #splitter = new FrameSplitter({ frameBytesMax: FRAME_BYTES_MAX })
  #correlationId = 0
  #attempt = 0
  #abilities: BrokerAbilities | null = null
  #refusal: Error | null = null
  #idle: Timer | null = null
  #lastReason = 'not connected yet'

  constructor(options: ConnectionOptions) {
    this.#options = options
    const { host } = options
    this.#machine = runMachine({ trace: NO_TRACE, fail: reason => this.#failAll(asError(reason)) }, connectionMachine, {
      effects: {
        openSocket: () => this.#open(),
        askVersions: () => void this.#negotiate(),
        authenticate: () => void this.#authenticate(),
        release: () => this.#release(),
        failInFlight: ({ reason }) => this.#failInFlight(reason),
        failAll: ({ reason }) => this.#failAll(this.#refusal ?? lost(reason)),
        armBackoff: () => void host.clock.after(this.#backoff(), () => this.#backoffOver()),
        closeSocket: () => this.#closeSocket(),
      },
    })
  }

  get isReady(): boolean {
    return this.#machine.state === 'Ready'
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
   * PortError LINK_CLOSED (lost on the way), DEADLINE, ABORTED, LINK_FULL; with KafkaError when the broker lacks the API or refused us.
   */
  request<A extends ApiName>(
    api: A,
    encode: (version: number) => ApiRequest<A>,
    { deadlineMs, signal }: RequestOptions,
    versionCap = Number.POSITIVE_INFINITY,
  ): Promise<{ value: ApiResponse<A>; version: number }> {
    return new Promise((resolve, reject) => {
      const load = apiOf(apiKeyOf(api))!.load()
      load.then(messages => {
        const exchange: Exchange = {
          api,
          messages,
          encode: version => ({ request: encode(version), version }),
          resolve: resolve as Exchange['resolve'],
          reject,
          timer: this.#options.host.clock.after(deadlineMs, () => this.#overdue(exchange)),
          version: -1,
          versionCap,
        }
        if (signal) watchAbort(exchange, signal, () => this.#giveUp(exchange))
        if (signal?.aborted) this.#giveUp(exchange)
        else this.#submit(exchange)
      }, reject)
    })
  }

  close(): void {
    this.#machine.send({ type: 'close' })
  }

  #submit(exchange: Exchange): void {
    if (this.#refusal) {
      this.#settle(exchange, this.#refusal)
      return
    }
    if (this.isReady) {
      this.#send(exchange)
      return
    }
    if (!this.#waiting.push(exchange))
      this.#settle(
        exchange,
        new PortError({ code: 'LINK_FULL', message: `${REQUESTS_WAITING_MAX} requests wait for ${this.#name}` }),
      )
    this.#machine.send({ type: 'wanted' })
  }

  #release(): void {
    this.#attempt = 0
    for (let exchange = this.#waiting.shift(); exchange; exchange = this.#waiting.shift()) this.#send(exchange)
  }

  #send(exchange: Exchange): void {
    const version = chooseVersion(exchange.api, this.#abilities!, exchange.versionCap)
    if (version < 0) {
      const message = `the broker at ${this.#name} does not serve ${exchange.api} in a version that is known here`
      this.#settle(
        exchange,
        new KafkaError('ODK_UNSUPPORTED_VERSION', message, { kafkaCode: 35, kafkaName: 'UNSUPPORTED_VERSION' }),
      )
      return
    }
    this.#write(exchange, version)
  }

  #write(exchange: Exchange, version: number): void {
    this.#correlationId = (this.#correlationId + 1) & 0x7fffffff
    const correlationId = this.#correlationId
    try {
      const { request } = exchange.encode(version)
      const envelope = { correlationId, clientId: this.#options.clientId }
      const parts = encodeRequest(exchange.messages.request, version, envelope, request as never)
      exchange.version = version
      this.#inFlight.set(correlationId, exchange)
      const socket = this.#socket!
      socket.cork()
      for (const part of parts) socket.write(part)
      socket.uncork()
      this.#busy()
      // Produce with acks 0 has no reply (Kafka: the response is made up by the client).
      if (exchange.api === 'Produce' && (request as ApiRequest<'Produce'>).acks === 0)
        this.#unanswered(correlationId, exchange, request as ApiRequest<'Produce'>)
    } catch (error) {
      this.#settle(exchange, asError(error))
    }
  }

  #unanswered(correlationId: number, exchange: Exchange, { topicData }: ApiRequest<'Produce'>): void {
    this.#inFlight.delete(correlationId)
    const accepted = {
      errorCode: 0,
      baseOffset: -1,
      logAppendTimeMs: -1,
      logStartOffset: -1,
      recordErrors: [],
      errorMessage: null,
      currentLeader: { leaderId: -1, leaderEpoch: -1 },
    }
    const responses = topicData.map(({ name, topicId, partitionData }) => ({
      name,
      topicId,
      partitionResponses: partitionData.map(({ index }) => ({ index, ...accepted })),
    }))
    this.#settle(exchange, null, { responses, throttleTimeMs: 0, nodeEndpoints: [] })
  }

  #open(): void {
    const { address, security } = this.#options
    this.#splitter = new FrameSplitter({ frameBytesMax: FRAME_BYTES_MAX })
    const socket = openSocket(address, security)
    this.#socket = socket
    const lostBy = (reason: string) => {
      if (this.#socket !== socket) return
      this.#lastReason = reason
      this.#machine.send({ type: 'socket.lost', reason: `${this.#name}: ${reason}` })
    }
    socket.once(
      security.tls ? 'secureConnect' : 'connect',
      () => this.#socket === socket && this.#machine.send({ type: 'socket.opened' }),
    )
    socket.on('data', chunk => this.#socket === socket && this.#receive(chunk, lostBy))
    socket.once('error', error => lostBy(error.message))
    socket.once('close', () => lostBy('the connection was closed by the broker'))
  }

  #receive(chunk: Uint8Array, lostBy: (reason: string) => void): void {
    try {
      this.#splitter.push(chunk)
      for (let frame = this.#splitter.next(); frame; frame = this.#splitter.next()) this.#answered(frame)
    } catch (error) {
      lostBy(`the broker sent what is not a reply: ${asError(error).message}`)
    }
  }

  #answered(frame: Uint8Array): void {
    const correlationId = peekCorrelationId(frame)
    const exchange = this.#inFlight.get(correlationId)
    if (!exchange) throw new Error(`nobody waits for the reply ${correlationId}`)
    // What cannot be decoded stays in flight, so that it fails with the connection instead of waiting for its deadline.
    const response = decodeResponse(exchange.messages.response, exchange.version, frame)
    this.#inFlight.delete(correlationId)
    this.#settle(exchange, null, response)
  }

  #settle(exchange: Exchange, error: Error | null, value?: unknown): void {
    exchange.timer.cancel()
    exchange.unwatch?.()
    if (error) exchange.reject(error)
    else exchange.resolve({ value, version: exchange.version })
  }

  /** A reply that is overdue makes all later ones late too: the connection is given up, and a new one is opened when next wanted. */
  #overdue(exchange: Exchange): void {
    this.#settle(
      exchange,
      new PortError({
        code: 'DEADLINE',
        message: `no reply to ${exchange.api} from ${this.#name} in time (${this.#lastReason})`,
      }),
    )
    if (this.#isInFlight(exchange))
      this.#machine.send({ type: 'socket.lost', reason: `${this.#name} did not answer ${exchange.api} in time` })
    else this.#forget(exchange)
  }

  #giveUp(exchange: Exchange): void {
    this.#settle(exchange, new PortError({ code: 'ABORTED', message: `${exchange.api} was aborted by its caller` }))
    if (!this.#isInFlight(exchange)) this.#forget(exchange)
  }

  #isInFlight(exchange: Exchange): boolean {
    for (const other of this.#inFlight.values()) if (other === exchange) return true
    return false
  }

  #forget(exchange: Exchange): void {
    for (let left = this.#waiting.size; left > 0; left--) {
      const other = this.#waiting.shift()!
      if (other !== exchange) this.#waiting.push(other)
    }
  }

  async #negotiate(): Promise<void> {
    try {
      const response = await this.#askVersions(API_VERSIONS_MAX)
      this.#abilities = abilitiesOf(response)
      this.#machine.send({ type: 'versions.negotiated', authenticate: this.#options.security.sasl !== undefined })
    } catch (error) {
      this.#lostWhile('asking for versions', error)
    }
  }

  /** Asks in the newest version; a broker that does not know it answers in version 0 with the one it knows (KIP-511). */
  async #askVersions(version: number): Promise<ApiResponse<'ApiVersions'>> {
    const response = await this.#exchange('ApiVersions', version, {
      clientSoftwareName: 'odradek',
      clientSoftwareVersion: '0.1.0',
      clusterId: null,
      nodeId: -1,
    } as ApiRequest<'ApiVersions'>)
    if (response.errorCode !== errors.UNSUPPORTED_VERSION.code || version === 0) return response
    const known = response.apiKeys.find(({ apiKey }) => apiKey === apiKeyOf('ApiVersions'))
    return this.#askVersions(Math.min(known?.maxVersion ?? 0, version - 1))
  }

  async #authenticate(): Promise<void> {
    const sasl = this.#options.security.sasl!
    try {
      const handshake = await this.#exchange('SaslHandshake', 1, { mechanism: sasl.mechanism })
      if (handshake.errorCode !== 0)
        throw refusedBy(
          errorOf(handshake.errorCode),
          `the broker offers ${handshake.mechanisms.join(', ')}, not ${sasl.mechanism}`,
        )
      const conversation = saslConversation(sasl)
      const version = Math.max(0, chooseVersion('SaslAuthenticate', this.#abilities!))
      for (let bytes: Uint8Array | null = conversation.first(); bytes; ) {
        const answer: ApiResponse<'SaslAuthenticate'> = await this.#exchange('SaslAuthenticate', version, {
          authBytes: bytes,
        })
        if (answer.errorCode !== 0)
          throw refusedBy(errorOf(answer.errorCode), answer.errorMessage ?? 'the broker gives no reason')
        bytes = conversation.next(answer.authBytes)
      }
      this.#machine.send({ type: 'authenticated' })
    } catch (error) {
      if (error instanceof KafkaError) this.#refuse(error)
      else this.#lostWhile('authenticating', error)
    }
  }

  /** A request of the connection itself, before it is ready. */
  async #exchange<A extends ApiName>(api: A, version: number, request: ApiRequest<A>): Promise<ApiResponse<A>> {
    const messages = await apiOf(apiKeyOf(api))!.load()
    return new Promise((resolve, reject) => {
      const exchange: Exchange = {
        api,
        messages,
        encode: chosen => ({ request, version: chosen }),
        resolve: ({ value }) => resolve(value as ApiResponse<A>),
        reject,
        timer: this.#options.host.clock.after(this.#options.patience.requestTimeoutMs, () => this.#overdue(exchange)),
        version,
        versionCap: version,
      }
      this.#write(exchange, version)
    })
  }

  #refuse(error: KafkaError): void {
    this.#refusal = error
    this.#lastReason = error.message
    this.#machine.send({ type: 'refused', reason: error.message })
  }

  #lostWhile(doing: string, error: unknown): void {
    if (error instanceof PortError && error.code === 'LINK_CLOSED') return
    this.#lastReason = `${doing}: ${asError(error).message}`
    this.#machine.send({ type: 'socket.lost', reason: `${this.#name}, ${this.#lastReason}` })
  }

  #backoff(): number {
    const { reconnectBackoffMs, reconnectBackoffMaxMs } = this.#options.patience
    return backoffMs(
      { initialMs: reconnectBackoffMs, maxMs: reconnectBackoffMaxMs },
      this.#attempt++,
      this.#options.host.random.float(),
    )
  }

  #backoffOver(): void {
    this.#machine.send({ type: 'backoff.over' })
    if (this.#waiting.size > 0) this.#machine.send({ type: 'wanted' })
  }

  /** Closes the connection when nothing was sent for long (`connections.max.idle.ms`); the next request opens it again. */
  #busy(): void {
    this.#idle?.cancel()
    this.#idle = this.#options.host.clock.after(this.#options.patience.connectionsMaxIdleMs, () => {
      if (this.#inFlight.size === 0) this.#machine.send({ type: 'socket.lost', reason: `${this.#name} was idle` })
    })
  }

  #failInFlight(reason: string): void {
    const exchanges = [...this.#inFlight.values()]
    this.#inFlight.clear()
    for (const exchange of exchanges) this.#settle(exchange, lost(reason))
  }

  #failAll(error: Error): void {
    const waiting: Exchange[] = []
    for (let exchange = this.#waiting.shift(); exchange; exchange = this.#waiting.shift()) waiting.push(exchange)
    const exchanges = [...this.#inFlight.values(), ...waiting]
    this.#inFlight.clear()
    this.#refusal ??= error
    for (const exchange of exchanges) this.#settle(exchange, error)
  }

  #closeSocket(): void {
    this.#idle?.cancel()
    const socket = this.#socket
    this.#socket = null
    socket?.destroy()
  }

  get #name(): string {
    return `${this.#options.address.host}:${this.#options.address.port}`
  }
}

const NO_TRACE = { on: false, transition: () => undefined }

/** A signal may outlive thousands of requests: what listens to it leaves with the reply. */
function watchAbort(exchange: Exchange, signal: AbortSignal, giveUp: () => void): void {
  signal.addEventListener('abort', giveUp)
  exchange.unwatch = () => signal.removeEventListener('abort', giveUp)
}

function lost(reason: string): PortError {
  return new PortError({ code: 'LINK_CLOSED', message: `the connection was lost before the reply came: ${reason}` })
}

function refusedBy({ code, name }: { code: number; name: string }, reason: string): KafkaError {
  return new KafkaError('ODK_SASL_AUTHENTICATION_FAILED', `SASL authentication failed (${name}): ${reason}`, {
    kafkaCode: code,
    kafkaName: name,
    fatal: true,
  })
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown))
}
