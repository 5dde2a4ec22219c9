// Random histories of a compacted log against a naive model: every record that was ever appended. Whatever was compacted, reopened or killed in the
// middle of a round: what an offset holds it holds for ever, only what may go is gone, and a read_committed reader replays to the same values.
import * as batch from '@odradek/shared/records/record-batch'
import { readRecords } from '@odradek/shared/records/record-reader'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { firstUndecidedOffset } from './derived-state.rules.ts'
import { config, eager, groupOf, keyed, type LogHarness, marker, NO_LIMITS, noState } from './log-fixtures.suite.ts'
import type { PartitionLog, StampedBatch } from './partition-log.ts'
import { readMarker } from './stored-batches.rules.ts'

type Step =
  | { readonly do: 'append'; readonly batches: readonly BatchPlan[] }
  | { readonly do: 'compact'; readonly steps: number; readonly keyBytesMax: number; readonly segmentBytes: number }
  | { readonly do: 'roll' | 'reopen' | 'stop' }
  | { readonly do: 'deleteRecords'; readonly share: number }

interface BatchPlan {
  /** 0 plain, 1 and 2 transactional, 3 commit, 4 abort. */
  readonly kind: number
  readonly producerId: number
  readonly compressed: boolean
  readonly records: readonly { readonly key: string; readonly isTombstone: boolean }[]
}

interface Known {
  readonly offset: number
  readonly key: string
  readonly value: string | undefined
}

const plan: fc.Arbitrary<BatchPlan> = fc.record({
  kind: fc.integer({ min: 0, max: 4 }),
  producerId: fc.integer({ min: 0, max: 2 }),
  compressed: fc.boolean(),
  records: fc.array(fc.record({ key: fc.constantFrom('a', 'b', 'c', 'd', 'e'), isTombstone: fc.boolean() }), {
    minLength: 1,
    maxLength: 4,
  }),
})
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('append' as const),
      batches: fc.array(plan, { minLength: 1, maxLength: 5 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constantFrom('roll' as const, 'roll' as const, 'reopen' as const, 'stop' as const) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('compact' as const),
      steps: fc.oneof(fc.constant(1_000), fc.integer({ min: 1, max: 6 })),
      keyBytesMax: fc.constantFrom(100, 250, 10_000),
      segmentBytes: fc.constantFrom(1, 600, 1_000_000),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('deleteRecords' as const),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  },
)

/** All records that were appended and are not aborted or undecided, and what else must hold. */
class Model {
  /** By producer: data of its open transaction. */
  readonly #open = new Map<number, Known[]>()
  readonly #derived = noState()
  readonly all = new Map<number, Known>()
  readonly committed: Known[] = []
  end = 0
  start = 0
  now = 10_000

