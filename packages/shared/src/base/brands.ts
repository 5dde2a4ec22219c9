// Numbers that must not be mixed up get a brand at compile time and nothing at run time.
// int64 values of Kafka are JS numbers inside the house (exact to 2^53 - 1); only the public client API shows offsets as bigint.

declare const brand: unique symbol
type Branded<T, B extends string> = T & { readonly [brand]: B }

/** Position of a record in a partition's log, >= 0. */
export type Offset = Branded<number, 'Offset'>
/** Kafka's leader epoch: grows with every new leadership of a partition; -1 means unknown. */
export type LeaderEpoch = Branded<number, 'LeaderEpoch'>
/** Id of an idempotent or transactional producer; -1 means none. */
export type ProducerId = Branded<number, 'ProducerId'>
/** Fencing number of a producer id, int16; -1 means none. */
export type ProducerEpoch = Branded<number, 'ProducerEpoch'>
/** Sequence number of a record within (producer id, epoch, partition), wraps after 2^31 - 1 to 0; -1 means none. */
export type Sequence = Branded<number, 'Sequence'>
/** Milliseconds since 1970 (wall clock), as Kafka's timestamps. */
export type TimestampMs = Branded<number, 'TimestampMs'>
/** Kafka topic id: a UUID in Kafka's 22-character base64url form. */
export type TopicId = Branded<string, 'TopicId'>

export const NO_PRODUCER_ID = -1 as ProducerId
export const NO_PRODUCER_EPOCH = -1 as ProducerEpoch
export const NO_SEQUENCE = -1 as Sequence
export const NO_LEADER_EPOCH = -1 as LeaderEpoch
export const NO_TIMESTAMP = -1 as TimestampMs
/** The uuid of sixteen zero bytes: "no topic id" on the wire. */
export const ZERO_TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAA' as TopicId
