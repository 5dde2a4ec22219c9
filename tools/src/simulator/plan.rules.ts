// What a seed decides before anything runs: the cluster, who works on it, what may go wrong, and how each life of the process ends.
// Swarm testing: every seed gets a random subset of what its scenario allows, so that rare mixtures meet.
import type { Random } from '@odradek/shared/base/random'
import type { Durability } from './history.ts'

/** What may go wrong while a process lives. */
export type Trouble = 'delays' | 'closes' | 'actorDeaths' | 'laneDeaths' | 'pauses'

/** How a life of the process ends. */
export type Ending =
  /** In order: faults stop, everything settles, all is closed. */
  | 'close'
  /** SIGKILL. */
  | 'kill'
  /** The machine's power fails: what was not flushed is gone. */
  | 'powerLoss'

export interface Scenario {
  readonly name: string
  readonly summary: string
  readonly troubles: readonly Trouble[]
  readonly endings: readonly Ending[]
}

export const scenarios: readonly Scenario[] = [
  { name: 'calm', summary: 'nothing goes wrong', troubles: [], endings: ['close'] },
  {
    name: 'links',
    summary: 'links are slow, break, and reorder against each other',
    troubles: ['delays', 'closes'],
    endings: ['close'],
  },
  {
    name: 'deaths',
    summary: 'actors and threads die and stall at any message',
    troubles: ['delays', 'actorDeaths', 'laneDeaths', 'pauses'],
    endings: ['close'],
  },
  {
    name: 'restarts',
    summary: 'the process is killed and started again, with and without power loss',
    troubles: ['delays'],
    endings: ['kill', 'powerLoss', 'close'],
  },
  {
    name: 'storm',
    summary: 'everything at once (the default)',
    troubles: ['delays', 'closes', 'actorDeaths', 'laneDeaths', 'pauses'],
    endings: ['kill', 'powerLoss', 'close'],
  },
]

export interface TopicPlan {
  readonly name: string
  readonly partitions: number
  readonly durability: Durability
  /** `segment.bytes`: small, so that segments roll. */
  readonly segmentBytes: number
}

/** How a producer hands its records over. */
export type SendStyle = 'awaited' | 'outstanding' | 'enqueued' | 'arrays'

export interface ProducerPlan {
  readonly style: SendStyle
  readonly idempotent: boolean
  readonly lingerMs: number
  readonly batchSize: number
  readonly inFlightMax: number
  readonly deliveryTimeoutMs: number
  /** Records in one go, at most. */
  readonly burstMax: number
  /** Between two goes, at most; ms. */
  readonly restMax: number
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
  /** Whether partitions and topics are added meanwhile. */
  readonly churn: boolean
  readonly lives: readonly LifePlan[]
}

/** All decisions of one seed. */
export function planOf(random: Random, scenario: Scenario): Plan {
  const between = (low: number, high: number) => low + random.int(high - low + 1)
  const lives = between(1, scenario.endings.length > 1 ? 4 : 2)
  return {
    threads: between(1, 8),
    topics: Array.from({ length: between(1, 2) }, (_, n) => topicPlan(random, n)),
    producers: Array.from({ length: between(1, 3) }, () => producerPlan(random)),
    readers: between(1, 2),
    churn: random.int(3) === 0,
    lives: Array.from({ length: lives }, (_, n) => ({
      durationMs: between(300, 3_000),
      troubles: scenario.troubles.filter(() => random.int(2) === 0),
      // The last life ends in order, so that every run shows that what stopped working works again.
      ending: n === lives - 1 ? 'close' : pick(random, scenario.endings),
      seed: random.int(2 ** 31),
    })),
  }
}

function topicPlan(random: Random, n: number): TopicPlan {
  const durability = pick<Durability>(random, [
    { kind: 'everyCommit' },
    { kind: 'everyCommit' },
    { kind: 'interval', flushMs: 200 },
    { kind: 'none' },
  ])
  const segmentBytes = pick(random, [1_048_576, 1_048_576, 2_000])
  return { name: `topic-${n}`, partitions: 1 + random.int(3), durability, segmentBytes }
}

function producerPlan(random: Random): ProducerPlan {
  return {
    style: pick<SendStyle>(random, ['awaited', 'outstanding', 'outstanding', 'enqueued', 'arrays']),
    idempotent: random.int(8) !== 0,
    lingerMs: pick(random, [0, 5, 50]),
    batchSize: pick(random, [150, 1_000, 16_384]),
    inFlightMax: 1 + random.int(5),
    deliveryTimeoutMs: pick(random, [3_000, 120_000]),
    burstMax: pick(random, [1, 5, 20]),
    restMax: pick(random, [60, 200, 600]),
  }
}

export function pick<T>(random: Random, choices: readonly T[]): T {
  return choices[random.int(choices.length)]!
}
