// Large values that stand one behind the other, in the tree and in the file: read by one call, to one place.
import { readvSync } from 'node:fs'
import * as batch from '@odradek/shared/records/record-batch'
import { type BatchesLeaf, beginsLargeValue, LARGE_VALUE_AT, type LargeValue, largeValueSpan } from './batches-tree.ts'

/** So many values are read by one call at most. */
const RUN_MAX = 64

/** What is read before each value of a run: what is left of the last page of the one before, and the head of its own first page, at the end. Less than a page and a head. */
const gaps: Buffer[] = []
/** Where they stand. */
const gapRooms: Buffer[] = []

export interface ValueRun {
  readonly pageBytes: number
  /** At least one. */
  readonly values: readonly LargeValue[]
  /** Of all of them. */
  readonly bytes: number
}

/** The first of a run, alone. */
export function runOf(value: LargeValue, { pageBytes }: BatchesLeaf): ValueRun {
  return { pageBytes, values: [value], bytes: value.bytes }
}

/** `value`, which stands at `index` of the leaf, and those right behind it whose keys are below `end`, as far as there is room for all. */
export function runFrom(
  value: LargeValue,
  leaf: BatchesLeaf,
  { index, room, end: endKey }: { readonly index: number; readonly room: number; readonly end: number },
): ValueRun {
  const { pageBytes } = leaf
  const values = [value]
  let { bytes } = value
  let end = endOf(value, pageBytes)
  for (let n = 1; n < Math.min(leaf.count - index, RUN_MAX); n++) {
    const next = leaf.largeAt(index + n)
    if (next?.position !== end || next.key >= endKey || bytes + next.bytes > room) break
    values.push(next)
    bytes += next.bytes
    end = endOf(next, pageBytes)
  }
  return { pageBytes, values, bytes }
}

function endOf({ position, bytes }: LargeValue, pageBytes: number): number {
  return position + largeValueSpan(bytes, pageBytes)
}

/** Reads the run to `place`, one value behind the other: those before the first that is not what it should be. Undefined: that is none. */
export function readRun(descriptor: number, { values, pageBytes }: ValueRun, place: Buffer): Buffer | undefined {
  const parts: Buffer[] = []
  let filled = 0
  let gapBytes = LARGE_VALUE_AT
  let wanted = 0
  for (const [n, { bytes }] of values.entries()) {
    parts.push(gap(n, gapBytes, pageBytes), place.subarray(filled, filled + bytes))
    filled += bytes
    wanted += gapBytes + bytes
    gapBytes = largeValueSpan(bytes, pageBytes) - bytes
  }
  if (readvSync(descriptor, parts, values[0]!.position) !== wanted) return undefined
  const sound = soundBytes(values, pageBytes, place)
  return sound === 0 ? undefined : place.subarray(0, sound)
}

function soundBytes(values: readonly LargeValue[], pageBytes: number, place: Buffer): number {
  let bytes = 0
  for (const [n, value] of values.entries()) {
    const head = gaps[n]!
    const isSound =
      beginsLargeValue(head, head.length - LARGE_VALUE_AT, value.position / pageBytes) &&
      batch.baseOffset(place, bytes) === value.key &&
      (values.length === 1 || holdsWholeBatches(place, bytes, bytes + value.bytes))
    if (!isSound) break
    bytes += value.bytes
  }
  return bytes
}

/** Whoever takes several values as one is not to take what a wrong length in one of them says for the next. */
function holdsWholeBatches(bytes: Buffer, from: number, to: number): boolean {
  let at = from
  while (at < to) {
    const size = batch.batchSizeAt(bytes, at, to)
    if (size <= 0) return false
    at += size
  }
  return true
}

/** Room for so many bytes before value `n` of a run. */
function gap(n: number, bytes: number, pageBytes: number): Buffer {
  const known = gaps[n]
  if (known?.length === bytes) return known
  const room = gapRooms[n]
  gapRooms[n] = room !== undefined && room.length >= bytes ? room : Buffer.alloc(LARGE_VALUE_AT + pageBytes)
  gaps[n] = gapRooms[n].subarray(0, bytes)
  return gaps[n]
}
