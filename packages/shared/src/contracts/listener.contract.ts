// A listener: the network door on one address. The broker's embedding starts it; clients talk to it over TCP, actors hardly at all.
import type { Address } from '../actor/actor.ts'
import { ask, defineContract } from '../actor/contract.ts'
import type { BrokerContract } from './broker.contract.ts'

export interface ListenerAddress {
  readonly host: string
  readonly port: number
}

export const listenerContract = defineContract({
  kind: 'listener',
  asks: {
    /** Where it listens: the port that the platform chose when 0 was asked for. */
    address: ask<Record<string, never>, ListenerAddress>(),
    /** Stops accepting, lets replies that are owed leave for at most `withinMs`, then ends what is left. */
    drain: ask<{ readonly withinMs: number }, Record<string, never>>(),
  },
  tells: {},
  news: {},
})
export type ListenerContract = typeof listenerContract

/** Bounds of a listener; bytes and milliseconds. */
export interface ListenerLimits {
  /** Kafka: `socket.request.max.bytes`. */
  readonly requestBytesMax: number
  /** Kafka: `connections.max.idle.ms`. */
  readonly idleMs: number
  /** Kafka: `max.connections`, and `max.connections.per.ip`. */
  readonly connectionsMax: number
  readonly connectionsPerIpMax: number
  /** Requests and their bytes that one connection may have in flight before it is not read from. */
  readonly readAheadRequestsMax: number
  readonly readAheadBytesMax: number
  /** Bytes of replies that a client has not taken before it is not read from. */
  readonly unsentBytesMax: number
}

export interface ListenerInput {
  readonly broker: Address<BrokerContract>
  readonly nodeId: number
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  /** What clients are told, when it is not where it listens. */
  readonly advertised: ListenerAddress | null
  /** TLS: what `tls.createServer` takes (`cert`, `key`, `ca`, `requestCert`, ...), as plain data. */
  readonly tls: { readonly [name: string]: unknown } | null
  readonly limits: ListenerLimits
  /** Kafka: `max.incremental.fetch.session.cache.slots`. */
  readonly fetchSessionsMax: number
}
