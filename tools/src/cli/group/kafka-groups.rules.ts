// What `kafka-consumer-groups` of Apache Kafka 4.3 prints, character by character: an empty line, a heading, and rows in columns as wide as their widest
// cell, but never narrower than Kafka's own. Pure.
import type { GroupDescription, GroupListing, GroupMember, PartitionId } from '@odradek/shared/client/admin'
import type { GroupPosition } from './positions.rules.ts'

interface Cells {
  readonly title: string
  readonly width: number
  /** Wider when a cell is; else cells overflow. */
  readonly grows?: true
  readonly of: readonly (string | number | bigint | null)[]
}

/** Every column is padded but the last, which is if it has a width. */
function columnLines(columns: readonly Cells[]): string[] {
  const rows = columns[0]!.of.map((_, row) => columns.map(({ of }) => String(of[row] ?? '-')))
  const widths = columns.map(({ title, width, grows }, index) =>
    grows ? Math.max(width, title.length, ...rows.map(row => row[index]!.length)) : width,
  )
  return [columns.map(({ title }) => title), ...rows].map(row =>
    row.map((cell, index) => cell.padEnd(widths[index]!)).join(' '),
  )
}

const growing = (title: string, of: Cells['of'], width = 15): Cells => ({ title, of, width, grows: true })
const fixed = (title: string, of: Cells['of'], width: number): Cells => ({ title, of, width })

/** `--list` with `--state` or `--type`. */
export function kafkaListLines(groups: readonly GroupListing[], what: { state: boolean; type: boolean }): string[] {
  const ids = groups.map(({ groupId }) => groupId)
  if (!what.state && !what.type) return ids
  const types = groups.map(({ type }) => capitalised(type))
  return columnLines([
    growing('GROUP', ids, 25),
    ...(what.type ? [fixed('TYPE', types, 20)] : []),
    ...(what.state
      ? [
          fixed(
            'STATE',
            groups.map(({ state }) => state),
            20,
          ),
        ]
      : []),
  ])
}

/** `--describe`: positions of one group. */
export function kafkaPositionLines(
  groupId: string,
  positions: readonly GroupPosition[],
  isVerbose: boolean,
): readonly string[] {
  const cells = (of: (position: GroupPosition) => string | number | bigint | null) => positions.map(of)
  return [
    '',
    ...columnLines([
      growing(
        'GROUP',
        cells(() => groupId),
      ),
      growing(
        'TOPIC',
        cells(({ topic }) => topic),
      ),
      fixed(
        'PARTITION',
        cells(({ partition }) => partition),
        10,
      ),
      ...(isVerbose
        ? [
            fixed(
              'LEADER-EPOCH',
              cells(({ leaderEpoch }) => leaderEpoch),
              15,
            ),
          ]
        : []),
      fixed(
        'CURRENT-OFFSET',
        cells(({ offset }) => offset),
        15,
      ),
      fixed(
        'LOG-END-OFFSET',
        cells(({ endOffset }) => endOffset),
        15,
      ),
      fixed(
        'LAG',
        cells(({ lag }) => lag),
        15,
      ),
      growing(
        'CONSUMER-ID',
        cells(({ member }) => member?.memberId ?? null),
      ),
      growing(
        'HOST',
        cells(({ member }) => member?.host ?? null),
      ),
      fixed(
        'CLIENT-ID',
        cells(({ member }) => member?.clientId ?? null),
        0,
      ),
    ]),
  ]
}

/** `--describe --members`. */
export function kafkaMemberLines({ groupId, members }: GroupDescription, isVerbose: boolean): readonly string[] {
  const cells = (of: (member: GroupMember) => string | number | null) => members.map(of)
  const isStatic = members.some(({ groupInstanceId }) => groupInstanceId !== null)
  const columns = [
    growing(
      'GROUP',
      cells(() => groupId),
    ),
    growing(
      'CONSUMER-ID',
      cells(({ memberId }) => memberId),
    ),
    ...(isStatic
      ? [
          growing(
            'GROUP-INSTANCE-ID',
            cells(({ groupInstanceId }) => groupInstanceId),
            17,
          ),
        ]
      : []),
    growing(
      'HOST',
      cells(({ host }) => host),
    ),
    growing(
      'CLIENT-ID',
      cells(({ clientId }) => clientId),
    ),
    fixed(
      '#PARTITIONS',
      cells(({ assignment }) => assignment.length),
      isVerbose ? 15 : 16,
    ),
  ]
  if (isVerbose) {
    columns.push(
      fixed(
        'CURRENT-EPOCH',
        cells(({ memberEpoch }) => memberEpoch),
        15,
      ),
      growing(
        'CURRENT-ASSIGNMENT',
        cells(({ assignment }) => assignmentText(assignment)),
        20,
      ),
      // Kafka's own scripts show the epoch of the target, which is the member's once it has reached it.
      fixed(
        'TARGET-EPOCH',
        cells(({ memberEpoch }) => memberEpoch),
        15,
      ),
      growing(
        'TARGET-ASSIGNMENT',
        cells(({ targetAssignment }) => (targetAssignment === null ? null : assignmentText(targetAssignment))),
        20,
      ),
    )
  }
  return ['', ...columnLines(columns)]
}

/** `--describe --state`. */
export function kafkaStateLines(group: GroupDescription, isVerbose: boolean): readonly string[] {
  const { groupId, coordinator, assignor, state, members, groupEpoch, targetAssignmentEpoch } = group
  return [
    '',
    ...columnLines([
      growing('GROUP', [groupId]),
      growing('COORDINATOR (ID)', [`${coordinator.host}:${coordinator.port}  (${coordinator.nodeId})`], 25),
      fixed('ASSIGNMENT-STRATEGY', [assignor || '-'], 20),
      fixed('STATE', [state], 20),
      ...(isVerbose
        ? [fixed('GROUP-EPOCH', [groupEpoch], 15), fixed('TARGET-ASSIGNMENT-EPOCH', [targetAssignmentEpoch], 25)]
        : []),
      fixed('#MEMBERS', [members.length], 0),
    ]),
  ]
}

/** `--reset-offsets`: what was, or would be, set. */
export function kafkaResetLines(
  groupId: string,
  offsets: readonly (PartitionId & { readonly offset: bigint | number })[],
): readonly string[] {
  return [
    '',
    ...columnLines([
      growing(
        'GROUP',
        offsets.map(() => groupId),
      ),
      growing(
        'TOPIC',
        offsets.map(({ topic }) => topic),
      ),
      fixed(
        'PARTITION',
        offsets.map(({ partition }) => partition),
        10,
      ),
      fixed(
        'NEW-OFFSET',
        offsets.map(({ offset }) => offset),
        0,
      ),
    ]),
  ]
}

/** The remark on standard error about a group that nobody reads for; null when there is nothing to remark. */
export function kafkaStateRemark({ groupId, state }: Pick<GroupDescription, 'groupId' | 'state'>): string | null {
  if (state === 'Empty') return `\nConsumer group '${groupId}' has no active members.`
  if (
    state === 'PreparingRebalance' ||
    state === 'CompletingRebalance' ||
    state === 'Assigning' ||
    state === 'Reconciling'
  )
    return `\nWarning: Consumer group '${groupId}' is rebalancing.`
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
