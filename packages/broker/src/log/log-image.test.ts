import * as batch from '@odradek/shared/records/record-batch'
import { expect, test } from 'vitest'
import { stamped } from './log-fixtures.suite.ts'
import { replayUpTo } from './log-image.ts'
import type { Segment } from './segment.ts'
import { emptySummary } from './segments.rules.ts'

/** A compacted segment with these batches. */
function compacted(batches: readonly Uint8Array[]): Segment {
  const visit: Segment['visit'] = (_from, look) => {
    for (const bytes of batches) if (!look(bytes, 0, bytes.length)) return
  }
  return { baseOffset: 0, generation: 1, snapshot: () => [], visit } as unknown as Segment
}

test.each([
  ['the batch that begins too low', 1, 2],
  ['offsets that compaction emptied', 7, 5],
])('a compacted segment that is cut ends behind what is left, before %s', (_, baseOffset, end) => {
  const batches = [0, 1, 2].map(offset => stamped(offset).bytes)
  batch.setBaseOffset(batches[2]!, 0, baseOffset)
  expect(replayUpTo(compacted(batches), 5, emptySummary(0)).summary).toMatchObject({ nextOffset: end })
})
