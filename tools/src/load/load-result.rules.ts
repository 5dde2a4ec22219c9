// A load run's result: what clients measured, added up. Its shape is the documented JSON of `odradek load --json`. Pure.
import { whole } from '../cli/terminal/numbers.rules.ts'
import type { LatencyFigures, LatencyKind } from './latencies.ts'
import type { LoadKind, LoadPlan } from './load-plan.ts'
import type { ThresholdOutcome } from './thresholds.rules.ts'

/** One second of the run, seen from outside. `t` is seconds since sending began, warm-up included. */
export interface SecondOfLoad {
  readonly t: number
  readonly warmup: boolean
  /** In this second. */
  readonly sent: number
  readonly acknowledged: number
  readonly received: number
}

export interface ThreadFigures {
  readonly role: 'produce' | 'consume'
  readonly worker: number
  readonly records: number
  readonly recordsPerSecond: number
  readonly megabytesPerSecond: number
  /** Share of the measured time in which the thread had work, 0..1. */
  readonly busy: number
}

/** What one reader made of the numbers that it saw; `aborted`: records of transactions that were aborted, which nobody should see. */
export interface SequenceFigures {
  readonly received: number
  readonly duplicated: number
  readonly disordered: number
  readonly aborted: number
}

export interface Checks extends Omit<SequenceFigures, 'received'> {
  readonly lost: number
}

export interface TransactionCounts {
  readonly committed: number
  readonly aborted: number
  /** Records of those that were committed. */
  readonly records: number
}

/** Latencies in milliseconds. Records per second count what was acknowledged (produce) or received (consume, e2e). A megabyte is 10^6 bytes of values. */
export interface LoadResult {
  readonly schema: 'odradek-load/1'
  readonly kind: LoadKind
  readonly plan: LoadPlan
  readonly totals: {
    readonly records: number
    readonly seconds: number
    readonly recordsPerSecond: number
    readonly megabytesPerSecond: number
    /** Of the whole process while measuring; an embedded broker's share is in it. */
    readonly cpuMicrosecondsPerRecord: { readonly user: number; readonly system: number }
  }
  /** By kind (see `LatencyKind`); absent where not measured. A transaction that was aborted has none. */
  readonly latencyMs: { readonly [kind in LatencyKind]?: LatencyFigures }
  /** Of `txn`: measured transactions; null in other kinds. */
  readonly transactions:
    | (TransactionCounts & { readonly perSecond: number; readonly recordsPerTransaction: number })
    | null
  readonly perThread: readonly ThreadFigures[]
  readonly series: readonly SecondOfLoad[]
  /** Over all records, warm-up included; null when nobody read. */
  readonly checks: Checks | null
  readonly failed: number
  readonly failure: string | null
  readonly thresholds: readonly ThresholdOutcome[]
  readonly environment: Environment
}

export interface Environment {
  readonly odradek: string
  readonly node: string
  readonly platform: string
  readonly cpus: number
  readonly cpuModel: string
  readonly memoryBytes: number
  readonly date: string
  readonly target: string
}

/** What a client counted, as far as it is added up here. Milliseconds since 1970 where not said otherwise. */
export interface MeasuredClient {
  readonly role: 'produce' | 'consume'
  /** Counts within its role from 0. */
  readonly worker: number
  /** Measured records that were acknowledged (produce) or received (consume). */
  readonly records: number
  /** When the first and the last of them were done; 0: there was none. */
  readonly fromMs: number
  readonly toMs: number
  /** All records, warm-up included. */
  readonly acknowledged: number
  readonly failed: number
  readonly failure: string | null
  readonly check: SequenceFigures | null
  /** Measured transactions; null without. */
  readonly transactions: TransactionCounts | null
  /** How long the client's thread had work, milliseconds. */
  readonly busyMs: number
}

/** Totals over the side that counts: receivers if there are any. */
export function totalsOf(
  clients: readonly MeasuredClient[],
  size: number,
  cpu: { readonly user: number; readonly system: number },
): LoadResult['totals'] {
  const readers = clients.filter(({ role }) => role === 'consume')
  const side = (readers.length > 0 ? readers : clients).filter(({ records }) => records > 0)
  const records = side.reduce((sum, each) => sum + each.records, 0)
  const from = Math.min(
    ...side.map(({ fromMs }) => fromMs),
    ...clients.map(({ fromMs }) => fromMs || Number.POSITIVE_INFINITY),
  )
  const to = Math.max(...side.map(({ toMs }) => toMs))
  const seconds = records === 0 ? 0 : Math.max(to - from, 0.001) / 1_000
  const recordsPerSecond = seconds === 0 ? 0 : records / seconds
  const per = (value: number) => (records === 0 ? 0 : value / records)
  return {
    records,
    seconds,
    recordsPerSecond,
    megabytesPerSecond: (recordsPerSecond * size) / 1e6,
    cpuMicrosecondsPerRecord: { user: per(cpu.user), system: per(cpu.system) },
  }
}

