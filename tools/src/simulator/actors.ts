// The actors of the product that a simulation may stand in for: with a bug that a test plants, with requests that come twice or are refused, with producer
// ids that are nearly used up. All else in the simulated process is the product as it is.
import { coordinatorModules, leaderModule } from '@odradek/broker/cluster/modules'
import { actor as leader } from '@odradek/broker/partition/partition-leader.actor'
import { groupCoordinator } from '@odradek/coordinator/group/group-coordinator.actor'
import { groupShard } from '@odradek/coordinator/group/group-shard'
import { transactionCoordinator } from '@odradek/coordinator/transaction/transaction-coordinator.actor'
import { transactionShard } from '@odradek/coordinator/transaction/transaction-shard'
import { type Address, defineActor } from '@odradek/shared/actor/actor'
import type { SimulatedWorld } from '@odradek/shared/actor/simulated-host'
import { agedProducerIds } from './aged-producer-ids.ts'
import { type Echoes, echoing, echoingLeader } from './echoes.ts'
import { type Refusals, refusing, refusingLeader } from './refusals.ts'
import { type Stragglers, straggling } from './stragglers.ts'

/** Bugs that the checker must find; none of them is possible through an option of the product. */
export interface PlantedActors {
  leader?(product: typeof leader): typeof leader
  groupShard?: typeof groupShard
  transactionShard?: typeof transactionShard
}

export interface ActorChoices {
  readonly planted: PlantedActors
  readonly echoes: Echoes
  readonly refusals: Refusals
  readonly stragglers: Stragglers
  readonly agedProducerIds: boolean
  /** Told of every coordinator that starts. */
  readonly coordinatorStarted: (coordinator: Address) => void
}

/** Has the world start these actors in place of the product's. */
export function useActors(world: SimulatedWorld, choices: ActorChoices): void {
  const { planted, echoes, refusals, stragglers } = choices
  const transactions = planted.transactionShard ?? transactionShard
  const product = planted.leader?.(leader) ?? leader
  world.use(leaderModule, refusingLeader(echoingLeader(straggling(product, stragglers), echoes), refusals))
  const groups = groupCoordinator(planted.groupShard ?? groupShard)
  const transactor = transactionCoordinator(choices.agedProducerIds ? agedProducerIds(transactions) : transactions)
  world.use(coordinatorModules.group, told(refusing(echoing(groups, echoes), refusals), choices.coordinatorStarted))
  world.use(
    coordinatorModules.transaction,
    told(refusing(echoing(transactor, echoes), refusals), choices.coordinatorStarted),
  )
}

type Coordinator = ReturnType<typeof groupCoordinator>

function told(product: Coordinator, started: ActorChoices['coordinatorStarted']): Coordinator {
  return defineActor({
    ...product,
    start(context, input) {
      started(context.self)
      return product.start(context, input)
    },
  })
}
