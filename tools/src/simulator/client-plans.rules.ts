// What a seed decides about clients: how producers send, members of groups behave, transactions end and pipelines run.
import type { Random } from '@odradek/shared/base/random'

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

/** `isGentle`: others do the main work, this one only feeds them. */
export function producerPlan(random: Random, isGentle: boolean): ProducerPlan {
  return {
    style: pick<SendStyle>(random, ['awaited', 'outstanding', 'outstanding', 'enqueued', 'arrays']),
    idempotent: isGentle || random.int(8) !== 0,
    lingerMs: pick(random, [0, 5, 50]),
    batchSize: pick(random, [150, 1_000, 16_384]),
    inFlightMax: 1 + random.int(5),
    deliveryTimeoutMs: pick(random, [3_000, 120_000]),
    burstMax: pick(random, isGentle ? [1, 5] : [1, 5, 20]),
    restMax: pick(random, isGentle ? [200, 600] : [60, 200, 600]),
  }
}

/** Who commits, and when. */
export type CommitStyle = 'sync' | 'async' | 'auto' | 'each'

export interface MemberPlan {
  readonly commits: CommitStyle
  /** `group.instance.id`, null: dynamic. */
  readonly instanceId: string | null
  /** How long it works on a record, at most; ms. */
  readonly workMaxMs: number
  /** Once in so many polls it does something else than to work. */
  readonly restlessOnceIn: number
}

export interface GroupPlan {
  readonly groupId: string
  readonly protocol: 'classic' | 'consumer'
  readonly strategy: readonly ('range' | 'roundrobin' | 'sticky' | 'cooperative-sticky')[]
  /** Server-side assignor of the consumer protocol. */
  readonly remoteAssignor: string | undefined
  readonly sessionTimeoutMs: number
  readonly maxPollIntervalMs: number
  readonly members: readonly MemberPlan[]
}

/** Longer than anything that goes wrong with a member that lives: whoever is taken for dead before that is dead. */
export const FIRM_SESSION_MS = 10_000

/** What sessions are given: too short for a member that stalls, or long enough for any. */
export const SESSIONS_MS = [600, FIRM_SESSION_MS]

/** `consumerSessionMs`: the broker's, for the consumer protocol. */
export function groupPlan(random: Random, n: number, consumerSessionMs: number): GroupPlan {
  const groupId = `group-${n}`
  const protocol = random.int(2) === 0 ? 'classic' : 'consumer'
  const hasStatics = random.int(2) === 0
  const isQuiet = random.int(2) === 0
  return {
    groupId,
    protocol,
    strategy: pick(random, [['range'], ['roundrobin'], ['sticky'], ['cooperative-sticky'], ['cooperative-sticky']]),
    remoteAssignor: pick(random, [undefined, 'range', 'uniform']),
    sessionTimeoutMs: protocol === 'consumer' ? consumerSessionMs : pick(random, SESSIONS_MS),
    maxPollIntervalMs: pick(random, [1_500, 30_000, 30_000]),
    members: Array.from(
      { length: 1 + random.int(4) },
      (_, m): MemberPlan => ({
        commits: pick<CommitStyle>(random, ['sync', 'sync', 'async', 'auto', 'each']),
        // Where the static ones alone come and go, nobody notices: the group stays as it is.
        instanceId: hasStatics && random.int(2) === 0 ? `${groupId}-instance-${m}` : null,
        workMaxMs: pick(random, [0, 5, 40]),
        restlessOnceIn: pick(random, isQuiet ? [20, 1_000] : [40, 60]),
      }),
    ),
  }
}

export interface TransactorPlan {
  readonly name: string
  readonly transactionalId: string
  readonly timeoutMs: number
  /** Its client is of before KIP-890, where nothing forbids that (`speaksOld`). */
  readonly isOld: boolean
  /** Records of one transaction, at most. */
  readonly recordsMax: number
  /** While a transaction is open, and between two; at most; ms. */
  readonly restMax: number
}

/** The last two have one transactional id in half of the seeds, and fence each other. */
export function transactorPlans(random: Random): TransactorPlan[] {
  const count = 1 + random.int(3)
  const areTwins = count > 1 && random.int(2) === 0
  return Array.from({ length: count }, (_, n) => ({
    name: `t${n}`,
    transactionalId: areTwins && n >= count - 2 ? 'twins' : `transactor-${n}`,
    timeoutMs: pick(random, [800, 2_000, 8_000]),
    isOld: random.int(2) === 0,
    recordsMax: pick(random, [1, 4, 10]),
    restMax: pick(random, [20, 100, 400]),
  }))
}

export interface PipelinePlan {
  readonly groupId: string
  readonly lanes: number
  readonly commitEvery: { readonly records: number; readonly ms: number }
  readonly timeoutMs: number
  readonly sessionTimeoutMs: number
  readonly groupProtocol: 'classic' | 'consumer'
  /** Once in so many records the function fails, and the record is tried again; 0: never. */
  readonly failsOnceIn: number
}

export function pipelinePlan(random: Random): PipelinePlan {
  return {
    groupId: 'copying',
    lanes: 1 + random.int(3),
    commitEvery: { records: pick(random, [1, 5, 50]), ms: pick(random, [20, 100]) },
    timeoutMs: pick(random, [1_500, 5_000]),
    sessionTimeoutMs: pick(random, [600, FIRM_SESSION_MS]),
    groupProtocol: random.int(2) === 0 ? 'classic' : 'consumer',
    failsOnceIn: pick(random, [0, 0, 40]),
  }
}

export function pick<T>(random: Random, choices: readonly T[]): T {
  return choices[random.int(choices.length)]!
}
