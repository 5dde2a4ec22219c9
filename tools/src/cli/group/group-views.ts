// `odradek group list|describe`: which groups there are, who is in them, where they stand.
import { nameOf } from '@odradek/consumer/partition-names.rules'
import {
  type Admin,
  createAdmin,
  type GroupDescription,
  type GroupType,
  type PartitionId,
} from '@odradek/shared/client/admin'
import { type ClusterFlags, clientOptions } from '../terminal/cluster-flags.ts'
import { type OutputFormat, printRows, printValue } from '../terminal/table.ts'
import type { Terminal } from '../terminal/terminal.ts'
import {
  assignmentText,
  kafkaListLines,
  kafkaMemberLines,
  kafkaPositionLines,
  kafkaStateLines,
  kafkaStateRemark,
} from './kafka-groups.rules.ts'
import { type GroupPosition, groupPositions } from './positions.rules.ts'

interface ViewFlags extends ClusterFlags {
  readonly output: OutputFormat
  readonly style?: 'kafka'
}

export interface ListFlags extends ViewFlags {
  /** With a value: only groups in these states. */
  readonly state?: true | readonly string[]
  readonly type?: true | readonly GroupType[]
}

export interface DescribeFlags extends ViewFlags {
  readonly members?: boolean
  readonly state?: boolean
  readonly verbose?: boolean
}

export async function listGroups(terminal: Terminal, flags: ListFlags): Promise<void> {
  const wordsOf = <Word>(given: true | readonly Word[] | undefined) => (given === true ? [] : (given ?? []))
  await using admin = createAdmin(clientOptions(flags))
  const groups = await admin.groups.list({
    states: wordsOf(flags.state),
    types: wordsOf(flags.type),
  })
  if (flags.style === 'kafka') {
    const what = { state: flags.state !== undefined, type: flags.type !== undefined }
    for (const line of kafkaListLines(groups, what)) terminal.print(line)
    return
  }
  printRows(terminal, flags.output, groups, [
    { title: 'GROUP', of: group => group.groupId },
    { title: 'TYPE', of: group => group.type },
    { title: 'STATE', of: group => group.state },
    { title: 'PROTOCOL', of: group => group.protocolType, wide: true },
  ])
}

/** No ids: all groups. */
export async function describeGroups(terminal: Terminal, ids: readonly string[], flags: DescribeFlags): Promise<void> {
  await using admin = createAdmin(clientOptions(flags))
  const wanted = ids.length > 0 ? ids : (await admin.groups.list()).map(({ groupId }) => groupId)
  const groups = await admin.groups.describe(wanted)
  if (flags.output === 'json' || flags.output === 'yaml') {
    const all = groups.map(async group => ({ ...group, positions: await positionsOf(admin, group) }))
    return printValue(terminal, flags.output, await Promise.all(all))
  }
  for (const group of groups) {
    if (flags.members) showMembers(terminal, group, flags)
    else if (flags.state) showState(terminal, group, flags)
    else showPositions(terminal, group, await positionsOf(admin, group), flags)
    const remark = flags.style === 'kafka' && !flags.state ? kafkaStateRemark(group) : null
    if (remark !== null) terminal.note(remark)
  }
}

async function positionsOf(admin: Admin, { groupId, members }: GroupDescription): Promise<readonly GroupPosition[]> {
  const committed = await admin.groups.offsets(groupId)
  const partitions = groupPositions(members, committed, () => null)
  const ends = await admin.records.offsets(partitions, 'latest')
  const byName = new Map(ends.map(each => [nameOf(each), each.offset]))
  return groupPositions(members, committed, (partition: PartitionId) => byName.get(nameOf(partition)) ?? null)
}

function showPositions(
  terminal: Terminal,
  { groupId }: GroupDescription,
  positions: readonly GroupPosition[],
  { style, verbose = false, output }: DescribeFlags,
): void {
  if (style === 'kafka') {
    for (const line of kafkaPositionLines(groupId, positions, verbose)) terminal.print(line)
    return
  }
  printRows(terminal, verbose ? 'wide' : output, positions, [
    { title: 'GROUP', of: () => groupId },
    { title: 'TOPIC', of: position => position.topic },
    { title: 'PARTITION', of: position => position.partition, align: 'right' },
    { title: 'OFFSET', of: position => position.offset, align: 'right' },
    { title: 'END', of: position => position.endOffset, align: 'right' },
    { title: 'LAG', of: position => position.lag, align: 'right' },
    { title: 'MEMBER', of: position => position.member?.memberId },
    { title: 'HOST', of: position => position.member?.host, wide: true },
    { title: 'CLIENT', of: position => position.member?.clientId, wide: true },
    { title: 'LEADER-EPOCH', of: position => position.leaderEpoch, align: 'right', wide: true },
  ])
}

function showMembers(
  terminal: Terminal,
  group: GroupDescription,
  { style, verbose = false, output }: DescribeFlags,
): void {
  if (style === 'kafka') {
    for (const line of kafkaMemberLines(group, verbose)) terminal.print(line)
    return
  }
  printRows(terminal, verbose ? 'wide' : output, group.members, [
    { title: 'GROUP', of: () => group.groupId },
    { title: 'MEMBER', of: member => member.memberId },
    { title: 'INSTANCE', of: member => member.groupInstanceId },
    { title: 'HOST', of: member => member.host },
    { title: 'CLIENT', of: member => member.clientId },
    { title: 'ASSIGNMENT', of: member => assignmentText(member.assignment) },
    { title: 'EPOCH', of: member => member.memberEpoch, align: 'right', wide: true },
    {
      title: 'TARGET',
      of: member => (member.targetAssignment === null ? null : assignmentText(member.targetAssignment)),
      wide: true,
    },
  ])
}

function showState(
  terminal: Terminal,
  group: GroupDescription,
  { style, verbose = false, output }: DescribeFlags,
): void {
  if (style === 'kafka') {
    for (const line of kafkaStateLines(group, verbose)) terminal.print(line)
    return
  }
  printRows(
    terminal,
    verbose ? 'wide' : output,
    [group],
    [
      { title: 'GROUP', of: each => each.groupId },
      { title: 'TYPE', of: each => each.type },
      { title: 'STATE', of: each => each.state },
      { title: 'ASSIGNOR', of: each => each.assignor },
      { title: 'MEMBERS', of: each => each.members.length, align: 'right' },
      { title: 'COORDINATOR', of: each => each.coordinator.nodeId, align: 'right' },
      { title: 'EPOCH', of: each => each.groupEpoch, align: 'right', wide: true },
      { title: 'TARGET-EPOCH', of: each => each.targetAssignmentEpoch, align: 'right', wide: true },
    ],
  )
}
