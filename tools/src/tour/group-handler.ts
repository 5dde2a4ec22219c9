// What each member of the tour's group does, in a thread of its own: fingerprints of what it processes go to the tour, which compares them with what was sent.
import { BroadcastChannel, getEnvironmentData, threadId } from 'node:worker_threads'
import type { ConsumerRecord } from '@odradek/consumer/consumer-record'
import type { RecordBatch } from '@odradek/consumer/delivery-runner'
import type { HandlerContext } from '@odradek/consumer/handler-module'
import { systemClock } from '@odradek/shared/base/clock'
import type { TopicPartition } from '@odradek/shared/contracts/consumer.contract'
import { fingerprintOf } from './fingerprint.ts'
import { type FromMember, GROUP_CHANNEL } from './group-messages.ts'

const channel = new BroadcastChannel(getEnvironmentData(GROUP_CHANNEL) as unknown as string)
channel.unref()
const tell = (message: FromMember) => channel.postMessage(message)
const numbersOf = (partitions: readonly TopicPartition[]) => partitions.map(({ partition }) => partition)

export function start({ thread }: HandlerContext): void {
  tell({ kind: 'started', member: threadId, worker: thread })
}

export function onAssigned(partitions: readonly TopicPartition[]): void {
  tell({ kind: 'assigned', member: threadId, partitions: numbersOf(partitions) })
}

export function onRevoked(partitions: readonly TopicPartition[]): void {
  tell({ kind: 'revoked', member: threadId, partitions: numbersOf(partitions) })
}

export function batch(records: RecordBatch<ConsumerRecord<Uint8Array, Uint8Array>>): void {
  const now = systemClock.now()
  const first = Number(records.position)
  const [deltas, fingerprints, latencies]: [number[], number[], number[]] = [[], [], []]
  records.forEach(({ key, value, offset, timestamp }) => {
    deltas.push(Number(offset) - first)
    fingerprints.push(fingerprintOf(key, value))
    latencies.push(Math.max(0, now - timestamp))
  })
  tell({
    kind: 'processed',
    member: threadId,
    partition: records.partition,
    first,
    deltas: Uint32Array.from(deltas),
    fingerprints: Uint32Array.from(fingerprints),
    latenciesMs: Uint32Array.from(latencies),
  })
}
