// A turn's group: judged as if it had happened, true only when applied.
import { buildEndTxnMarker } from '@odradek/shared/records/control-records'
import * as batch from '@odradek/shared/records/record-batch'
import { describe, expect, it } from 'vitest'
import type { DerivedState } from '../log/derived-state.rules.ts'
import { replayStored } from '../log/stored-batches.rules.ts'
import {
  appendGroupOf,
  applyGroup,
  beginGroup,
  type Group,
  type PartitionState,
  producerIn,
  producersToForget,
  stageMarker,
  stageRecords,
} from './group-commit.rules.ts'
import { type SampleBatch, sampleBatch } from './sample-batches.suite.ts'

const LEADER_EPOCH = 4

function emptyState(): PartitionState {
  return { logEndOffset: 0, position: 0, producers: new Map(), ongoing: new Map(), verifications: new Map() }
}

function stage(state: PartitionState, group: Group, shape: SampleBatch | Uint8Array = {}, guard?: number) {
  return stageRecords(state, group, shape instanceof Uint8Array ? shape : sampleBatch(shape), {
    origin: 'client',
    leaderEpoch: LEADER_EPOCH,
    verificationEnabled: guard !== undefined,
    verification: guard === undefined ? undefined : { token: guard },
  })
}

function stageEnd(state: PartitionState, group: Group, producerId: number, committed: boolean, producerEpoch = 0) {
  const marker = {
    producerId,
    producerEpoch,
    coordinatorEpoch: 0,
    transactionVersion: 1,
    committed,
    offset: group.nextOffset,
    timestamp: 1_000,
  }
  const build = () => buildEndTxnMarker({ ...marker, type: committed ? 'COMMIT' : 'ABORT' })
  return stageMarker(state, group, marker, build, LEADER_EPOCH)
}

const by = (producerId: number, baseSequence: number, records = 1, transactional = false): SampleBatch => {
  return { producerId, producerEpoch: 0, baseSequence, records, transactional }
}

describe('a group', () => {
  it('gives dense offsets and the leader epoch to what it takes', () => {
    const state = { ...emptyState(), logEndOffset: 10 }
    const group = beginGroup(state)
    expect(stage(state, group, { records: 3 })).toEqual({ kind: 'staged', baseOffset: 10 })
    expect(stage(state, group, { records: 2 })).toEqual({ kind: 'staged', baseOffset: 13 })
    const { batches, highWatermark, lastStableOffset } = appendGroupOf(state, group, {
      now: 5,
      logStartOffset: 0,
      forgotten: [],
    })
    expect(batches.map(({ baseOffset, lastOffset }) => [baseOffset, lastOffset])).toEqual([
      [10, 12],
      [13, 14],
    ])
    for (const { bytes } of batches) expect(batch.partitionLeaderEpoch(bytes, 0)).toBe(LEADER_EPOCH)
    expect([highWatermark, lastStableOffset]).toEqual([15, 15])
  })

  it('changes nothing until it is applied', () => {
    const state = emptyState()
    const before = structuredClone(state)
    const group = beginGroup(state)
    stage(state, group, by(1, 0, 2, true))
    stageEnd(state, group, 1, false)
    expect(state).toEqual(before)
    applyGroup(state, group, 77)
    expect(state).toMatchObject({ logEndOffset: 3, position: group.position })
    expect(state.producers.get(1)).toMatchObject({ lastAppendMs: 77, state: { batches: [{ firstSequence: 0 }] } })
  })

  it('judges each append by what the group will have done', () => {
    const state = emptyState()
    const group = beginGroup(state)
    expect(stage(state, group, by(1, 0, 2)).kind).toBe('staged')
    expect(stage(state, group, by(1, 2)).kind).toBe('staged')
    expect(stage(state, group, by(1, 4))).toMatchObject({ error: 'OUT_OF_ORDER_SEQUENCE_NUMBER' })
    expect(stage(state, group, by(1, 0, 2))).toEqual({
      kind: 'duplicate',
      baseOffset: 0,
      timestamp: 1_001,
      pending: true,
    })
  })

  it('a repeat of what was committed before is not pending', () => {
    const state = emptyState()
    const first = beginGroup(state)
    stage(state, first, by(1, 0, 2))
    applyGroup(state, first, 0)
    expect(stage(state, beginGroup(state), by(1, 0, 2))).toMatchObject({
      kind: 'duplicate',
      baseOffset: 0,
      pending: false,
    })
  })

  it('that is thrown away lets the same sequences come again', () => {
    const state = emptyState()
    stage(state, beginGroup(state), by(1, 0))
    expect(stage(state, beginGroup(state), by(1, 0))).toEqual({ kind: 'staged', baseOffset: 0 })
  })

  it('takes several batches at once only when no producer is behind them', () => {
    const state = emptyState()
    const group = beginGroup(state)
    const plain = Uint8Array.from([...sampleBatch(), ...sampleBatch({ records: 2 })])
    expect(stage(state, group, plain)).toEqual({ kind: 'staged', baseOffset: 0 })
    expect(group.nextOffset).toBe(3)
    const mixed = Uint8Array.from([...sampleBatch(), ...sampleBatch(by(1, 0))])
    expect(stage(state, group, mixed)).toMatchObject({ kind: 'refused', error: 'INVALID_RECORD' })
    expect(group.nextOffset).toBe(3)
  })
})

