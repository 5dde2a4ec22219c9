// `odradek group reset`: finds where, shows it, and sets it only with --execute.

import { readFileSync } from 'node:fs'
import { nameOf } from '@odradek/consumer/partition-names.rules'
import { systemClock } from '@odradek/shared/base/clock'
import { type Admin, createAdmin, type PartitionId } from '@odradek/shared/client/admin'
import { CommandError, usageError } from '../command-error.ts'
import { partitionsOf } from '../partitions.ts'
import { type ClusterFlags, clientOptions } from '../terminal/cluster-flags.ts'
import { type OutputFormat, printRows } from '../terminal/table.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { kafkaResetLines } from './kafka-groups.rules.ts'
import {
  type ResetFlags,
  type ResetOffset,
  readResetFile,
  readTopicArgument,
  resetOffset,
  scenarioOf,
  timeOf,
} from './reset-plan.rules.ts'

export interface GroupResetFlags extends ClusterFlags, ResetFlags {
  readonly topic?: readonly string[]
  readonly allTopics: boolean
  readonly execute: boolean
  readonly dryRun: boolean
  readonly export: boolean
  readonly output: OutputFormat
  readonly style?: 'kafka'
}

export async function resetGroup(terminal: Terminal, groupId: string, flags: GroupResetFlags): Promise<void> {
  const scenario = scenarioOf(flags)
  if (flags.execute && flags.dryRun) throw usageError('--execute and --dry-run exclude each other')
  const topics = scenario === 'fromFile' ? null : askedTopics(flags)
  const time = timeOf(flags, systemClock.now())
  await using admin = createAdmin(clientOptions(flags))
  const plan =
    scenario === 'fromFile'
      ? readPlan(flags.fromFile!, groupId)
      : await planOf(admin, groupId, { flags, topics, scenario, time })
  if (flags.execute) {
    await refuseMembers(admin, groupId)
    await admin.groups.resetOffsets(groupId, plan)
  }
  print(terminal, groupId, plan, flags)
  if (!flags.execute && !flags.dryRun) terminal.note('nothing was changed: --execute does it')
}

function readPlan(path: string, groupId: string): readonly ResetOffset[] {
  try {
    return readResetFile(readFileSync(path, 'utf8'), groupId)
  } catch (error) {
    if (error instanceof CommandError) throw usageError(`${path}: ${error.message}`)
    throw usageError(`--from-file ${path} cannot be read: ${(error as Error).message}`)
  }
}

type AskedTopics = readonly ReturnType<typeof readTopicArgument>[] | null

/** Null: all that the group has offsets of. Throws a usage error where nothing is asked for. */
function askedTopics({ topic, allTopics }: GroupResetFlags): AskedTopics {
  if (allTopics) return null
  if (topic === undefined) throw usageError('give --topic NAME or NAME:0,1, or --all-topics')
  return topic.map(readTopicArgument)
}

interface Asked {
  readonly flags: GroupResetFlags
  readonly topics: AskedTopics
  readonly scenario: Exclude<ReturnType<typeof scenarioOf>, 'fromFile'>
  readonly time: number | null
}

async function planOf(
  admin: Admin,
  groupId: string,
  { flags, topics, scenario, time }: Asked,
): Promise<readonly ResetOffset[]> {
  const committed = await admin.groups.offsets(groupId)
  const partitions = await chosenPartitions(admin, topics, committed)
  const offsetsAt = async (place: Parameters<Admin['records']['offsets']>[1]) =>
    new Map((await admin.records.offsets(partitions, place)).map(each => [nameOf(each), each.offset]))
  const [beginnings, ends, atTime] = await Promise.all([
    offsetsAt('earliest'),
    offsetsAt('latest'),
    time === null ? new Map<string, bigint | null>() : offsetsAt({ timestamp: time }),
  ])
  const current = new Map(committed.map(each => [nameOf(each), each.offset]))
  return partitions.map(partition => {
    const name = nameOf(partition)
    const facts = {
      ...partition,
      beginning: beginnings.get(name)!,
      end: ends.get(name)!,
      current: current.get(name) ?? null,
      atTime: atTime.get(name) ?? null,
    }
    return { ...partition, offset: resetOffset(scenario, flags, facts) }
  })
}

async function chosenPartitions(
  admin: Admin,
  asked: AskedTopics,
  committed: readonly PartitionId[],
): Promise<readonly PartitionId[]> {
  if (asked === null) return committed.map(({ topic, partition }) => ({ topic, partition }))
  const there = await partitionsOf(admin, [...new Set(asked.map(each => each.topic))])
  return asked.flatMap(({ topic, partitions }) =>
    partitions === null
      ? there.filter(each => each.topic === topic)
      : partitions.map(partition => ({ topic, partition })),
  )
}

/** Kafka's own words for a group that is being read for. A group that is not there yet is made. */
async function refuseMembers(admin: Admin, groupId: string): Promise<void> {
  const listed = (await admin.groups.list()).find(group => group.groupId === groupId)
  if (listed === undefined || listed.state === 'Empty' || listed.state === 'Dead') return
  throw new CommandError(
    `Assignments can only be reset if the group '${groupId}' is inactive, but the current state is ${listed.state}.`,
  )
}

function print(terminal: Terminal, groupId: string, plan: readonly ResetOffset[], flags: GroupResetFlags): void {
  if (flags.export) {
    for (const { topic, partition, offset } of plan) terminal.print(`${topic},${partition},${offset}`)
    return
  }
  if (flags.style === 'kafka') {
    for (const line of kafkaResetLines(groupId, plan)) terminal.print(line)
    return
  }
  printRows(terminal, flags.output, plan, [
    { title: 'TOPIC', of: ({ topic }) => topic },
    { title: 'PARTITION', of: ({ partition }) => partition, align: 'right' },
    { title: 'NEW-OFFSET', of: ({ offset }) => offset, align: 'right' },
  ])
}
