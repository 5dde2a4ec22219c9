// Batches for the tests and benches of this room, built by the real builder.
import { BatchBuilder } from '@odradek/shared/records/batch-builder'
import { type BatchSeal, sealBatch } from '@odradek/shared/records/batch-sealing'

export interface SampleBatch extends BatchSeal {
  /** Default 1. */
  readonly records?: number
  readonly valueBytes?: number
  /** Of the first record; the following are 1 ms apart. */
  readonly timestamp?: number
  readonly key?: Uint8Array | null
}

/** A sealed batch as a client sends it: base offset 0, own exact buffer. */
export function sampleBatch(shape: SampleBatch = {}): Uint8Array {
  const { records = 1, valueBytes = 10, timestamp = 1_000, key = null, ...seal } = shape
  const builder = new BatchBuilder({ writeLimit: 2 ** 30, initialBytes: 128 })
  for (let index = 0; index < records; index++) {
    builder.tryAppend(timestamp + index, key, new Uint8Array(valueBytes).fill(index))
  }
  return sealBatch(builder.close(), seal)
}
