// References to the actors that a broker starts; loaded only on the lane where one runs.
import { actorModule } from '@odradek/shared/actor/actor'
import { type BrokerContract, brokerContract } from '@odradek/shared/contracts/broker.contract'
import { type ClusterContract, type ClusterInput, clusterContract } from '@odradek/shared/contracts/cluster.contract'
import {
  type CoordinatorContract,
  type CoordinatorInput,
  coordinatorContract,
} from '@odradek/shared/contracts/coordinator.contract'
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

const inCoordinatorPackage = (path: string) => new URL(import.meta.resolve(`@odradek/coordinator/${path}`))

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

export const clusterModule = actorModule<ClusterContract, ClusterInput>(
  clusterContract,
  inCoordinatorPackage('cluster/cluster.actor'),
)

const coordinatorModule = (path: string) =>
  actorModule<CoordinatorContract, CoordinatorInput>(coordinatorContract, inCoordinatorPackage(path))

export const coordinatorModules: CoordinatorModules = {
  group: coordinatorModule('group/group-coordinator.actor'),
  transaction: coordinatorModule('transaction/transaction-coordinator.actor'),
}
