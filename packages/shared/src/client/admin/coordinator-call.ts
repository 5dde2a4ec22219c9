// Requests that belong to the coordinator of a group or of a transactional id: finds it, and forgets it when it has moved, so that the next attempt looks
// for it again.
import { PortError } from '../../base/errors.ts'
import type { ApiName, ApiRequest, ApiResponse } from '../../contracts/api-map.ts'
import { errors } from '../../protocol/error-codes.ts'
import { brokerError } from './admin-errors.ts'
import { type Attempt, retryWhilePassing } from './admin-session.ts'

export interface CoordinatorKey {
  readonly kind: 'group' | 'transaction'
  readonly key: string
}

const MOVED: ReadonlySet<number> = new Set([errors.NOT_COORDINATOR.code, errors.COORDINATOR_NOT_AVAILABLE.code])

/** Asks the coordinator. `codes` gives the error codes of a reply: one that passes makes the whole call repeat; others are the caller's. */
export async function askCoordinator<A extends ApiName>(
  { link, options }: Attempt,
  { kind, key }: CoordinatorKey,
  api: A,
  request: ApiRequest<A>,
  codes: (response: ApiResponse<A>) => readonly number[],
): Promise<ApiResponse<A>> {
  const endpoint = await link.coordinator(kind, key, options)
  const response = await link.request(endpoint, api, request, options).catch(thrown => {
    if (thrown instanceof PortError) link.forgetCoordinator(kind, key)
    throw thrown
  })
  for (const code of codes(response)) {
    if (MOVED.has(code)) link.forgetCoordinator(kind, key)
    retryWhilePassing(brokerError(key, code))
  }
  return response
}

/** An API that every broker answers a part of. */
export async function askEveryBroker<A extends ApiName>(
  { link, options }: Attempt,
  api: A,
  request: ApiRequest<A>,
): Promise<readonly ApiResponse<A>[]> {
  const endpoints = await link.everyEndpoint(options)
  return Promise.all(endpoints.map(endpoint => link.request(endpoint, api, request, options)))
}
