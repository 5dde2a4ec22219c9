// A broker that does what a test says, at the other end of sockets in memory, under a clock that the test moves: connections, frames and time, nothing real.
import { Duplex } from 'node:stream'
import type { Clock } from '../../base/clock.ts'
import { limits } from '../../base/limits.ts'
import type { Random } from '../../base/random.ts'
import type { ApiName, ApiRequest, ApiResponse } from '../../contracts/api-map.ts'
import { apiOf, apiTable } from '../../protocol/api-table.ts'
import { decodeRequest, encodeResponse, peekRequestHeader, type RequestHeader } from '../../protocol/frame.ts'
import { FrameSplitter } from '../../protocol/frame-splitter.ts'
import type { LinkHost } from '../cluster-link.ts'
import { loadMessages } from './exchange.ts'
import type { OpenSocket } from './open-socket.ts'

/** A clock that stands until it is moved. */
export class HandClock implements Clock {
  #nowMs = 1_000
  #timers: { readonly at: number; readonly fire: () => void }[] = []

  now(): number {
    return this.#nowMs
  }

  monotonic(): number {
    return this.#nowMs
  }

  after(delayMs: number, fire: () => void) {
    const timer = { at: this.#nowMs + Math.max(0, delayMs), fire }
    this.#timers.push(timer)
    return { cancel: () => void this.#forget(timer) }
  }

  /** Delays of the timers that are armed. */
  get armed(): readonly number[] {
    return this.#timers.map(({ at }) => at - this.#nowMs).toSorted((a, b) => a - b)
  }

  /** Moves on; timers fire in order, and what they cause happens before the next. */
  async advance(ms: number): Promise<void> {
    const until = this.#nowMs + ms
    await settled()
    for (;;) {
      const due = this.#timers.filter(({ at }) => at <= until).toSorted((a, b) => a.at - b.at)[0]
      if (due === undefined) break
      this.#nowMs = Math.max(this.#nowMs, due.at)
      this.#forget(due)
      due.fire()
      await settled()
    }
    this.#nowMs = until
  }

  #forget(timer: { readonly at: number }): void {
    this.#timers = this.#timers.filter(other => other !== timer)
  }
}

/** Loads all schemas: what is loaded later comes at a time of its own, which no script can wait for. */
export async function schemasLoaded(): Promise<void> {
  await Promise.all(apiTable.filter(({ known }) => known).map(({ name }) => loadMessages(name as ApiName)))
}

/** Lets promises, ticks and streams come to rest. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 8; turn++) await new Promise(resolve => setImmediate(resolve))
}

/** Chance without chance: jitter of 0. */
export const evenRandom = { float: () => 0.5, int: () => 0 } as unknown as Random

export function handHost(clock: HandClock): LinkHost {
  const log = { debug() {}, info() {}, warn() {}, error() {} }
  return { clock, random: evenRandom, log, limits, link: undefined as never }
}

class MemorySocket extends Duplex {
  readonly #sent: (bytes: Buffer) => void

  constructor(sent: (bytes: Buffer) => void) {
    super({ allowHalfOpen: false })
    this.#sent = sent
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#sent(chunk)
    done()
  }
}

export interface ReceivedRequest {
  readonly api: ApiName
  readonly header: RequestHeader
  readonly body: never
}

/** What a broker answers: the reply's value, bytes as they are, or null for silence. */
export type Answer = (request: never, header: RequestHeader) => object | Uint8Array | null | Promise<object | null>

type Versions = { readonly [api in ApiName]?: readonly [min: number, max: number] }

/** One connection as the broker sees it. */
export class BrokerSocket {
  readonly socket: MemorySocket
  readonly received: ReceivedRequest[] = []
  readonly #splitter = new FrameSplitter({ frameBytesMax: 2 ** 30 })
  readonly #broker: ScriptedBroker
  #serving = Promise.resolve()

  constructor(broker: ScriptedBroker) {
    this.#broker = broker
    this.socket = new MemorySocket(bytes => this.#take(bytes))
  }

  accept(): void {
    this.socket.emit('connect')
  }

  /** The connection ends; with an error's code as the system would say it. */
  end(code?: string): void {
    if (code === undefined) this.socket.destroy()
    else this.socket.destroy(Object.assign(new Error(`connect ${code}`), { code, syscall: 'connect' }))
  }

  get isClosed(): boolean {
    return this.socket.destroyed
  }

  apis(): readonly string[] {
    return this.received.map(({ api }) => api)
  }

  /** Sends bytes as they are. */
  say(bytes: Uint8Array): void {
    this.socket.push(Buffer.from(bytes))
  }

  /** A reply's frame. */
  async frameOf(header: RequestHeader, value: object, version = header.apiVersion): Promise<Buffer> {
    const { response } = await apiOf(header.apiKey)!.load()
    return Buffer.concat(encodeResponse(response, version, header.correlationId, value as never))
  }

  #take(bytes: Buffer): void {
    this.#splitter.push(Buffer.from(bytes))
    for (let frame = this.#splitter.next(); frame; frame = this.#splitter.next()) {
      const next = frame
      this.#serving = this.#serving.then(() => this.#serve(next))
    }
  }

