// Words of the actor that the kill tests write with.
import { ask, defineContract } from '../contract.ts'

export const lmdbWriter = defineContract({
  kind: 'lmdb-writer',
  asks: {
    /** Appends the number; answered when its transaction is committed. */
    append: ask<{ readonly n: number }, { readonly position: number }>(),
    /** All numbers, in the order in which they were appended. */
    all: ask<Record<string, never>, { readonly numbers: readonly number[] }>(),
  },
  tells: {},
  news: {},
})
export type LmdbWriterContract = typeof lmdbWriter

export interface LmdbWriterInput {
  readonly path: string
  /** Bytes of each value: large ones make long transactions. */
  readonly valueBytes: number
}
