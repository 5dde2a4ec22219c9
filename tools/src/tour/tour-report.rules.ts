// What happened, in lines for people. Pure.
import { whole } from '../cli/terminal/numbers.rules.ts'
import type { LatencyFigures } from '../load/latencies.ts'
import type { Verdict } from './deliveries.rules.ts'
import { differences, type Total } from './running-totals.rules.ts'

/** Words for the input: what keys, records and the sum are. */
export interface Words {
  readonly source: string
  /** Null without keys. */
  readonly keyName: string | null
  /** What different keys are. */
  readonly keysName: string
  readonly recordName: string
  readonly measureName: string
}

export interface TourFigures {
  readonly partitions: readonly {
    readonly partition: number
    readonly thread: number | null
    readonly earlier: number
    readonly received: number
  }[]
  readonly verdict: Verdict
  /** Records that the group has not committed: none. */
  readonly uncommitted: number
  readonly bytes: number
  /** Until everything was acknowledged. */
  readonly sentSeconds: number
  /** Until everything was processed, the rebalance included. */
  readonly seconds: number
  readonly sendLatency: LatencyFigures
  readonly endToEndLatency: LatencyFigures
  readonly producerThread: number | null
  /** Threads of the members at the beginning. */
  readonly members: readonly number[]
  readonly rebalance: RebalanceFigures | null
}

/** The rebalance after a member was killed. Members are known by their threads. */
export interface RebalanceFigures {
  readonly killed: number
  /** Different records that the group had processed by then. */
  readonly afterRecords: number
  readonly partitions: readonly {
    readonly partition: number
    readonly before: number | null
    readonly now: number | null
    /** From the kill until its new owner had it, milliseconds; null for those that stayed where they were. */
    readonly movedMs: number | null
  }[]
}

/** The crash of the pipeline's thread, and what followed. */
export interface CrashFigures {
  readonly thread: number
  readonly afterRecords: number
  /** What the coordinator said of its transaction at that moment. */
  readonly transaction: string
  readonly nextThread: number
  /** From the crash until the next thread processed its first record, milliseconds. */
  readonly downMs: number
}

export interface CountingFigures {
  readonly topic: string
  readonly expected: ReadonlyMap<string, Total>
  readonly totals: ReadonlyMap<string, Total>
  readonly crash: CrashFigures | null
  /** Records that waited for the pipeline, and how many it was given. */
  readonly records: number
  readonly processed: number
  readonly seconds: number
}

const ROWS = 5

export function roadLines(figures: TourFigures, words: Words): string[] {
  const { verdict, sentSeconds, seconds, bytes, members } = figures
  const { sent } = verdict
  const received = column('records', figures.partitions, each => whole(each.received))
  const earlier = ({ earlier: count }: { readonly earlier: number }) =>
    count === 0 ? '' : `  (and ${whole(count)} of earlier runs)`
  return [
    'The road of a record: producer, partition leaders, consumer group',
    `  ${whole(sent)} records (${megabytes(bytes)}) of ${words.source}`,
    `  written in ${sentSeconds.toFixed(2)} s (${whole(sent / sentSeconds)} records/s, ${megabytes(bytes / sentSeconds)}/s), all processed after ${seconds.toFixed(2)} s`,
    `  the producer sends on thread ${figures.producerThread ?? '-'}, the group processes on threads ${members.join(', ')}, leaders append on these:`,
    ...table([
      column('partition', figures.partitions, each => `${each.partition}`),
      column('thread', figures.partitions, each => `${each.thread ?? '-'}`),
      received,
    ]).map((line, row) => (row === 0 ? line : line + earlier(figures.partitions[row - 1]!))),
    `  send to acknowledgement  ${latencyText(figures.sendLatency)}`,
    `  send to receipt          ${latencyText(figures.endToEndLatency)}`,
    ...rebalanceLines(figures),
    roadVerdict(figures, words),
  ]
}

function rebalanceLines({ rebalance, members, verdict }: TourFigures): string[] {
  if (rebalance === null) return []
  const { killed, afterRecords, partitions } = rebalance
  const member = (thread: number | null) => (thread === null ? 'nobody' : `thread ${thread}`)
  return [
    `A member dies: thread ${killed}, one of ${members.length}, was killed after ${whole(afterRecords)} records`,
    ...table([
      column('partition', partitions, each => `${each.partition}`),
      column('before', partitions, each => member(each.before)),
      column('now', partitions, each => member(each.now)),
      column('moved after', partitions, each => (each.movedMs === null ? 'stayed' : ms(each.movedMs))),
    ]),
    verdict.repeated === 0
      ? '  no record came again: the dead had committed all that it processed'
      : `  ${whole(verdict.repeated)} records came again: the dead had processed them, and not committed yet`,
  ]
}

