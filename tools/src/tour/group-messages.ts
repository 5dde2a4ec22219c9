// What the members of the tour's group tell it, over a BroadcastChannel.
import type { Delivery } from './deliveries.rules.ts'

/** What members tell. A member is known by the id of its thread. */
export type FromMember =
  | { readonly kind: 'started'; readonly member: number; readonly worker: number }
  | { readonly kind: 'assigned' | 'revoked'; readonly member: number; readonly partitions: readonly number[] }
  | ({ readonly kind: 'processed'; readonly latenciesMs: ArrayLike<number> } & Delivery)

/** Where the channel's name is, among the environment data of threads. */
export const GROUP_CHANNEL = 'odradek-tour-group'
