// The two choices of whoever runs the simulator: what clients do (scenario) and what may go wrong meanwhile (weather). Named on the command
// line; what a seed makes of them is in plan.rules.

/** What may go wrong while a process lives. */
export type Trouble =
  | 'delays'
  | 'closes'
  | 'actorDeaths'
  | 'laneDeaths'
  | 'pauses'
  /** Requests that change something arrive a second time, late: appends, markers, ends of transactions, commits of offsets. */
  | 'echoes'
  /** Requests are refused with what Apache Kafka's brokers say while they start, load or hand over; some of them were done. */
  | 'refusals'
  /** Markers of transactions take long on their way, and coordinators that sent them die meanwhile. */
  | 'stragglers'
  /** Flushes fail for a while, and then succeed again. */
  | 'failingFlushes'
  /** The disk takes nothing for a while. */
  | 'fullDisk'

/** How a life of the process ends. */
export type Ending =
  /** In order: faults stop, everything settles, all is closed. */
  | 'close'
  /** SIGKILL. */
  | 'kill'
  /** The machine's power fails: what was not flushed is gone. */
  | 'powerLoss'

export interface Weather {
  readonly name: string
  readonly summary: string
  readonly troubles: readonly Trouble[]
  readonly endings: readonly Ending[]
}

export const weathers: readonly Weather[] = [
  { name: 'calm', summary: 'nothing goes wrong', troubles: [], endings: ['close'] },
  {
    name: 'links',
    summary: 'links are slow, break, reorder against each other, and repeat themselves',
    troubles: ['delays', 'closes', 'echoes'],
    endings: ['close'],
  },
  {
    name: 'refusals',
    summary: 'brokers refuse for the moment, as Apache Kafka does while it starts, loads and hands over',
    troubles: ['delays', 'refusals'],
    endings: ['close'],
  },
  {
    name: 'deaths',
    summary: 'actors and threads die and stall at any message',
    troubles: ['delays', 'actorDeaths', 'laneDeaths', 'pauses', 'stragglers'],
    endings: ['close'],
  },
  {
    name: 'restarts',
    summary: 'the process is killed and started again, with and without power loss',
    troubles: ['delays'],
    endings: ['kill', 'powerLoss', 'close'],
  },
  {
    name: 'disks',
    summary: 'the disk under the topics is full for a while, and its flushes fail; with kills and power loss',
    troubles: ['delays', 'failingFlushes', 'fullDisk'],
    endings: ['kill', 'powerLoss', 'close'],
  },
  {
    name: 'storm',
    summary: 'everything at once',
    troubles: [
      'delays',
      'closes',
      'actorDeaths',
      'laneDeaths',
      'pauses',
      'echoes',
      'refusals',
      'stragglers',
      'failingFlushes',
      'fullDisk',
    ],
    endings: ['kill', 'powerLoss', 'close'],
  },
]

/** What a topic is for. */
export type TopicUse =
  /** Producers write, readers and groups read. */
  | 'records'
  /** Only transactions write, readers read what is committed. */
  | 'transactions'
  /** Producers write, pipelines read. */
  | 'input'
  /** Pipelines write. */
  | 'output'

export interface Scenario {
  readonly name: string
  readonly summary: string
  readonly uses: readonly TopicUse[]
  readonly hasReaders: boolean
  readonly hasGroups: boolean
}

export const scenarios: readonly Scenario[] = [
  {
    name: 'records',
    summary: 'producers write, readers read',
    uses: ['records'],
    hasReaders: true,
    hasGroups: false,
  },
  {
    name: 'groups',
    summary: 'members of both protocols join, commit, stall, leave and die',
    uses: ['records'],
    hasReaders: false,
    hasGroups: true,
  },
  {
    name: 'transactions',
    summary:
      'transactions over several partitions with offsets, twins that fence each other, readers of what is committed',
    uses: ['transactions'],
    hasReaders: true,
    hasGroups: false,
  },
  {
    name: 'pipeline',
    summary: 'pipelines copy a topic exactly once while they stall, die and are fenced',
    uses: ['input', 'output'],
    hasReaders: false,
    hasGroups: false,
  },
  {
    name: 'all',
    summary: 'all of it in one world',
    uses: ['records', 'transactions', 'input', 'output'],
    hasReaders: true,
    hasGroups: true,
  },
]
