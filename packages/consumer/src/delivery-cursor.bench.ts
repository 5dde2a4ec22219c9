// What decoding costs the caller: one iteration walks a delivery of 6,000 records with values of 100 bytes. Aim: 0.15 us per record.
import { rawCodec, string } from '@odradek/shared/client/codecs'
import { BatchBuilder } from '@odradek/shared/records/batch-builder'
import * as batch from '@odradek/shared/records/record-batch'
import { bench, describe } from 'vitest'
import { DeliveryCursor } from './delivery-cursor.ts'

const RECORDS = 6_000
const value = Buffer.alloc(100, 'x')

function delivery() {
  const builder = new BatchBuilder({ writeLimit: 64 * 1024 })
  const batches: Uint8Array[] = []
  let offset = 0
  const close = () => {
    const bytes = builder.build()
    batch.setBaseOffset(bytes, 0, offset)
    offset = batch.nextOffset(bytes, 0)
    batches.push(bytes)
  }
  for (let n = 0; n < RECORDS; n++) {
    if (builder.tryAppend(1_000 + n, null, value)) continue
    close()
    builder.tryAppend(1_000 + n, null, value)
  }
  close()
  const records = new Uint8Array(Buffer.concat(batches))
  const positions = { startOffset: 0, nextOffset: offset, highWatermark: offset, lastStableOffset: offset }
  return {
    key: 1,
    epoch: 0,
    records,
    from: 0,
    length: records.length,
    leaderEpoch: 0,
    credit: records.length,
    ...positions,
  }
}

const one = delivery()
const raw = { topic: 't', partition: 0, keyCodec: rawCodec, valueCodec: rawCodec }

function walk(source: typeof raw, visit: (record: any) => number): number {
  const cursor = new DeliveryCursor(one, source)
  let sum = 0
  for (let record = cursor.next(); record !== null; record = cursor.next()) sum += visit(record)
  return sum
}

describe('a delivery of 6,000 records', () => {
  bench('records only', () => {
    walk(raw, () => 1)
  })
  bench('with timestamp and bytes of the value', () => {
    walk(raw, record => record.timestamp + record.value.length)
  })
  bench('with offset and text of the value', () => {
    walk({ ...raw, valueCodec: string() as never }, record => Number(record.offset) + record.value.length)
  })
})
