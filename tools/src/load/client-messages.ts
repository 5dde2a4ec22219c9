// What the load tool's main thread and its client threads say to each other, over one port per client.
import type { MessagePort } from 'node:worker_threads'
import type { BrokerTicket } from '@odradek/shared/client/join-broker'
import type { LatencyKind } from './latencies.ts'
import type { LoadPlan } from './load-plan.ts'
import type { MeasuredClient } from './load-result.rules.ts'

/** Where the cluster is: the ticket of an embedded broker, or client options of a cluster over TCP. */
export type LoadTarget =
  | { readonly kind: 'embedded'; readonly ticket: BrokerTicket }
  | {
      readonly kind: 'wire'
      readonly options: { readonly bootstrapServers: string; readonly [option: string]: unknown }
    }

export interface ClientTask {
  readonly role: 'produce' | 'consume'
  /** Counts within its role from 0. */
  readonly worker: number
  readonly plan: LoadPlan
  readonly target: LoadTarget
  readonly port: MessagePort
  /** Live counters, one Float64 each: see {@link counters}. */
  readonly counters: SharedArrayBuffer
  /** Consumers: what to read. */
  readonly partitions: readonly { readonly partition: number; readonly start: number }[]
}

/** Places in the live counters of one client. */
export const counters = { sent: 0, done: 1, bytes: 2, length: 3 } as const

export type ToClient =
  /** Begin: `startMs` is when sending starts, `measureMs` when warm-up is over; milliseconds since 1970. */
  | { readonly type: 'go'; readonly startMs: number; readonly measureMs: number }
  /** Consumers: what was sent ends here, per partition. */
  | { readonly type: 'ends'; readonly ends: readonly number[] }
  | { readonly type: 'stop' }

export type FromClient = { readonly type: 'ready' }

/** A histogram, encoded so that it can be added to others; null when nothing was recorded. */
export type EncodedLatencies = string | null

/** What a client measured. */
export interface ClientResult extends MeasuredClient {
  readonly latencies: { readonly [kind in LatencyKind]?: EncodedLatencies }
}
