// The door of @odradek/broker: what other packages and users may import by name.
export { type BrokerTicket, type JoinedBroker, joinBroker } from '@odradek/shared/client/join-broker'
export { type Broker, createBroker } from './create-broker.ts'
export type { BrokerOptions, ListenOptions, TopicOptions } from './options.ts'
