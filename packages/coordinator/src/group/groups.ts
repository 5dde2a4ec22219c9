// The state of one group shard: groups and offsets by group id. Changed by `replayGroupRecord` (what the log says) and by soft changes
// (who waits for what). Read by all rules of this room.

import type { Random } from '@odradek/shared/base/random'
import type { Verification } from '@odradek/shared/contracts/partition-leader.contract'
import type { Ticket } from '../runtime/effects.ts'
import type { ClassicGroup } from './classic-group.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import type { GroupSettings } from './group-settings.ts'
import { noOffsets, type Offsets } from './offsets.ts'
import type { Topics } from './topic-view.ts'

export type Group = ClassicGroup | ConsumerGroup

export interface Groups {
  readonly groups: Map<string, Group>
  readonly offsets: Offsets
}

export function noGroups(): Groups {
  return { groups: new Map(), offsets: noOffsets() }
}

/** What every rule of this room is given besides state and request. */
export interface GroupContext {
  readonly settings: GroupSettings
  readonly topics: Topics
  /** Dynamic configs of a group (`consumer.session.timeout.ms`, ...). */
  readonly groupConfigs: (groupId: string) => { readonly [name: string]: string }
  /** Ms since 1970. */
  readonly now: number
  readonly random: Random
  readonly ticket: Ticket
}

/** What a request of Kafka's brings besides itself. */
export interface Asked<Request> {
  readonly request: Request
  readonly apiVersion: number
  readonly clientId: string
  readonly clientHost: string
  /** The leader's guard for a transactional append, when it wants one (KIP-890). */
  readonly verification?: Verification
}
