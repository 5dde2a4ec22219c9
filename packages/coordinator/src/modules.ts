// References to the actors of this package, for whoever hosts them; each is loaded only on the lane where it runs.
import { actorModule } from '@odradek/shared/actor/actor'
import { type ClusterContract, type ClusterInput, clusterContract } from '@odradek/shared/contracts/cluster.contract'
import {
  type CoordinatorContract,
  type CoordinatorInput,
  coordinatorContract,
} from '@odradek/shared/contracts/coordinator.contract'

export const clusterModule = actorModule<ClusterContract, ClusterInput>(
  clusterContract,
  new URL('./cluster/cluster.actor.ts', import.meta.url),
)

export const groupCoordinatorModule = actorModule<CoordinatorContract, CoordinatorInput>(
  coordinatorContract,
  new URL('./group/group-coordinator.actor.ts', import.meta.url),
)

export const transactionCoordinatorModule = actorModule<CoordinatorContract, CoordinatorInput>(
  coordinatorContract,
  new URL('./transaction/transaction-coordinator.actor.ts', import.meta.url),
)
