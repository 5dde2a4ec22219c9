// What every admin call needs: the link, a deadline, and repetition of what is worth repeating.
import { KafkaError, PortError } from '../../base/errors.ts'
import { sharedAbort } from '../../base/shared-abort.ts'
import type { ApiName, ApiRequest, ApiResponse } from '../../contracts/api-map.ts'
import { errors } from '../../protocol/error-codes.ts'
import { backoffMs } from '../backoff.rules.ts'
import { callFields, optionsIn, waitMs } from '../call-input.ts'
import {
  brokerClosed,
  type ClusterDoor,
  type ClusterLink,
  type Endpoint,
  type RequestOptions,
} from '../cluster-link.ts'
import { openClusterLink } from '../open-link.ts'
import { pause } from '../pause.ts'
import { adminError } from './admin-errors.ts'
import type { ResolvedAdminOptions } from './admin-options.ts'

export interface AdminCall {
  /** Milliseconds until the call gives up with ODK_TIMEOUT. Default: `defaultApiTimeoutMs`. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

/** The same, as it is checked. */
export const adminFields = { ...callFields, timeoutMs: waitMs }

/** One attempt of a call. */
export interface Attempt {
  /** When it began, milliseconds since 1970. */
  readonly now: number
  readonly link: ClusterLink
  readonly options: RequestOptions
  /** Asks the controller. */
  controller<A extends ApiName>(api: A, request: ApiRequest<A>): Promise<ApiResponse<A>>
  /** Asks any broker. */
  any<A extends ApiName>(api: A, request: ApiRequest<A>): Promise<ApiResponse<A>>
  ask<A extends ApiName>(endpoint: Endpoint, api: A, request: ApiRequest<A>): Promise<ApiResponse<A>>
}

/** Causes that pass: elections, moved coordinators, brokers that load. Others that Kafka calls retriable, such as unknown topics, are told at once. */
const PASSING: ReadonlySet<number | undefined> = new Set([
  errors.NOT_CONTROLLER.code,
  errors.NOT_LEADER_OR_FOLLOWER.code,
  errors.LEADER_NOT_AVAILABLE.code,
  errors.FENCED_LEADER_EPOCH.code,
  errors.UNKNOWN_LEADER_EPOCH.code,
  errors.OFFSET_NOT_AVAILABLE.code,
  errors.KAFKA_STORAGE_ERROR.code,
  errors.COORDINATOR_LOAD_IN_PROGRESS.code,
  errors.COORDINATOR_NOT_AVAILABLE.code,
  errors.NOT_COORDINATOR.code,
  errors.THROTTLING_QUOTA_EXCEEDED.code,
  // A transaction that is just ending.
  errors.CONCURRENT_TRANSACTIONS.code,
])

export class AdminSession {
  readonly #door: ClusterDoor
  readonly #options: ResolvedAdminOptions
  #link: Promise<ClusterLink> | null = null
  readonly #closing = sharedAbort()

  constructor(door: ClusterDoor, options: ResolvedAdminOptions) {
    this.#door = door
    this.#options = options
  }

  /** Runs attempts until one succeeds, fails for good, or time is up. */
  async run<T>(call: AdminCall, attempt: (attempt: Attempt) => Promise<T>): Promise<T> {
    const { timeoutMs, signal } = optionsIn('an admin call', call, adminFields)
    const { clock, random } = this.#door.host
    const { defaultApiTimeoutMs, requestTimeoutMs, retryBackoffMs, retryBackoffMaxMs } = this.#options
    const deadline = clock.monotonic() + (timeoutMs ?? defaultApiTimeoutMs)
    const link = await this.#open()
    for (let tries = 0; ; tries++) {
      const leftMs = Math.max(1, Math.min(deadline - clock.monotonic(), requestTimeoutMs))
      const options = signal === undefined ? { deadlineMs: leftMs } : { deadlineMs: leftMs, signal }
      try {
        return await attempt(attemptOf(link, options, clock.now()))
      } catch (thrown) {
        const closed = thrown instanceof PortError ? brokerClosed(this.#door, thrown) : null
        if (closed !== null) throw closed
        const waitMs = backoffMs({ initialMs: retryBackoffMs, maxMs: retryBackoffMaxMs }, tries, random.float())
        const isOver = !isPassing(thrown) || clock.monotonic() + waitMs >= deadline
        if (isOver || !(await pause(clock, waitMs, signal, this.#closing.signal)))
          throw adminError(
            signal?.aborted ? new PortError({ code: 'ABORTED', message: 'the caller gave it up' }) : thrown,
          )
      }
    }
  }

  async close(): Promise<void> {
    this.#closing.abort()
    const link = await this.#link
    await link?.close()
    await this.#door.release?.()
  }

  #open(): Promise<ClusterLink> {
    if (this.#closing.signal.aborted) throw new KafkaError('ODK_ADMIN_CLOSED', 'the admin is closed')
    this.#link ??= openClusterLink(this.#door.host, this.#door.link)
    return this.#link
  }
}

function attemptOf(link: ClusterLink, options: RequestOptions, now: number): Attempt {
  return {
    now,
    link,
    options,
    controller: async (api, request) => link.request(await link.controller(options), api, request, options),
    any: async (api, request) => link.request(await link.anyEndpoint(options), api, request, options),
    ask: (endpoint, api, request) => link.request(endpoint, api, request, options),
  }
}

function isPassing(thrown: unknown): boolean {
  if (thrown instanceof PortError) return thrown.code === 'LINK_CLOSED' || thrown.code === 'UNREACHABLE'
  return thrown instanceof KafkaError && PASSING.has(thrown.kafkaCode)
}

/** Throws when the code is one that passes, so that the whole call is tried again. */
export function retryWhilePassing(error: KafkaError | null): void {
  if (error !== null && PASSING.has(error.kafkaCode)) throw error
}
