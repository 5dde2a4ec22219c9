// What the connections of one listener share: the door, limits, counters, fetch sessions, and the message schemas of the APIs spoken so far.
import type { ActorContext } from '@odradek/shared/actor/actor'
import type { Door } from '@odradek/shared/client/port/door'
import type { ListenerLimits } from '@odradek/shared/contracts/listener.contract'
import type { ApiMessages } from '@odradek/shared/protocol/api-table'
import type { ApiVersionsResponse } from '@odradek/shared/protocol/messages/18-api-versions'
import type { FetchSessions } from './fetch-session.rules.ts'
import type { Advertised } from './handlers/handler.ts'
import type { Route } from './request-router.ts'

/** Counted since the listener started. */
export interface ListenerCounters {
  requests: number
  bytesIn: number
  bytesOut: number
  /** Connections ended for bytes that are no request. */
  malformed: number
  /** Requests with bytes after their end, which were passed over as Kafka does. */
  leftOver: number
  /** Requests that ended their connection because they could not be answered. */
  failed: number
  accepted: number
  /** Connections refused for a limit. */
  refused: number
}

export interface ListenerRoom {
  readonly context: ActorContext
  readonly door: Door
  readonly nodeId: number
  readonly limits: ListenerLimits
  readonly counters: ListenerCounters
  readonly sessions: FetchSessions
  readonly messages: SpokenMessages
  /** Where clients of this listener find the broker; known once it listens. */
  readonly advertised: () => Advertised
  readonly apiVersions: () => ApiVersionsResponse
  /** Where all sockets read into, one after the other: borrowed from one read to the next. */
  readonly readBuffer: Uint8Array
}

/** Message schemas by route, loaded when first spoken. */
export class SpokenMessages {
  readonly #loaded = new Map<Route, ApiMessages>()

  get(route: Route): ApiMessages | undefined {
    return this.#loaded.get(route)
  }

  async load(route: Route): Promise<ApiMessages> {
    const messages = await route.api.load()
    this.#loaded.set(route, messages)
    return messages
  }
}
