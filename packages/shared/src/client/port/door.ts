// One door into an embedded broker: takes any Kafka request as a value, asks whoever owns it (leaders, coordinators, the broker), and
// returns the API's reply. The port link is a door for one client; the listener opens one for its connections. Holds no state of requests.
import type { ApiName, ApiRequest, ApiResponse } from '../../contracts/api-map.ts'
import type { LinkHost, LinkInput, RequestOptions } from '../cluster-link.ts'
import { BrokerLine } from './broker-line.ts'
import { coordinatorApis } from './coordinator-apis.ts'
import { CoordinatorDirectory } from './coordinator-directory.ts'
import { leaderApis } from './leader-apis.ts'
import { LeaderDirectory } from './leader-directory.ts'

/** Who asks: some rules depend on it. */
export interface Caller extends RequestOptions {
  /** The version the client spoke of this API; in-process clients: the newest. */
  readonly apiVersion: number
  readonly clientId: string
  /** As Kafka prints it, `/127.0.0.1`; in-process `/in-process`. */
  readonly clientHost: string
  /** True: takes the records of a fetch in lent buffers, and gives them back (`base/lent-buffers`). */
  readonly givesBack?: boolean
}

export interface Door {
  readonly host: LinkHost
  readonly broker: BrokerLine
  readonly leaders: LeaderDirectory
  readonly coordinators: CoordinatorDirectory
}

/** How a door answers one API. */
export type Answer<A extends ApiName> = (door: Door, request: ApiRequest<A>, caller: Caller) => Promise<ApiResponse<A>>
/** Answers by API name; what is missing is the broker's. */
export type Answers = { readonly [A in ApiName]?: Answer<A> }

/** `near`: the lane of whoever opens it, for leaders that would rather run there (see `LinkInput`). */
export function openDoor(host: LinkHost, broker: Extract<LinkInput, { kind: 'port' }>['broker'], near?: number): Door {
  const line = new BrokerLine(host, broker)
  return {
    host,
    broker: line,
    leaders: new LeaderDirectory(host, line, near),
    coordinators: new CoordinatorDirectory(host, line),
  }
}

/** Answers any API. Rejects with PortError when the broker itself is gone. */
export async function answer<A extends ApiName>(
  door: Door,
  api: A,
  request: ApiRequest<A>,
  caller: Caller,
): Promise<ApiResponse<A>> {
  const own = (leaderApis[api] ?? coordinatorApis[api]) as Answer<A> | undefined
  if (own) return own(door, request, caller)
  const options = caller.signal
    ? { deadlineMs: caller.deadlineMs, signal: caller.signal }
    : { deadlineMs: caller.deadlineMs }
  if (api === 'Metadata')
    return (await door.broker.link.ask('metadata', request as ApiRequest<'Metadata'>, options)) as ApiResponse<A>
  const { response } = await door.broker.link.ask('request', { api, request }, options)
  return response as ApiResponse<A>
}

export function closeDoor(door: Door): void {
  door.leaders.close()
  door.coordinators.close()
  door.broker.close()
}
