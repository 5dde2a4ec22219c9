// References to the actors that a broker starts; loaded only on the lane where one runs.
import { groupCoordinatorModule, transactionCoordinatorModule } from '@odradek/coordinator/modules'
import { actorModule } from '@odradek/shared/actor/actor'
import { type BrokerContract, brokerContract } from '@odradek/shared/contracts/broker.contract'
import {
  type ListenerContract,
  type ListenerInput,
  listenerContract,
} from '@odradek/shared/contracts/listener.contract'
import {
  type PartitionLeaderContract,
  type PartitionLeaderInput,
  partitionLeader,
} from '@odradek/shared/contracts/partition-leader.contract'
import type { BrokerInput } from '../broker.actor.ts'
import type { CoordinatorModules } from './coordinator-host.ts'

export const brokerModule = actorModule<BrokerContract, BrokerInput>(
  brokerContract,
  new URL('../broker.actor.ts', import.meta.url),
)

export const listenerModule = actorModule<ListenerContract, ListenerInput>(
  listenerContract,
  new URL('../wire/listener.actor.ts', import.meta.url),
)

export const leaderModule = actorModule<PartitionLeaderContract, PartitionLeaderInput>(
  partitionLeader,
  new URL('../partition/partition-leader.actor.ts', import.meta.url),
)

export const coordinatorModules: CoordinatorModules = {
  group: groupCoordinatorModule,
  transaction: transactionCoordinatorModule,
}