export function threadFigures(clients: readonly MeasuredClient[], size: number): ThreadFigures[] {
  return clients.map(({ role, worker, records, fromMs, toMs, busyMs }) => {
    const seconds = records === 0 ? 0 : Math.max(toMs - fromMs, 0.001) / 1_000
    const recordsPerSecond = seconds === 0 ? 0 : records / seconds
    return {
      role,
      worker,
      records,
      recordsPerSecond,
      megabytesPerSecond: (recordsPerSecond * size) / 1e6,
      busy: seconds === 0 ? 0 : Math.min(1, busyMs / 1_000 / seconds),
    }
  })
}

/** Acknowledged and never received is lost. Null when nobody read, or when reading does not know what was sent. */
export function checksOf(clients: readonly MeasuredClient[]): LoadResult['checks'] {
  const checks = clients.flatMap(({ check }) => check ?? [])
  if (checks.length === 0) return null
  const acknowledged = clients.reduce((sum, each) => sum + each.acknowledged, 0)
  const received = checks.reduce((sum, each) => sum + each.received, 0)
  return {
    lost: Math.max(0, acknowledged - received),
    duplicated: checks.reduce((sum, each) => sum + each.duplicated, 0),
    disordered: checks.reduce((sum, each) => sum + each.disordered, 0),
    aborted: checks.reduce((sum, each) => sum + each.aborted, 0),
  }
}

/** Committed and aborted ones over the time of those who made them. Null without transactions. */
export function transactionsOf(clients: readonly MeasuredClient[]): LoadResult['transactions'] {
  const makers = clients.filter(({ transactions }) => transactions !== null)
  if (makers.length === 0) return null
  const sum = (of: (counts: TransactionCounts) => number) =>
    makers.reduce((total, { transactions }) => total + of(transactions!), 0)
  const [committed, aborted, records] = [
    sum(each => each.committed),
    sum(each => each.aborted),
    sum(each => each.records),
  ]
  const from = Math.min(...makers.map(({ fromMs }) => fromMs || Number.POSITIVE_INFINITY))
  const seconds = Math.max(Math.max(...makers.map(({ toMs }) => toMs)) - from, 0.001) / 1_000
  const perSecond = committed + aborted === 0 ? 0 : (committed + aborted) / seconds
  return { committed, aborted, records, perSecond, recordsPerTransaction: committed === 0 ? 0 : records / committed }
}

/** What people read at the end. */
export function resultLines(result: LoadResult): string[] {
  const { totals, latencyMs, perThread, checks, failed, failure, thresholds } = result
  const { user, system } = totals.cpuMicrosecondsPerRecord
  const lines = [
    `${result.kind}: ${whole(totals.records)} records in ${totals.seconds.toFixed(2)} s = ${whole(totals.recordsPerSecond)} records/s, ${totals.megabytesPerSecond.toFixed(1)} MB/s, cpu ${(user + system).toFixed(2)} us/record (${user.toFixed(2)} user, ${system.toFixed(2)} system)`,
    ...perThread.map(
      each =>
        `  ${each.role} ${each.worker}  ${whole(each.recordsPerSecond).padStart(12)} records/s  ${each.megabytesPerSecond.toFixed(1).padStart(8)} MB/s  busy ${(each.busy * 100).toFixed(0)} %`,
    ),
    ...transactionLines(result),
    ...Object.entries(latencyMs).map(
      ([kind, { p50, p95, p99, p999, max }]) =>
        `  ${kind.padEnd(result.transactions === null ? 8 : 11)} p50 ${ms(p50)}  p95 ${ms(p95)}  p99 ${ms(p99)}  p99.9 ${ms(p999)}  max ${ms(max)}`,
    ),
  ]
  if (checks !== null)
    lines.push(
      `  lost ${checks.lost}, duplicated ${checks.duplicated}, disordered ${checks.disordered}${result.kind === 'txn' ? `, read though aborted ${checks.aborted}` : ''}`,
    )
  if (failed > 0) lines.push(`  ${whole(failed)} records failed: ${failure}`)
  for (const { threshold, value, holds } of thresholds) {
    lines.push(
      `  ${holds ? 'holds ' : 'BROKEN'} ${threshold}${holds ? '' : ` (${value === null ? 'not measured' : value})`}`,
    )
  }
  return lines
}

function transactionLines({ transactions }: LoadResult): string[] {
  if (transactions === null) return []
  const { committed, aborted, perSecond, recordsPerTransaction } = transactions
  return [
    `  ${whole(committed)} transactions committed, ${whole(aborted)} aborted, ${whole(perSecond)} transactions/s of ${whole(recordsPerTransaction)} records`,
  ]
}

function ms(value: number): string {
  return `${value < 1 ? value.toFixed(3) : value < 100 ? value.toFixed(2) : value.toFixed(0)} ms`
}
