// When a leader has housekeeping to do: retention by time and size, and expiry of producers. The log decides which segments go
// (`PartitionLog.retain`); these rules decide when it is worth asking and who may ask for what.
import type { RetentionPolicy, SegmentDescription } from '../log/partition-log.ts'
import type { LeaderConfig } from './leader-config.rules.ts'

/** What `retain` is told: no limits where `cleanup.policy` does not contain `delete` (Kafka: only compacted topics keep everything). */
export function retentionPolicy(config: LeaderConfig, now: number): RetentionPolicy {
  const { deleted, retentionMs, retentionBytes } = config
  return { now, retentionMs: deleted ? limit(retentionMs) : -1, retentionBytes: deleted ? limit(retentionBytes) : -1 }
}

/**
 * Milliseconds until time retention may take the oldest segment; at least 1, at most `checkIntervalMs`
 * (`log.retention.check.interval.ms`). Kafka only polls; a deadline makes short retentions punctual.
 */
export function retentionDelayMs(
  segments: readonly SegmentDescription[],
  policy: RetentionPolicy,
  checkIntervalMs: number,
): number {
  const { now, retentionMs } = policy
  const oldest = segments[0]
  if (retentionMs < 0 || oldest === undefined || oldest.firstAppendMs < 0) return checkIntervalMs
  const due = Math.max(oldest.maxTimestamp, 0) + retentionMs + 1 - now
  return due <= 0 ? checkIntervalMs : Math.min(due, checkIntervalMs)
}

function limit(value: number): number {
  return Number.isFinite(value) ? value : -1
}
