// What `kafka-consumer-groups` of Apache Kafka 4.3 prints, character by character: an empty line, a heading, and rows in columns as wide as their widest
// cell, but never narrower than Kafka's own. Pure.
import type { GroupDescription, GroupListing, GroupMember, PartitionId } from '@odradek/shared/client/admin'
import type { GroupPosition } from './positions.rules.ts'

interface Column<Row> {
  readonly title: string
  readonly width: number
  /** Wider when a cell is; else cells overflow. */
  readonly grows: boolean
  readonly of: (row: Row) => string | number | bigint | null
}

/** Every column is padded but the last, which is if it has a width. */
function columnLines<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string[] {
  const cells = rows.map(row => columns.map(({ of }) => String(of(row) ?? '-')))
  const widths = columns.map(({ title, width, grows }, index) =>
    grows ? Math.max(width, title.length, ...cells.map(row => row[index]!.length)) : width,
  )
  return [columns.map(({ title }) => title), ...cells].map(row =>
    row.map((cell, index) => cell.padEnd(widths[index]!)).join(' '),
  )
}

function growing<Row>(title: string, of: Column<Row>['of'], width = 15): Column<Row> {
  return { title, of, width, grows: true }
}

function fixed<Row>(title: string, width: number, of: Column<Row>['of']): Column<Row> {
  return { title, of, width, grows: false }
}

/** `--list` with `--state` or `--type`. */
export function kafkaListLines(groups: readonly GroupListing[], what: { state: boolean; type: boolean }): string[] {
  if (!what.state && !what.type) return groups.map(({ groupId }) => groupId)
  return columnLines(groups, [
    growing('GROUP', group => group.groupId, 25),
    ...(what.type ? [fixed<GroupListing>('TYPE', 20, group => capitalised(group.type))] : []),
    ...(what.state ? [fixed<GroupListing>('STATE', 20, group => group.state)] : []),
  ])
}

/** `--describe`: positions of one group. */
export function kafkaPositionLines(
  groupId: string,
  positions: readonly GroupPosition[],
  isVerbose: boolean,
): readonly string[] {
  const lines = columnLines(positions, [
    growing('GROUP', () => groupId),
    growing('TOPIC', each => each.topic),
    fixed('PARTITION', 10, each => each.partition),
    ...(isVerbose ? [fixed<GroupPosition>('LEADER-EPOCH', 15, each => each.leaderEpoch)] : []),
    fixed('CURRENT-OFFSET', 15, each => each.offset),
    fixed('LOG-END-OFFSET', 15, each => each.endOffset),
    fixed('LAG', 15, each => each.lag),
    growing('CONSUMER-ID', each => each.member?.memberId ?? null),
    growing('HOST', each => each.member?.host ?? null),
    fixed('CLIENT-ID', 0, each => each.member?.clientId ?? null),
  ])
  return ['', ...lines]
}

/** `--describe --members`. */
export function kafkaMemberLines({ groupId, members }: GroupDescription, isVerbose: boolean): readonly string[] {
  const isStatic = members.some(({ groupInstanceId }) => groupInstanceId !== null)
  const lines = columnLines(members, [
    growing('GROUP', () => groupId),
    growing('CONSUMER-ID', member => member.memberId),
    ...(isStatic ? [growing<GroupMember>('GROUP-INSTANCE-ID', member => member.groupInstanceId, 17)] : []),
    growing('HOST', member => member.host),
    growing('CLIENT-ID', member => member.clientId),
    fixed('#PARTITIONS', isVerbose ? 15 : 16, member => member.assignment.length),
    ...(isVerbose ? verboseMemberColumns : []),
  ])
  return ['', ...lines]
}

const verboseMemberColumns: readonly Column<GroupMember>[] = [
  fixed('CURRENT-EPOCH', 15, member => member.memberEpoch),
  growing('CURRENT-ASSIGNMENT', member => assignmentText(member.assignment), 20),
  // Kafka's own scripts show the epoch of the target, which is the member's once it has reached it.
  fixed('TARGET-EPOCH', 15, member => member.memberEpoch),
  growing('TARGET-ASSIGNMENT', ({ targetAssignment }) => targetAssignment && assignmentText(targetAssignment), 20),
]

/** `--describe --state`. */
export function kafkaStateLines(group: GroupDescription, isVerbose: boolean): readonly string[] {
  const lines = columnLines(
    [group],
    [
      growing('GROUP', each => each.groupId),
      growing('COORDINATOR (ID)', ({ coordinator: { host, port, nodeId } }) => `${host}:${port}  (${nodeId})`, 25),
      fixed('ASSIGNMENT-STRATEGY', 20, each => each.assignor || null),
      fixed('STATE', 20, each => each.state),
      ...(isVerbose
        ? [
            fixed<GroupDescription>('GROUP-EPOCH', 15, each => each.groupEpoch),
            fixed<GroupDescription>('TARGET-ASSIGNMENT-EPOCH', 25, each => each.targetAssignmentEpoch),
          ]
        : []),
      fixed('#MEMBERS', 0, each => each.members.length),
    ],
  )
  return ['', ...lines]
}

/** `--reset-offsets`: what was, or would be, set. */
export function kafkaResetLines(
  groupId: string,
  offsets: readonly (PartitionId & { readonly offset: bigint | number })[],
): readonly string[] {
  const lines = columnLines(offsets, [
    growing('GROUP', () => groupId),
    growing('TOPIC', each => each.topic),
    fixed('PARTITION', 10, each => each.partition),
    fixed('NEW-OFFSET', 0, each => each.offset),
  ])
  return ['', ...lines]
}

/** Of both protocols. */
const REBALANCING: readonly string[] = ['PreparingRebalance', 'CompletingRebalance', 'Assigning', 'Reconciling']

/** The remark on standard error about a group that nobody reads for; null when there is nothing to remark. */
export function kafkaStateRemark({ groupId, state }: Pick<GroupDescription, 'groupId' | 'state'>): string | null {
  if (state === 'Empty') return `\nConsumer group '${groupId}' has no active members.`
  if (REBALANCING.includes(state)) return `\nWarning: Consumer group '${groupId}' is rebalancing.`
  return null
}

/** `orders:0,1;other:2`. */
export function assignmentText(partitions: readonly PartitionId[]): string {
  const topics = new Map<string, number[]>()
  for (const { topic, partition } of partitions) topics.set(topic, [...(topics.get(topic) ?? []), partition])
  return [...topics].map(([topic, each]) => `${topic}:${each.join(',')}`).join(';')
}

function capitalised(word: string): string {
  return `${word.slice(0, 1).toUpperCase()}${word.slice(1)}`
}
