// What comes to a shard, and what it is while it is on its way: question -> decision -> outcome, marker order -> barrier.
// Types of the runner's inside; coordinators see `shard.ts`.
import type { WriteMarkerRequest, WriteMarkerResponse } from '@odradek/shared/contracts/partition-leader.contract'
import { NO_TICKET, type Ticket } from './effects.ts'
import type { Decision, EncodedRecord, ShardDefinition, ShardTypes, WordsOf } from './shard.ts'

/** A request on its way to its handler; also how timers ask (without a ticket). */
export interface Question<T extends ShardTypes> {
  readonly kind: 'question'
  /** `onLoaded` for what the shard decides by itself after a load. */
  readonly name: WordsOf<T> | 'onLoaded'
  readonly request: any
  readonly ticket: Ticket
  /** Monotonic milliseconds until which it may wait. */
  readonly deadline: number
}

/** A transaction marker that is to be written into the shard's partition. */
export interface MarkerOrder {
  readonly kind: 'marker'
  readonly request: WriteMarkerRequest
  readonly answer: (response: WriteMarkerResponse) => void
  readonly deadline: number
}

export type Entry<T extends ShardTypes> = Question<T> | MarkerOrder

/** What a timer or a load lets the shard decide: nobody waits for an answer. */
export function ownQuestion<T extends ShardTypes>(name: Question<T>['name'], request: unknown): Question<T> {
  return { kind: 'question', name, request, ticket: NO_TICKET, deadline: Number.POSITIVE_INFINITY }
}

/** What the shard asks itself; forgotten with the state, because `onLoaded` asks anew. */
export function isOwn<T extends ShardTypes>(entry: Entry<T>): boolean {
  return entry.kind === 'question' && entry.ticket === NO_TICKET
}

/** What is to happen when a decision is committed. */
export interface Outcome<T extends ShardTypes> {
  readonly question: Question<T>
  readonly decision: Decision<T>
}

/** An append in flight and who waits for it. */
export interface Flight<T extends ShardTypes> {
  readonly outcomes: Outcome<T>[]
}

/** An append that the leader may refuse for reasons of its own: nothing is decided from when it is raised until it has passed. */
export type Barrier<T extends ShardTypes> = TransactionalBarrier<T> | MarkerBarrier

export interface TransactionalBarrier<T extends ShardTypes> extends Outcome<T> {
  readonly kind: 'transactional'
  readonly records: readonly EncodedRecord[]
  readonly timestamp: number
  sent: boolean
}

export interface MarkerBarrier {
  readonly kind: 'markers'
  readonly orders: MarkerOrder[]
  sent: boolean
}

/**
 * What was under way when the state is given up, in its order: `again` can be asked anew after the next load, because it only looked or was not sent yet; of
 * `unknown` nobody can say whether the log holds it. What the shard asked itself is in neither.
 */
export function givenUp<T extends ShardTypes>(
  outcomes: readonly Outcome<T>[],
  barrier: Barrier<T> | null,
  { handlers }: Pick<ShardDefinition<T>, 'handlers'>,
): { readonly again: readonly Entry<T>[]; readonly unknown: readonly Entry<T>[] } {
  const again: Entry<T>[] = []
  const unknown: Entry<T>[] = []
  for (const { question } of outcomes) {
    const isRead = question.name !== 'onLoaded' && handlers[question.name].kind === 'read'
    if (!isOwn(question)) (isRead ? again : unknown).push(question)
  }
  for (const entry of entriesOf(barrier)) if (!isOwn(entry)) (barrier?.sent === false ? again : unknown).push(entry)
  return { again, unknown }
}

/** Who waits for the barrier. */
function entriesOf<T extends ShardTypes>(barrier: Barrier<T> | null): readonly Entry<T>[] {
  if (barrier === null) return []
  return barrier.kind === 'markers' ? barrier.orders : [barrier.question]
}
