// Random histories against a naive model: an array of batches and a replay from the beginning. What the model says, the log must say.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type DerivedState, firstUndecidedOffset } from './derived-state.rules.ts'
import { basesIn, config, groupOf, type LogHarness, marker, NO_LIMITS, noState, stamped } from './log-fixtures.suite.ts'
import type { PartitionLog, StampedBatch } from './partition-log.ts'
import { replayStored } from './stored-batches.rules.ts'

type Step =
  | { readonly do: 'append'; readonly batches: readonly BatchPlan[]; readonly durable: boolean }
  | { readonly do: 'roll' | 'flush' | 'reopen' | 'stop' }
  | { readonly do: 'truncate' | 'deleteRecords'; readonly share: number }
  | { readonly do: 'retain'; readonly keepBytes: number }
  | { readonly do: 'read'; readonly share: number; readonly maxBytes: number }

interface BatchPlan {
  readonly records: number
  readonly valueBytes: number
  readonly timestamp: number
  readonly producerId: number
  /** 0 plain, 1 transactional, 2 commit marker, 3 abort marker. */
  readonly kind: number
}

const plan: fc.Arbitrary<BatchPlan> = fc.record({
  records: fc.integer({ min: 1, max: 5 }),
  valueBytes: fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 20_000 })),
  timestamp: fc.integer({ min: 0, max: 50 }),
  producerId: fc.integer({ min: 0, max: 3 }),
  kind: fc.integer({ min: 0, max: 3 }),
})
const share = fc.double({ min: 0, max: 1, noNaN: true })
const append: fc.Arbitrary<Step> = fc.record({
  do: fc.constant('append' as const),
  batches: fc.array(plan, { minLength: 1, maxLength: 6 }),
  durable: fc.boolean(),
})
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: append },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('read' as const), share, maxBytes: fc.integer({ min: 1, max: 60_000 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom('roll' as const, 'flush' as const, 'reopen' as const, 'stop' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('truncate' as const, 'deleteRecords' as const), share }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('retain' as const), keepBytes: fc.integer({ min: 0, max: 60_000 }) }),
  },
)

const policy = { ...config, segmentBytes: 20_000 }

/** The naive log: everything that was ever appended and not truncated, and where reading starts. */
class Model {
  batches: StampedBatch[] = []
  start = 0
  readonly log: () => PartitionLog

  constructor(log: () => PartitionLog) {
    this.log = log
  }

  get end(): number {
    return (this.batches.at(-1)?.lastOffset ?? -1) + 1
  }

  state(): DerivedState {
    const state = noState()
    for (const { bytes } of this.batches) replayStored(state, bytes, 0)
    return state
  }

  append(plans: readonly BatchPlan[], durable: boolean): void {
    const derived = this.state()
    const batches: StampedBatch[] = []
    let offset = this.end
    for (const { kind, producerId, ...shape } of plans) {
      const built =
        kind >= 2
          ? marker(offset, { producerId, commit: kind === 2, timestamp: shape.timestamp })
          : stamped(offset, { ...shape, producerId, sequence: offset, transactional: kind === 1 })
      batches.push(built)
      offset = built.lastOffset + 1
    }
    const group = groupOf(batches, derived)
    const lastStableOffset = Math.max(
      firstUndecidedOffset(derived.producers.values()) ?? offset,
      this.log().lastStableOffset,
    )
    this.log().append({ ...group, highWatermark: offset, lastStableOffset, durable }, policy)
    this.batches.push(...batches)
  }

  truncate(share: number): void {
    const offset = this.start + Math.floor((this.end - this.start) * share)
    this.log().truncateTo(offset)
    if (offset < this.end) this.batches = this.batches.filter(batch => batch.lastOffset < offset)
    this.start = Math.min(this.start, this.end)
  }

  check(): void {
    const log = this.log()
    const state = this.state()
    expect([log.logStartOffset, log.logEndOffset]).toEqual([this.start, this.end])
    expect(log.producerStates()).toEqual([...state.producers.values()].sort((a, b) => a.producerId - b.producerId))
    const aborted = state.aborted.filter(each => each.lastOffset >= this.start)
    expect(log.abortedTransactions(this.start, this.end)).toEqual(aborted)
    for (const timestamp of [0, 10, 25, 40, 50, 51]) {
      const readable = this.batches.filter(batch => batch.lastOffset >= this.start)
      expect(log.batchForTimestamp(timestamp)?.baseOffset).toBe(
        readable.find(b => b.maxTimestamp >= timestamp)?.baseOffset,
      )
    }
  }

  checkRead(share: number, maxBytes: number): void {
    const offset = this.start + Math.floor((this.end - this.start) * share)
    const expected: number[] = []
    let bytes = 0
    for (const batch of this.batches.filter(each => each.lastOffset >= offset)) {
      if (expected.length > 0 && bytes + batch.bytes.length > maxBytes) break
      bytes += batch.bytes.length
      expected.push(batch.baseOffset)
    }
    const read = this.log().read(offset, { ...NO_LIMITS, maxBytes })
    const served = basesIn(read.bytes)
    // A read may end with a segment or when half is there, but never skips, and never returns more than it should.
    expect(served).toEqual(expected.slice(0, served.length))
    if (served.length < expected.length && read.bytes.length < maxBytes / 2) {
      expect(
        this.log()
          .segments()
          .some(segment => segment.baseOffset === expected[served.length]),
      ).toBe(true)
    }
    if (expected.length > 0) expect(served.length).toBeGreaterThan(0)
  }
}

function run(model: Model, harness: LogHarness, setLog: (log: PartitionLog) => void, next: Step): void {
  const log = model.log()
  if (next.do === 'append') model.append(next.batches, next.durable)
  else if (next.do === 'truncate') model.truncate(next.share)
  else if (next.do === 'read') model.checkRead(next.share, next.maxBytes)
  else if (next.do === 'roll') log.roll(0)
  else if (next.do === 'flush') log.flush()
  else if (next.do === 'retain') {
    model.start = log.retain({ now: 0, retentionMs: -1, retentionBytes: next.keepBytes }).logStartOffset
  } else if (next.do === 'deleteRecords') {
    model.start += Math.floor((model.end - model.start) * next.share)
    log.deleteRecordsTo(model.start)
  } else {
    const { highWatermark, lastStableOffset } = log
    const segments = log.segments()
    if (next.do === 'stop') harness.stop()
    else log.close({ clean: true })
    setLog(harness.open().log)
    expect(model.log()).toMatchObject({ highWatermark, lastStableOffset })
    expect(model.log().segments()).toEqual(segments)
  }
}

/** Runs `runs` random histories of up to `steps` steps. */
export function describeLogModel(name: string, makeHarness: () => LogHarness, runs: number, steps = 40): void {
  describe(name, () => {
    test('agrees with the naive model after every random history', () => {
      fc.assert(
        fc.property(fc.array(step, { minLength: 1, maxLength: steps }), history => {
          const harness = makeHarness()
          try {
            let log = harness.open().log
            const model = new Model(() => log)
            const reopened = (opened: PartitionLog) => {
              log = opened
            }
            for (const next of history) {
              run(model, harness, reopened, next)
              model.check()
            }
            harness.stop()
            log = harness.open().log
            model.check()
            log.close({ clean: true })
          } finally {
            harness.dispose()
          }
        }),
        { numRuns: runs },
      )
      expect.hasAssertions()
    })
  })
}
