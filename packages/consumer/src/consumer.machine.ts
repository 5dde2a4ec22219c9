// How a consumer knows what to read (Kafka's SubscriptionType), and how it ends. The actor sends it the caller's wishes; partitions and records
// never pass through it.
//
//            partitions.assigned                    topics.subscribed
//        +---------------------- Idle -----------------------------+
//        v      unsubscribed  ^        ^     unsubscribed           v
//     Assigned ---------------+        +----------------------- Subscribed
//        |                                                          |
//        +----------------> Closing <-------------------------------+     close.requested (also from Idle)
//                              | closed
//                              v
//                           Closed
import { effect } from '@odradek/shared/actor/machine-runner'
import type { Subscription, TopicPartition } from '@odradek/shared/contracts/consumer.contract'
import { setup } from 'xstate'

/** A partition to read, from an offset if the caller knows one. */
export type ManualPartition = TopicPartition & { readonly offset?: number }

export type ConsumerEvent =
  | { readonly type: 'partitions.assigned'; readonly partitions: readonly ManualPartition[] }
  | { readonly type: 'topics.subscribed'; readonly subscription: Subscription }
  /** Nothing is assigned any more: the group was left, or the caller dropped its assignment. */
  | { readonly type: 'unsubscribed' }
  | { readonly type: 'close.requested' }
  | { readonly type: 'closed' }

const vocabulary = setup({
  types: {
    events: {} as ConsumerEvent,
    /** `assignable`, `subscribable`: what the caller may do; mixing the two is refused (Kafka's rule). */
    tags: {} as 'assignable' | 'subscribable',
  },
  actions: {
    /** Reads exactly these partitions from now on. */
    replaceAssignment: effect<{ readonly partitions: readonly ManualPartition[] }>(),
    /** Joins the group, or changes what the member asks for. */
    subscribe: effect<{ readonly subscription: Subscription }>(),
    /** Stops fetching and commits; then `closed`. */
    finish: effect(),
    refuse: effect(),
  },
})

const replaceAssignment = {
  type: 'replaceAssignment',
  params: ({ event }: { event: { partitions: readonly ManualPartition[] } }) => ({ partitions: event.partitions }),
} as const
const dropAssignment = { type: 'replaceAssignment', params: { partitions: [] } } as const
const subscribe = {
  type: 'subscribe',
  params: ({ event }: { event: { subscription: Subscription } }) => ({ subscription: event.subscription }),
} as const

/**
 * States:
 * - Idle: nothing is read, the consumer is in no group's membership.
 * - Assigned: reads what the caller assigned; commits, if there is a group id, carry no member.
 * - Subscribed: the membership decides what is read.
 * - Closing: the caller wants to end; the hooks of revocation run, offsets are committed, the group is left.
 * - Closed: the end.
 */
export const consumerMachine = vocabulary.createMachine({
  id: 'consumer',
  initial: 'Idle',
  on: { '*': { actions: 'refuse' } },
  states: {
    Idle: {
      tags: ['assignable', 'subscribable'],
      on: {
        'partitions.assigned': { target: 'Assigned', actions: replaceAssignment },
        'topics.subscribed': { target: 'Subscribed', actions: subscribe },
        unsubscribed: {},
        'close.requested': 'Closing',
      },
    },
    Assigned: {
      tags: ['assignable'],
      on: {
        'partitions.assigned': { actions: replaceAssignment },
        unsubscribed: { target: 'Idle', actions: dropAssignment },
        'close.requested': 'Closing',
      },
    },
    Subscribed: {
      tags: ['subscribable'],
      on: {
        'topics.subscribed': { actions: subscribe },
        unsubscribed: 'Idle',
        'close.requested': 'Closing',
      },
    },
    Closing: { entry: 'finish', on: { closed: 'Closed' } },
    Closed: { type: 'final' },
  },
})