  async #serve(frame: Uint8Array): Promise<void> {
    const header = peekRequestHeader(frame)
    const api = apiOf(header.apiKey)!
    const { request } = await api.load()
    const body = decodeRequest(request, header, frame) as never
    const name = api.name as ApiName
    this.received.push({ api: name, header, body })
    const answer = await this.#broker.answerOf(name)?.(body, header)
    if (!answer || this.isClosed) return
    this.say(answer instanceof Uint8Array ? answer : await this.frameOf(header, answer))
  }
}

/** Takes connections at every address, and answers by script; ApiVersions is answered from `versions` unless the script does. */
export class ScriptedBroker {
  readonly sockets: BrokerSocket[] = []
  readonly addresses: string[] = []
  versions: Versions = {}
  features: readonly { readonly name: string; readonly maxVersionLevel: number; readonly minVersionLevel: number }[] =
    []
  /** What happens to a connection: taken at once by default. */
  onConnect: (socket: BrokerSocket, address: string) => void = socket => socket.accept()
  readonly #answers = new Map<ApiName, Answer>()

  readonly openSocket: OpenSocket = ({ host, port }) => {
    const socket = new BrokerSocket(this)
    this.sockets.push(socket)
    this.addresses.push(`${host}:${port}`)
    process.nextTick(() => this.onConnect(socket, `${host}:${port}`))
    return socket.socket
  }

  on<A extends ApiName>(
    api: A,
    answer: (
      request: ApiRequest<A>,
      header: RequestHeader,
    ) => Partial<ApiResponse<A>> | Uint8Array | null | Promise<Partial<ApiResponse<A>> | null>,
  ): this {
    this.#answers.set(api, answer as Answer)
    return this
  }

  get last(): BrokerSocket {
    return this.sockets.at(-1)!
  }

  answerOf(api: ApiName): Answer | undefined {
    return this.#answers.get(api) ?? (api === 'ApiVersions' ? () => this.apiVersions() : undefined)
  }

  /** What ApiVersions is answered with, from `versions` and `features`. */
  apiVersions(): object {
    const apiKeys = apiTable.flatMap(({ key, name, versionMin, versionStableMax }) => {
      const [minVersion, maxVersion] = this.versions[name as ApiName] ?? [versionMin, versionStableMax]
      return maxVersion < 0 ? [] : [{ apiKey: key, minVersion, maxVersion }]
    })
    return {
      errorCode: 0,
      apiKeys,
      throttleTimeMs: 0,
      supportedFeatures: [],
      finalizedFeaturesEpoch: -1,
      finalizedFeatures: this.features,
      zkMigrationReady: false,
    }
  }
}

/** A Metadata reply with these brokers and topics. */
export function metadataReply(
  brokers: readonly { readonly nodeId: number; readonly port: number }[],
  topics: readonly {
    readonly name: string
    readonly leaders: readonly (readonly [leaderId: number, leaderEpoch: number])[]
    readonly topicId?: string
    readonly errorCode?: number
  }[] = [],
): ApiResponse<'Metadata'> {
  return {
    throttleTimeMs: 0,
    brokers: brokers.map(({ nodeId, port }) => ({ nodeId, host: '10.0.0.1', port, rack: null })),
    clusterId: 'scripted',
    controllerId: brokers[0]?.nodeId ?? -1,
    topics: topics.map(({ name, leaders, topicId = 'AAAAAAAAAAAAAAAAAAAAAQ', errorCode = 0 }) => ({
      errorCode,
      name,
      topicId,
      isInternal: false,
      partitions: leaders.map(([leaderId, leaderEpoch], partitionIndex) => ({
        errorCode: 0,
        partitionIndex,
        leaderId,
        leaderEpoch,
        replicaNodes: [leaderId],
        isrNodes: [leaderId],
        offlineReplicas: [],
      })),
      topicAuthorizedOperations: -2147483648,
    })),
    clusterAuthorizedOperations: -2147483648,
    errorCode: 0,
  } as unknown as ApiResponse<'Metadata'>
}