  append(log: PartitionLog, plans: readonly BatchPlan[]): void {
    const batches: StampedBatch[] = []
    for (const each of plans) {
      const built = this.#build(each)
      batches.push(built)
      this.end = built.lastOffset + 1
    }
    const group = groupOf(batches, this.#derived)
    const lastStableOffset = Math.max(
      firstUndecidedOffset(this.#derived.producers.values()) ?? this.end,
      log.lastStableOffset,
    )
    log.append({ ...group, highWatermark: this.end, lastStableOffset }, config)
  }

  #build({ kind, producerId, compressed, records }: BatchPlan): StampedBatch {
    if (kind >= 3) {
      this.committed.push(...(kind === 3 ? (this.#open.get(producerId) ?? []) : []))
      this.#open.delete(producerId)
      return marker(this.end, { producerId, commit: kind === 3 })
    }
    const known = records.map(({ key, isTombstone }, index) => {
      const offset = this.end + index
      return { offset, key, value: isTombstone ? undefined : `${key}@${offset}` }
    })
    for (const each of known) this.all.set(each.offset, each)
    // A producer that is in a transaction writes nothing else.
    const transactional = kind > 0 || this.#open.has(producerId)
    if (transactional) this.#open.set(producerId, [...(this.#open.get(producerId) ?? []), ...known])
    else this.committed.push(...known)
    return keyed(
      this.end,
      known.map(({ key, value }) => [key, value] as const),
      {
        producerId,
        sequence: this.end,
        transactional,
        compression: compressed ? 'gzip' : 'none',
      },
    )
  }

  check(log: PartitionLog): void {
    expect([log.logStartOffset, log.logEndOffset]).toEqual([this.start, this.end])
    const seen = readCommitted(log)
    for (const { offset, key, value } of seen)
      expect([key, value]).toEqual([this.all.get(offset)?.key, this.all.get(offset)?.value])
    const stable = seen.filter(({ offset }) => offset < log.lastStableOffset)
    const expected = this.committed.filter(({ offset }) => offset >= this.start && offset < log.lastStableOffset)
    expect(replay(stable)).toEqual(replay(expected.sort((a, b) => a.offset - b.offset)))
  }
}

function replay(records: readonly Known[]): Map<string, string> {
  const values = new Map<string, string>()
  for (const { key, value } of records) {
    if (value === undefined) values.delete(key)
    else values.set(key, value)
  }
  return new Map([...values].sort())
}

/** What a reader with isolation level read_committed makes of the log (Java: CompletedFetch). Offsets must ascend, and reading must arrive at the end. */
function readCommitted(log: PartitionLog): Known[] {
  const aborted = log
    .abortedTransactions(log.logStartOffset, log.logEndOffset)
    .sort((a, b) => a.firstOffset - b.firstOffset)
  const within = new Set<number>()
  const found: Known[] = []
  for (let offset = log.logStartOffset; offset < log.logEndOffset; ) {
    const { bytes, nextOffset } = log.read(offset, { ...NO_LIMITS, maxBytes: 500 })
    expect(nextOffset).toBeGreaterThan(offset)
    offset = nextOffset
    for (const at of batch.batchPositions(bytes)) {
      expect(batch.computeBatchCrc(bytes, at)).toBe(batch.batchCrc(bytes, at))
      while (aborted[0] !== undefined && aborted[0].firstOffset <= batch.lastOffset(bytes, at))
        within.add(aborted.shift()!.producerId)
      const producer: number = batch.producerId(bytes, at)
      if (batch.isControlBatch(bytes, at)) {
        if (readMarker(bytes, at)?.committed === false) within.delete(producer)
      } else if (!batch.isTransactional(bytes, at) || !within.has(producer)) {
        for (const record of readRecords(bytes, at, 100_000)) {
          if (record.offset < log.logStartOffset) continue
          expect(record.offset).toBeGreaterThan(found.at(-1)?.offset ?? -1)
          const value = record.value === null ? undefined : Buffer.from(record.value).toString()
          found.push({ offset: record.offset, key: Buffer.from(record.key!).toString(), value })
        }
      }
    }
  }
  return found
}

/** Some steps of a round; the round is left as it is then, as if its thread had died, unless it came to its end. */
async function compactSteps(
  log: PartitionLog,
  model: Model,
  { steps, ...over }: Extract<Step, { do: 'compact' }>,
): Promise<boolean> {
  model.now += 600
  const round = log.beginCompaction({ ...eager, ...over, now: model.now })
  for (let n = 0; round !== undefined; n++) {
    if (n === steps) return false
    const progress = round.step(150)
    if (progress.state === 'done') return true
    if (progress.state === 'waiting') await progress.until
  }
  return true
}

/** Runs `runs` random histories of up to `steps` steps. */
export function describeCompactionModel(name: string, makeHarness: () => LogHarness, runs: number, steps = 30): void {
  test(`${name}: compaction never changes what an offset holds nor what a reader replays to, in any random history`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: steps }), async history => {
        const harness = makeHarness()
        try {
          let { log } = harness.open()
          const model = new Model()
          for (const next of history) {
            let stop = next.do === 'stop'
            if (next.do === 'append') model.append(log, next.batches)
            else if (next.do === 'roll') log.roll(1)
            else if (next.do === 'compact') stop = !(await compactSteps(log, model, next))
            else if (next.do === 'deleteRecords') {
              model.start = Math.max(model.start, Math.floor(log.lastStableOffset * next.share))
              log.deleteRecordsTo(model.start)
            }
            if (next.do === 'reopen') log.close({ clean: true })
            if (stop) harness.stop()
            if (stop || next.do === 'reopen') log = harness.open().log
            model.check(log)
          }
          log.close({ clean: true })
        } finally {
          harness.dispose()
        }
      }),
      { numRuns: runs },
    )
    expect.hasAssertions()
  })
}
