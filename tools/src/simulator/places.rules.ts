// How findings name places in logs and moments of a run. Pure.
import { nameOf } from '@odradek/consumer/partition-names.rules'
import type { TopicPartition } from '@odradek/shared/contracts/consumer.contract'

/** `topic-partition@offset`. */
export function placeOf(at: TopicPartition & { readonly offset: number }): string {
  return `${nameOf(at)}@${at.offset}`
}

/** Milliseconds since the run began, as `1.234 s`. */
export function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(3)} s`
}