export function roadHolds({ verdict, uncommitted }: TourFigures): boolean {
  return verdict.holds && uncommitted === 0
}

function roadVerdict(figures: TourFigures, { keyName }: Words): string {
  const { verdict, uncommitted, partitions } = figures
  const { lost, strange, disordered, orders, sent } = verdict
  const what = keyName === null ? `partition (${orders})` : `${keyName} (${whole(orders)})`
  const earlier = partitions.reduce((sum, each) => sum + each.earlier, 0)
  const old = earlier === 0 ? '' : `; ${whole(earlier)} records of earlier runs are there, too`
  if (roadHolds(figures))
    return `Verified: all ${whole(sent)} records were processed at least once, in the order of each ${what}, and committed${old}.`
  return `NOT verified: ${whole(lost)} lost, ${whole(strange)} not as they were sent, ${whole(disordered)} out of order, ${whole(uncommitted)} not committed${old}.`
}

export function countingLines(figures: CountingFigures, words: Words): string[] {
  const { topic, crash, records, processed, seconds } = figures
  const name = words.keyName ?? 'partition'
  const again = processed - records
  return [
    `Exactly once: a pipeline adds up ${words.recordName} and ${words.measureName} by ${name} into topic ${topic}, offsets in its transactions`,
    ...crashLines(crash),
    `  ${whole(records)} records counted in ${seconds.toFixed(2)} s${again > 0 ? `; ${whole(again)} of them twice, the first time undone` : ''}`,
    ...totalTable(figures, words),
    countingVerdict(figures, words),
  ]
}

function crashLines(crash: CountingFigures['crash']): string[] {
  if (crash === null) return []
  const { thread, afterRecords, transaction, nextThread, downMs } = crash
  return [
    `  its thread ${thread} crashed after ${whole(afterRecords)} records, in the middle of a transaction (${transaction});`,
    `  thread ${nextThread} undid that transaction and went on ${ms(downMs)} later`,
  ]
}

function totalTable({ expected, totals }: CountingFigures, { keyName, recordName, measureName }: Words): string[] {
  const largest = [...expected].sort(([, a], [, b]) => b.records - a.records).slice(0, ROWS)
  const found = (key: string) => totals.get(key) ?? { records: 0, sum: 0 }
  return table([
    { ...column(keyName ?? 'partition', largest, ([key]) => key.slice(0, 30)), isText: true },
    column(recordName, largest, ([key]) => whole(found(key).records)),
    column('counted directly', largest, ([, total]) => whole(total.records)),
    column(measureName, largest, ([key]) => whole(found(key).sum)),
    column('counted directly', largest, ([, total]) => whole(total.sum)),
  ])
}

function countingVerdict(figures: CountingFigures, { keysName }: Words): string {
  const { expected, totals } = figures
  const records = [...expected.values()].reduce((sum, total) => sum + total.records, 0)
  const all = `${whole(expected.size)} ${keysName}`
  if (countingHolds(figures))
    return `Verified: the totals of all ${all} equal those counted directly from the input (${whole(records)} records).`
  const wrong = differences(expected, totals)
  return `NOT verified: ${whole(wrong.length)} totals, such as that of ${wrong[0] ?? 'nothing'}, are not those counted directly from the input (${all}).`
}

export function countingHolds({ expected, totals }: CountingFigures): boolean {
  return expected.size > 0 && differences(expected, totals).length === 0
}

interface Column {
  readonly title: string
  readonly cells: readonly string[]
  readonly isText?: boolean
}

function column<R>(title: string, rows: readonly R[], cell: (row: R) => string): Column {
  return { title, cells: rows.map(cell) }
}

/** Lines of a table; numbers stand right, text left. */
function table(columns: readonly Column[]): string[] {
  const widths = columns.map(({ title, cells }) => Math.max(title.length, ...cells.map(cell => cell.length)))
  const line = (texts: readonly string[]) =>
    `  ${texts.map((text, at) => (columns[at]!.isText ? text.padEnd(widths[at]!) : text.padStart(widths[at]!))).join('  ')}`
  const rows = columns[0]!.cells.map((_, row) => line(columns.map(({ cells }) => cells[row]!)))
  return [line(columns.map(({ title }) => title)), ...rows]
}

function latencyText({ p50, p95, p99, max }: LatencyFigures): string {
  return `p50 ${ms(p50)}  p95 ${ms(p95)}  p99 ${ms(p99)}  max ${ms(max)}`
}

function ms(value: number): string {
  return `${value < 10 ? value.toFixed(2) : whole(value)} ms`
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}
