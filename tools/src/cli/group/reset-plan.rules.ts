// Where `odradek group reset` sets a group, in the words of `kafka-consumer-groups --reset-offsets`. Pure.
import { readDuration } from '@odradek/consumer/duration.rules'
import { nameOf } from '@odradek/consumer/partition-names.rules'
import type { PartitionId } from '@odradek/shared/client/admin'
import { usageError } from '../command-error.ts'

export interface ResetFlags {
  readonly toEarliest?: boolean
  readonly toLatest?: boolean
  readonly toCurrent?: boolean
  readonly toOffset?: number
  readonly shiftBy?: number
  readonly toDatetime?: string
  readonly byDuration?: string
  readonly fromFile?: string
}

/** What one partition is measured by. */
export interface ResetFacts extends PartitionId {
  readonly beginning: bigint
  readonly end: bigint
  /** Committed; null when nothing is. */
  readonly current: bigint | null
  /** First record at or after the asked time; null when there is none. */
  readonly atTime: bigint | null
}

export type ResetOffset = PartitionId & { readonly offset: bigint }

const SCENARIOS = [
  'toEarliest',
  'toLatest',
  'toCurrent',
  'toOffset',
  'shiftBy',
  'toDatetime',
  'byDuration',
  'fromFile',
] as const
export type ResetScenario = (typeof SCENARIOS)[number]

/** The one scenario that was asked for. Throws a usage error for none, or several. */
export function scenarioOf(flags: ResetFlags): ResetScenario {
  const [given, ...more] = SCENARIOS.filter(scenario => flags[scenario] !== undefined)
  if (given !== undefined && more.length === 0) return given
  const list = SCENARIOS.map(name => `--${name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)}`).join(', ')
  throw usageError(`exactly one of ${list} says where to`)
}

/** The time that `--to-datetime` or `--by-duration` asks for, milliseconds since 1970; null with neither. A date without zone is UTC, as Kafka has it. */
export function timeOf({ toDatetime, byDuration }: ResetFlags, now: number): number | null {
  if (toDatetime !== undefined) {
    const hasZone = /(Z|[+-]\d\d:?\d\d)$/.test(toDatetime)
    const time = /^\d{4}-\d\d-\d\dT/.test(toDatetime) ? Date.parse(hasZone ? toDatetime : `${toDatetime}Z`) : Number.NaN
    if (Number.isNaN(time)) throw usageError(`--to-datetime takes YYYY-MM-DDTHH:mm:ss.sss, got '${toDatetime}'`)
    return time
  }
  if (byDuration === undefined) return null
  const duration = readDuration(byDuration)
  if (duration === undefined) throw usageError(`--by-duration takes a duration such as P1DT2H3M, got '${byDuration}'`)
  return now - duration
}

/** Where a partition is set; never before its beginning or after its end. */
export function resetOffset(
  scenario: Exclude<ResetScenario, 'fromFile'>,
  flags: ResetFlags,
  facts: ResetFacts,
): bigint {
  const { beginning, end, current, atTime } = facts
  const clipped = (offset: bigint) => (offset < beginning ? beginning : offset > end ? end : offset)
  switch (scenario) {
    case 'toEarliest':
      return beginning
    case 'toLatest':
      return end
    case 'toCurrent':
      return current ?? end
    case 'toOffset':
      return clipped(BigInt(flags.toOffset!))
    case 'shiftBy':
      if (current === null) throw usageError(`--shift-by: ${nameOf(facts)} has no committed offset to shift`)
      return clipped(current + BigInt(flags.shiftBy!))
    case 'toDatetime':
    case 'byDuration':
      return atTime ?? end
  }
}

/** `orders` or `orders:0,1`: a topic, and its partitions; null for all. */
export function readTopicArgument(given: string): {
  readonly topic: string
  readonly partitions: readonly number[] | null
} {
  const [topic = '', list, ...more] = given.split(':')
  if (list === undefined) return { topic, partitions: null }
  const isList = /^\d+(,\d+)*$/.test(list) && more.length === 0 && topic !== ''
  if (!isList) throw usageError(`--topic takes NAME or NAME:0,1, got '${given}'`)
  return { topic, partitions: list.split(',').map(Number) }
}

/** Lines `topic,partition,offset`, or `group,topic,partition,offset` of which only this group's count. */
export function readResetFile(text: string, groupId: string): readonly ResetOffset[] {
  const lines = text.split('\n').map((line, index) => ({ line: line.trim(), number: index + 1 }))
  return lines
    .filter(({ line }) => line !== '')
    .flatMap(({ line, number }) => {
      const cells = line.split(',').map(cell => cell.trim())
      const [topic, partition, offset] = cells.length === 4 ? cells.slice(1) : cells
      const isReadable = cells.length >= 3 && cells.length <= 4 && /^\d+$/.test(partition!) && /^\d+$/.test(offset!)
      if (!isReadable) throw usageError(`line ${number}: it takes topic,partition,offset, got '${line}'`)
      if (cells.length === 4 && cells[0] !== groupId) return []
      return [{ topic: topic!, partition: Number(partition), offset: BigInt(offset!) }]
    })
}