describe('transactions in a group', () => {
  it('hold the LSO at the oldest that stays open, and put aborts into the index', () => {
    const state = emptyState()
    const group = beginGroup(state)
    stage(state, group, by(1, 0, 2, true))
    stage(state, group, by(2, 0, 2, true))
    stageEnd(state, group, 1, false)
    const { aborted, highWatermark, lastStableOffset } = appendGroupOf(state, group, {
      now: 0,
      logStartOffset: 0,
      forgotten: [],
    })
    expect(aborted).toEqual([{ producerId: 1, firstOffset: 0, lastOffset: 4, lastStableOffset: 2 }])
    expect([highWatermark, lastStableOffset]).toEqual([5, 2])
    applyGroup(state, group, 0)
    expect([...state.ongoing.keys()]).toEqual([2])
  })

  it('remember where the bytes of read_committed readers end', () => {
    const state = emptyState()
    const group = beginGroup(state)
    stage(state, group, { records: 1 })
    const { position } = group
    stage(state, group, by(1, 0, 1, true))
    applyGroup(state, group, 0)
    expect(state.ongoing.get(1)).toEqual({ producerId: 1, firstOffset: 1, position })
  })

  it('need the guard that is pending, and a guard is used up by the first change of its producer', () => {
    const state = emptyState()
    state.verifications.set(1, {
      token: 9,
      createdMs: 0,
      producerEpoch: 0,
      lowestSequence: 0,
    })
    const group = beginGroup(state)
    expect(stage(state, group, by(1, 0, 1, true), 8)).toMatchObject({ error: 'INVALID_TXN_STATE' })
    expect(stage(state, group, by(1, 0, 1, true), 9).kind).toBe('staged')
    expect(stage(state, group, by(1, 1, 1, true), 9).kind).toBe('staged')
    stageEnd(state, group, 1, false)
    // A produce that was overtaken by the abort of its transaction, in the same turn.
    expect(stage(state, group, by(1, 2, 1, true), 9)).toMatchObject({ error: 'INVALID_TXN_STATE' })
    applyGroup(state, group, 0)
    expect(state.verifications.size).toBe(0)
    expect(stage(state, beginGroup(state), by(1, 2, 1, true), 9)).toMatchObject({ error: 'INVALID_TXN_STATE' })
  })

  it('refuse a marker of an older epoch without touching the group', () => {
    const state = emptyState()
    const group = beginGroup(state)
    stage(state, group, { ...by(1, 0, 1, true), producerEpoch: 2 })
    expect(stageEnd(state, group, 1, true, 1)).toMatchObject({ error: 'INVALID_PRODUCER_EPOCH' })
    expect(group.batches).toHaveLength(1)
  })

  it('applied state equals the replay of the stored batches', () => {
    const state = emptyState()
    const replayed: DerivedState = { producers: new Map(), aborted: [] }
    const sequences = new Map<number, number>()
    for (let turn = 0; turn < 30; turn++) {
      const group = beginGroup(state)
      for (let n = 0; n < 4; n++) {
        const producerId = (turn * 7 + n * 3) % 5
        const open = producerIn(state, group, producerId)?.currentTxnFirstOffset ?? -1
        if (open >= 0 && (turn + n) % 3 === 0) {
          stageEnd(state, group, producerId, turn % 2 === 0)
          continue
        }
        const sequence = sequences.get(producerId) ?? 0
        expect(stage(state, group, by(producerId, sequence, 2, true)).kind).toBe('staged')
        sequences.set(producerId, sequence + 2)
      }
      const { batches } = appendGroupOf(state, group, { now: 0, logStartOffset: 0, forgotten: [] })
      for (const { bytes } of batches) replayStored(replayed, bytes, 0)
      applyGroup(state, group, 0)
    }
    const remembered = new Map([...state.producers].map(([id, known]) => [id, known.state]))
    expect(remembered).toEqual(replayed.producers)
    expect(replayed.aborted.length).toBeGreaterThan(0)
  })
})

describe('the bound on producers', () => {
  it('forgets those that were silent longest, never one with an open transaction or one that just wrote', () => {
    const state = emptyState()
    const add = (shapes: readonly SampleBatch[]) => {
      const group = beginGroup(state)
      for (const shape of shapes) stage(state, group, shape)
      return group
    }
    applyGroup(state, add([by(1, 0, 1, true), by(2, 0), by(3, 0), by(4, 0)]), 0)
    applyGroup(state, add([by(2, 1)]), 1)
    const group = add([by(5, 0), by(3, 1)])
    expect(producersToForget(state, group, 4)).toEqual([4])
    expect(producersToForget(state, group, 3)).toEqual([4, 2])
    expect(producersToForget(state, group, 5)).toEqual([])
  })
})
