// Leader epochs of a log: which epoch started where, and where an epoch ended (Kafka: LeaderEpochFileCache, KIP-101, KIP-279).
// Lists are ascending in both epoch and start offset, and are replaced, never changed.
import type { EpochEnd, EpochStart, StampedBatch } from './partition-log.ts'

const UNKNOWN: EpochEnd = { leaderEpoch: -1, endOffset: -1 }

/** `epochs` with `start` added, unless it is known. Epochs that would have held no offset give way. */
export function withEpoch(epochs: readonly EpochStart[], start: EpochStart): readonly EpochStart[] {
  if (start.epoch <= (epochs.at(-1)?.epoch ?? -1)) return epochs
  return [...epochs.filter(earlier => earlier.startOffset < start.startOffset), start]
}

/** `epochs` with those that the batches bring. */
export function withBatchEpochs(
  epochs: readonly EpochStart[],
  batches: readonly StampedBatch[],
): readonly EpochStart[] {
  let result = epochs
  for (const batch of batches) {
    result = withEpoch(result, { epoch: batch.partitionLeaderEpoch, startOffset: batch.baseOffset })
  }
  return result
}

/** Where `epoch` ended, answered with the largest known epoch that is not above it. */
export function epochEnd(epochs: readonly EpochStart[], epoch: number, logEndOffset: number): EpochEnd {
  const latest = epochs.at(-1)
  if (latest === undefined || epoch < 0 || epoch > latest.epoch) return UNKNOWN
  if (epoch === latest.epoch) return { leaderEpoch: epoch, endOffset: logEndOffset }
  const above = epochs.findIndex(start => start.epoch > epoch)
  const floor = epochs[above - 1]
  return { leaderEpoch: floor?.epoch ?? epoch, endOffset: epochs[above]!.startOffset }
}

/** After the log was cut at `endOffset`. */
export function truncateEpochsFromEnd(epochs: readonly EpochStart[], endOffset: number): readonly EpochStart[] {
  return epochs.filter(start => start.startOffset < endOffset)
}

/** After the log start moved: what ended below goes, what spans it starts there. */
export function truncateEpochsFromStart(epochs: readonly EpochStart[], logStartOffset: number): readonly EpochStart[] {
  const spanning = epochs.findLast(start => start.startOffset <= logStartOffset)
  if (spanning === undefined) return epochs
  const later = epochs.filter(start => start.startOffset > logStartOffset)
  return [{ epoch: spanning.epoch, startOffset: logStartOffset }, ...later]
}
