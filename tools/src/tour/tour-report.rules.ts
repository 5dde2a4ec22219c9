// What happened, in lines for people. Pure.
import type { LatencyFigures } from '../load/latencies.ts'
import type { Verdict } from './verification.rules.ts'

export interface TourFigures {
  readonly source: string
  readonly keyName: string | null
  readonly topic: string
  readonly partitions: readonly {
    readonly partition: number
    readonly thread: number | null
    readonly earlier: number
    readonly received: number
  }[]
  readonly verdict: Verdict
  readonly gaps: number
  readonly bytes: number
  readonly seconds: number
  readonly sendLatency: LatencyFigures
  readonly endToEndLatency: LatencyFigures
  /** Who else worked where. */
  readonly threads: readonly { readonly what: string; readonly thread: number | null }[]
  readonly dir: string
}

export function reportLines(figures: TourFigures): string[] {
  const { verdict, seconds, bytes } = figures
  const width = Math.max(...figures.partitions.map(({ received }) => number(received).length), 7)
  return [
    'What happened',
    `  ${number(verdict.sent)} records (${megabytes(bytes)}) of ${figures.source} in ${seconds.toFixed(2)} s: ${number(verdict.sent / seconds)} records/s, ${megabytes(bytes / seconds)}/s, written and read`,
    `  ${figures.threads.map(({ what, thread }) => `${what} on thread ${thread ?? '-'}`).join(', ')}; each partition's leader on its own:`,
    '  partition  thread  records',
    ...figures.partitions.map(
      ({ partition, thread, received, earlier }) =>
        `  ${String(partition).padStart(9)}  ${String(thread ?? '-').padStart(6)}  ${number(received).padStart(width)}${earlier === 0 ? '' : `  (and ${number(earlier)} of earlier runs)`}`,
    ),
    `  send to acknowledgement  ${latencyText(figures.sendLatency)}`,
    `  send to receipt          ${latencyText(figures.endToEndLatency)}`,
    ...verdictLines(figures),
  ]
}

function verdictLines({ verdict, gaps, keyName, partitions }: TourFigures): string[] {
  const { holds, lost, doubled, disorderedKeys, keys, sent } = verdict
  const what = keyName === null ? `partition (${keys})` : `${keyName} (${number(keys)})`
  const earlier = partitions.reduce((sum, each) => sum + each.earlier, 0)
  const old = earlier === 0 ? '' : `; ${number(earlier)} records of earlier runs are there, too`
  if (holds && gaps === 0)
    return [`Verified: all ${number(sent)} records arrived once, in the order of each ${what}${old}.`]
  return [
    `NOT verified: ${number(lost)} lost, ${number(doubled)} doubled, ${number(disorderedKeys)} of ${number(keys)} keys out of order, ${number(gaps)} gaps in offsets${old}.`,
  ]
}

function latencyText({ p50, p95, p99, max }: LatencyFigures): string {
  return `p50 ${ms(p50)}  p95 ${ms(p95)}  p99 ${ms(p99)}  max ${ms(max)}`
}

function ms(value: number): string {
  return `${value < 10 ? value.toFixed(2) : value.toFixed(0)} ms`
}

export function number(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}
