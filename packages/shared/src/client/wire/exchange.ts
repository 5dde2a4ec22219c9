// One request and its reply, and the two places where requests are: waiting for the connection, or in flight on it. Used by connection only.
import type { Timer } from '../../base/clock.ts'
import { PortError } from '../../base/errors.ts'
import type { ApiName } from '../../contracts/api-map.ts'
import { type ApiMessages, apiOf } from '../../protocol/api-table.ts'
import { apiKeyOf } from './negotiation.rules.ts'

/** A request that was sent or waits to be. */
export interface Exchange {
  readonly api: ApiName
  readonly messages: ApiMessages
  /** The request in the shape of a version. */
  readonly encode: (version: number) => unknown
  readonly resolve: (reply: { value: unknown; version: number }) => void
  readonly reject: (error: Error) => void
  readonly timer: Timer
  /** The version that it was sent in. */
  version: number
  /** Newest version that can carry the request. */
  readonly versionCap: number
  /** Stops listening to the caller's signal. */
  unwatch?: () => void
}

/** Ends it: the reply's value, or an error. */
export function settle(exchange: Exchange, error: Error | null, value?: unknown): void {
  exchange.timer.cancel()
  exchange.unwatch?.()
  if (error) exchange.reject(error)
  else exchange.resolve({ value, version: exchange.version })
}

/** A signal may outlive thousands of requests: what listens to it leaves with the reply. */
export function watchAbort(exchange: Exchange, signal: AbortSignal, giveUp: () => void): void {
  signal.addEventListener('abort', giveUp)
  exchange.unwatch = () => signal.removeEventListener('abort', giveUp)
}

/** Requests without a reply, by correlation id, in the order in which they were sent. */
export class InFlight {
  readonly #exchanges = new Map<number, Exchange>()
  #correlationId = 0

  get size(): number {
    return this.#exchanges.size
  }

  /** Takes the next correlation id for it. */
  add(exchange: Exchange): number {
    this.#correlationId = (this.#correlationId + 1) & 0x7fffffff
    this.#exchanges.set(this.#correlationId, exchange)
    return this.#correlationId
  }

  remove(correlationId: number): void {
    this.#exchanges.delete(correlationId)
  }

  has(exchange: Exchange): boolean {
    for (const other of this.#exchanges.values()) if (other === exchange) return true
    return false
  }

  /** The one that a reply with this id answers. Replies come in the order of requests: any other is an error of the broker (Kafka: CorrelationIdMismatchException). */
  answeredBy(correlationId: number): Exchange {
    const [first] = this.#exchanges
    if (first === undefined) throw new Error(`nobody waits for the reply ${correlationId}`)
    if (first[0] !== correlationId) throw new Error(`reply ${correlationId} came where ${first[0]} was due`)
    return first[1]
  }

  clear(): Exchange[] {
    const all = [...this.#exchanges.values()]
    this.#exchanges.clear()
    return all
  }
}

const loaded = new Map<ApiName, ApiMessages>()

/** The schemas of an API if they are loaded; see {@link loadMessages}. */
export function messagesOf(api: ApiName): ApiMessages | undefined {
  return loaded.get(api)
}

export async function loadMessages(api: ApiName): Promise<ApiMessages> {
  const messages = await apiOf(apiKeyOf(api))!.load()
  loaded.set(api, messages)
  return messages
}

export function aborted(api: ApiName): PortError {
  return new PortError({ code: 'ABORTED', message: `${api} was aborted by its caller` })
}
