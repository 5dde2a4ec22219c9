// The door of @odradek/broker: what other packages and users may import by name.

export type { Address, Log } from '@odradek/shared/actor/actor'
export type { ActorListing } from '@odradek/shared/actor/system-core'
export type { TraceEvent } from '@odradek/shared/actor/trace'
export type { TraceFilter } from '@odradek/shared/actor/trace-ring'
export { type BrokerTicket, type JoinedBroker, joinBroker } from '@odradek/shared/client/join-broker'
export { type Broker, createBroker } from './create-broker.ts'
export type { BrokerOptions, ListenOptions, TopicOptions } from './options.ts'
