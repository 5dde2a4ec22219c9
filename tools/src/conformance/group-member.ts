// What a member of a group is in the group suites, whatever client it is: it joins with one strategy, tells what it owns and reads, and leaves.

/** Kafka's assignors of the classic protocol by name, `own` for one that only this client has, or the consumer protocol (KIP-848). */
export type Strategy = 'range' | 'roundrobin' | 'sticky' | 'cooperative-sticky' | 'own' | 'consumer'

export interface MemberWish {
  readonly groupId: string
  readonly topic: string
  readonly strategy: Strategy
  /** Static membership (KIP-345). */
  readonly groupInstanceId?: string
  /** Read in order within a partition. */
  onRecord(partition: number, offset: number, value: string): void
  /** Something changed: what it owns, or it failed. */
  onChange(): void
}

export interface ForeignMember {
  owned(): readonly number[]
  /** What its client gave up with; null while it is well. */
  error(): string | null
  /** Closes the client in its orderly way; a static member stays in the group. */
  leave(): Promise<void>
}

/** A client that can be a member many times. */
export interface MemberHouse {
  join(wish: MemberWish): Promise<ForeignMember>
  close(): Promise<void>
}

/** A client that may be absent on this machine. */
export interface MemberKind {
  readonly name: string
  readonly missing: string | null
  readonly strategies: readonly Strategy[]
  /** Whether it has static membership. */
  readonly hasStatic: boolean
  open(bootstrapServers: string): Promise<MemberHouse>
}

/** Soon enough for tests. Nothing waits for the end of a session: it outlasts what a busy machine may keep a member from. */
export const HEARTBEAT_MS = 200
export const SESSION_MS = 30_000
