// What a handler of the network door is: takes a request as its version shapes it, asks the door in the newest shape, and gives the reply as the version
// shapes it. Decoding and encoding are not its business.

import type { Caller, Door } from '@odradek/shared/client/port/door'
import type { ApiName, ApiRequest, ApiResponse } from '@odradek/shared/contracts/api-map'
import type { ApiVersionsResponse } from '@odradek/shared/protocol/messages/18-api-versions'
import type { FetchSessions } from '../fetch-session.rules.ts'

/** Where clients of this listener find the broker. */
export interface Advertised {
  readonly host: string
  readonly port: number
}

export interface HandlerContext {
  readonly door: Door
  readonly caller: Caller
  readonly advertised: Advertised
  readonly sessions: FetchSessions
  readonly nodeId: number
  /** ApiVersions' answer, computed once from the router. */
  readonly apiVersions: () => ApiVersionsResponse
}

/** Resolves with null when the request gets no response (Produce with acks 0). Rejects to close the connection. */
export type Handler<A extends ApiName> = (
  request: ApiRequest<A>,
  context: HandlerContext,
) => Promise<ApiResponse<A> | null>
