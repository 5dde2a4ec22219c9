// What the tour and the thread of its pipeline say to each other, over a BroadcastChannel and the environment data of threads.
import type { Measure, Total } from './running-totals.rules.ts'

/** A total as the output topic holds it. */
export interface TotalValue extends Total {
  readonly of: Measure
}

/** What the thread is told through the environment data of threads, under {@link TOTALS_ENVIRONMENT}. */
export interface TotalsEnvironment {
  readonly channel: string
  readonly from: string
  readonly to: string
  readonly measure: Measure
  readonly commitRecords: number
  /** It stands still after so many records, in the middle of a transaction, until it is told to go on; null: never. */
  readonly holdAfter: number | null
}

export const TOTALS_ENVIRONMENT = 'odradek-tour-totals'

export type FromTransform =
  /** Which totals are committed? Asked before the first record, when nothing of a predecessor is open any more. */
  | { readonly kind: 'begins'; readonly thread: number }
  | { readonly kind: 'holds'; readonly thread: number; readonly records: number }
export type ToTransform =
  | { readonly kind: 'totals'; readonly totals: readonly (readonly [string, Total])[] }
  | { readonly kind: 'goOn' }
  /** There is nothing to begin with: end. */
  | { readonly kind: 'failed'; readonly why: string }
