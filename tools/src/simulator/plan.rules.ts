// What a seed decides before anything runs: the cluster, who works on it, what may go wrong, and how each life of the process ends.
// Swarm testing: every seed gets a random subset of what its scenario and weather allow, so that rare mixtures meet.
import type { Random } from '@odradek/shared/base/random'
import {
  type GroupPlan,
  groupPlan,
  type PipelinePlan,
  type ProducerPlan,
  pick,
  pipelinePlan,
  producerPlan,
  SESSIONS_MS,
  type TransactorPlan,
  transactorPlans,
} from './client-plans.rules.ts'
import type { Durability } from './history.ts'
import type { Ending, Scenario, TopicUse, Trouble, Weather } from './scenarios.rules.ts'

export interface TopicPlan {
  readonly name: string
  readonly use: TopicUse
  readonly partitions: number
  readonly durability: Durability
  /** `segment.bytes`: small, so that segments roll. */
  readonly segmentBytes: number
}

export interface LifePlan {
  readonly durationMs: number
  readonly troubles: readonly Trouble[]
  readonly ending: Ending
  /** Decides faults and work within the life. */
  readonly seed: number
}

export interface Plan {
  readonly threads: number
  readonly topics: readonly TopicPlan[]
  readonly producers: readonly ProducerPlan[]
  readonly readers: number
  readonly groups: readonly GroupPlan[]
  readonly transactors: readonly TransactorPlan[]
  readonly pipelines: readonly PipelinePlan[]
  /** Whether topics come and go, grow, and change their configs meanwhile. */
  readonly churn: boolean
  /** New producer ids are given out with nearly all of their epochs used up. */
  readonly agedProducerIds: boolean
  /** Broker configs. */
  readonly configs: { readonly [name: string]: string }
  readonly lives: readonly LifePlan[]
}

/** All decisions of one seed. */
export function planOf(random: Random, scenario: Scenario, weather: Weather): Plan {
  const between = (low: number, high: number) => low + random.int(high - low + 1)
  const has = (use: TopicUse) => scenario.uses.includes(use)
  const isCoordinated = scenario.hasGroups || has('transactions') || has('input')
  // What coordinators wrote is judged whole: either every commit is flushed, or the power stays on.
  const isDurable = isCoordinated && random.int(2) === 0
  const endings = weather.endings.filter(ending => ending !== 'powerLoss' || isDurable || !isCoordinated)
  const durability = isDurable ? ({ kind: 'everyCommit' } as const) : isCoordinated ? ({ kind: 'none' } as const) : null
  const writes = has('records') || has('input')
  const consumerSessionMs = pick(random, SESSIONS_MS)
  const lives = between(1, endings.length > 1 ? 4 : 2)
  return {
    threads: between(1, 8),
    topics: topicPlans(random, scenario, durability),
    producers: Array.from({ length: writes ? between(1, isCoordinated ? 2 : 3) : 0 }, () =>
      producerPlan(random, isCoordinated),
    ),
    readers: scenario.hasReaders ? between(1, 2) : 0,
    groups: Array.from({ length: scenario.hasGroups ? between(1, 2) : 0 }, (_, n) =>
      groupPlan(random, n, consumerSessionMs),
    ),
    transactors: has('transactions') ? transactorPlans(random) : [],
    pipelines: has('input') ? [pipelinePlan(random)] : [],
    churn: random.int(3) === 0,
    agedProducerIds: random.int(3) === 0,
    configs: brokerConfigs(random, isDurable, consumerSessionMs),
    lives: Array.from({ length: lives }, (_, n) => ({
      durationMs: isCoordinated ? between(500, 6_000) : between(300, 3_000),
      troubles: weather.troubles.filter(() => random.int(2) === 0),
      // The last life ends in order, so that every run shows that what stopped working works again.
      ending: n === lives - 1 ? 'close' : pick(random, endings),
      seed: random.int(2 ** 31),
    })),
  }
}

function topicPlans(random: Random, { uses }: Scenario, durability: Durability | null): TopicPlan[] {
  const plans: TopicPlan[] = []
  for (const use of uses) {
    const count = use === 'records' || use === 'transactions' ? 1 + random.int(2) : 1
    for (let n = 0; n < count; n++) {
      const name = use === 'records' ? `topic-${n}` : use === 'transactions' ? `ledger-${n}` : use
      plans.push({
        name,
        use,
        partitions: 1 + random.int(use === 'records' ? 3 : 4),
        durability: durability ?? anyDurability(random),
        // A batch of a pipeline must fit.
        segmentBytes: pick(random, [1_048_576, 1_048_576, use === 'records' ? 2_000 : 20_000]),
      })
    }
  }
  return plans
}

function anyDurability(random: Random): Durability {
  return pick<Durability>(random, [
    { kind: 'everyCommit' },
    { kind: 'everyCommit' },
    { kind: 'interval', flushMs: 200 },
    { kind: 'none' },
  ])
}

/** Small and quick, so that much happens in little time. */
function brokerConfigs(
  random: Random,
  isDurable: boolean,
  consumerSessionMs: number,
): { readonly [name: string]: string } {
  return {
    'offsets.topic.num.partitions': String(1 + random.int(3)),
    'transaction.state.log.num.partitions': String(1 + random.int(3)),
    'transaction.abort.timed.out.transaction.cleanup.interval.ms': '500',
    'group.initial.rebalance.delay.ms': pick(random, ['0', '50']),
    'group.min.session.timeout.ms': '100',
    'group.consumer.min.session.timeout.ms': '100',
    'group.consumer.min.heartbeat.interval.ms': '50',
    'group.consumer.session.timeout.ms': String(consumerSessionMs),
    'group.consumer.heartbeat.interval.ms': '200',
    ...(isDurable ? { 'log.flush.interval.messages': '1' } : {}),
  }
}
