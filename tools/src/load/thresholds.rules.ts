// `--threshold 'publish.p99<50ms'`: what must hold of a result. Pure.
import { latencyKinds } from './latencies.ts'

export interface Threshold {
  /** As it was given. */
  readonly text: string
  /** Path into the result, such as `latencyMs.publish.p99`. */
  readonly path: readonly string[]
  readonly comparison: '<' | '<=' | '>' | '>='
  readonly bound: number
}

export interface ThresholdOutcome {
  readonly threshold: string
  /** Null: the result has no such number. */
  readonly value: number | null
  readonly holds: boolean
}

const UNITS: { readonly [unit: string]: number } = {
  '': 1,
  us: 0.001,
  ms: 1,
  s: 1_000,
  k: 1_000,
  K: 1_000,
  M: 1_000_000,
}
const PERCENTILES = ['p50', 'p95', 'p99', 'p999', 'max']

/** Throws TypeError that says what is right. Latencies may have a unit (us, ms, s), counts k or M. */
export function readThreshold(text: string): Threshold {
  const match = /^\s*([A-Za-z0-9.]+)\s*(<=|>=|<|>)\s*(\d+(?:\.\d+)?)\s*(us|ms|s|k|K|M)?\s*$/.exec(text)
  if (match === null)
    throw new TypeError(`'${text}' is no threshold: write 'publish.p99<50ms' or 'recordsPerSecond>1M'`)
  const [, name, comparison, bound, unit = ''] = match
  return {
    text: text.trim(),
    path: pathOf(name!, text),
    comparison: comparison as Threshold['comparison'],
    bound: Number(bound) * UNITS[unit]!,
  }
}

function pathOf(name: string, text: string): readonly string[] {
  const parts = name.split('.')
  const [first, second] = parts
  if (parts.length === 2 && (latencyKinds as readonly string[]).includes(first!) && PERCENTILES.includes(second!))
    return ['latencyMs', ...parts]
  if (parts.length === 1 && ['recordsPerSecond', 'megabytesPerSecond'].includes(name)) return ['totals', name]
  if (name === 'transactionsPerSecond') return ['transactions', 'perSecond']
  if (parts.length === 1 && ['lost', 'duplicated', 'disordered', 'aborted'].includes(name)) return ['checks', name]
  throw new TypeError(
    `'${text}': ${name} is not measured; there are ${latencyKinds.join(', ')} with ${PERCENTILES.join(', ')} (publish.p99), recordsPerSecond, megabytesPerSecond, transactionsPerSecond, lost, duplicated, disordered and aborted`,
  )
}

/** A number that the result does not have breaks its threshold. */
export function judge(threshold: Threshold, result: object): ThresholdOutcome {
  let found: unknown = result
  for (const part of threshold.path) found = (found as { readonly [name: string]: unknown } | null | undefined)?.[part]
  const value = typeof found === 'number' ? found : null
  return { threshold: threshold.text, value, holds: value !== null && compare(value, threshold) }
}

function compare(value: number, { comparison, bound }: Threshold): boolean {
  switch (comparison) {
    case '<':
      return value < bound
    case '<=':
      return value <= bound
    case '>':
      return value > bound
    default:
      return value >= bound
  }
}
