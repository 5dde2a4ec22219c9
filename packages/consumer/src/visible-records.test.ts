import { BatchBuilder } from '@odradek/shared/records/batch-builder'
import { buildEndTxnMarker } from '@odradek/shared/records/control-records'
import * as batch from '@odradek/shared/records/record-batch'
import { readRecords } from '@odradek/shared/records/record-reader'
import { describe, expect, it } from 'vitest'
import { type VisibleRecords, visibleRecords } from './visible-records.ts'

const options = { isolationLevel: 1, checkCrcs: true, decompressedBytesMax: 2 ** 20 }
const text = new TextEncoder()

function records(
  baseOffset: number,
  values: readonly string[],
  seal: Parameters<BatchBuilder['build']>[0] = {},
): Uint8Array {
  const builder = new BatchBuilder({ writeLimit: 2 ** 16 })
  for (const value of values) builder.tryAppend(5, null, text.encode(value))
  return at(baseOffset, builder.build(seal))
}

function at(baseOffset: number, bytes: Uint8Array): Uint8Array {
  batch.setBaseOffset(bytes, 0, baseOffset)
  batch.setPartitionLeaderEpoch(bytes, 0, 4)
  return bytes
}

const joined = (...parts: readonly Uint8Array[]) => new Uint8Array(Buffer.concat(parts))

function values({ records: bytes, from, length }: VisibleRecords): string[] {
  const found: string[] = []
  batch.forEachBatch(
    bytes,
    position => {
      for (const { offset, value } of readRecords(bytes, position, 2 ** 20))
        found.push(`${offset}:${Buffer.from(value!)}`)
    },
    from,
    from + length,
  )
  return found
}

describe('the visible records of a fetched range', () => {
  it('are the same buffer when nothing is hidden or compressed', () => {
    const fetched = joined(records(0, ['a', 'b']), records(2, ['c']))
    const visible = visibleRecords(fetched, null, options)
    expect(visible.records.buffer).toBe(fetched.buffer)
    expect(visible).toMatchObject({ recordCount: 3, nextOffset: 3, leaderEpoch: 4, error: null })
    expect(values(visible)).toEqual(['0:a', '1:b', '2:c'])
  })

  it('take over the buffer that they are most of, and are copied out of one that they share', () => {
    const fetched = joined(records(0, ['a', 'b']), records(2, ['c']))
    const reply = joined(new Uint8Array(30), fetched, new Uint8Array(7))
    const visible = visibleRecords(reply.subarray(30, 30 + fetched.length), null, options)
    expect(visible.records.buffer).toBe(reply.buffer)
    expect(visible.records.byteLength).toBe(reply.buffer.byteLength)
    expect(visible).toMatchObject({ from: 30, length: fetched.length })
    expect(values(visible)).toEqual(['0:a', '1:b', '2:c'])

    const shared = joined(fetched, fetched)
    for (const at of [0, fetched.length]) {
      const part = visibleRecords(shared.subarray(at, at + fetched.length), null, options)
      expect(part.records.buffer).not.toBe(shared.buffer)
      expect(part.records.byteLength).toBe(part.records.buffer.byteLength)
      expect(values(part)).toEqual(['0:a', '1:b', '2:c'])
    }
  })

  it('end before a batch that was cut off by the size of the response', () => {
    const cut = records(2, ['c'])
    const visible = visibleRecords(joined(records(0, ['a', 'b']), cut.subarray(0, cut.length - 3)), null, options)
    expect(values(visible)).toEqual(['0:a', '1:b'])
    expect(visible.nextOffset).toBe(2)
  })

  it('leave out markers and aborted batches, and still move the position over them', () => {
    const aborted = { producerId: 9, producerEpoch: 0, baseSequence: 0, transactional: true }
    const marker = buildEndTxnMarker({
      type: 'ABORT',
      producerId: 9,
      producerEpoch: 0,
      coordinatorEpoch: 0,
      timestamp: 1,
    })
    const fetched = joined(records(0, ['a']), records(1, ['x', 'y'], aborted), records(3, ['b']), at(4, marker))
    const visible = visibleRecords(fetched, [{ producerId: 9, firstOffset: 1 }], options)
    expect(values(visible)).toEqual(['0:a', '3:b'])
    expect(visible).toMatchObject({ recordCount: 2, nextOffset: 5 })
    const none = visibleRecords(joined(at(4, marker)), null, options)
    expect(none).toMatchObject({ length: 0, recordCount: 0, nextOffset: 5 })
  })

  it('are own exact bytes, decompressed', () => {
    const fetched = joined(
      records(0, ['a', 'b'], { compression: 'gzip' }),
      records(2, ['c']),
      records(3, ['d'], { compression: 'lz4' }),
    )
    const visible = visibleRecords(fetched, null, options)
    expect(values(visible)).toEqual(['0:a', '1:b', '2:c', '3:d'])
    expect(visible.records.byteLength).toBe(visible.records.buffer.byteLength)
  })

  it('end before the first batch that is damaged, and say why', () => {
    const damaged = records(1, ['b'])
    damaged[damaged.length - 2]! ^= 1
    const visible = visibleRecords(joined(records(0, ['a']), damaged, records(2, ['c'])), null, options)
    expect(values(visible)).toEqual(['0:a'])
    expect(visible).toMatchObject({ nextOffset: 1, error: { kafkaName: 'CORRUPT_MESSAGE' } })
    const unchecked = visibleRecords(joined(records(0, ['a']), damaged), null, { ...options, checkCrcs: false })
    expect(unchecked.error).toBeNull()
  })

  it('do not grow past the cap when they are decompressed', () => {
    const fetched = records(0, ['a'.repeat(10_000)], { compression: 'gzip' })
    const visible = visibleRecords(fetched, null, { ...options, decompressedBytesMax: 1_000 })
    expect(visible).toMatchObject({ length: 0, nextOffset: -1, error: { kafkaName: 'MESSAGE_TOO_LARGE' } })
  })
})
