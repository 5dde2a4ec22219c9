// One Produce request on its way: which batches go to which endpoint, how they are written down, and which reply belongs to which.
import type { Endpoint } from '@odradek/shared/client/cluster-link'
import type {
  PartitionProduceResponse,
  ProduceRequest,
  ProduceResponse,
} from '@odradek/shared/protocol/messages/00-produce'
import type { SenderPolicy } from './sender-policy.ts'
import type { SendingBatch } from './sending-batch.ts'

/** Batches of different partitions with one endpoint and one `acks`. */
export class OutgoingRequest {
  readonly endpoint: Endpoint
  readonly acks: number
  readonly batches: SendingBatch[] = []
  #sizeInBytes = 0

  constructor(endpoint: Endpoint, acks: number) {
    this.endpoint = endpoint
    this.acks = acks
  }

  /** A first batch always fits; the leader says if it is too large. */
  fits(batch: SendingBatch, maxRequestSize: number): boolean {
    if (this.batches.length === 0) return true
    return batch.acks === this.acks && this.#sizeInBytes + batch.sizeInBytes <= maxRequestSize
  }

  add(batch: SendingBatch): void {
    this.batches.push(batch)
    this.#sizeInBytes += batch.sizeInBytes
  }
}

export interface RequestParts {
  readonly policy: SenderPolicy
  /** Bytes of a batch, to be given away. */
  bytes(batch: SendingBatch): Uint8Array
  topicId(topic: string): string
}

export function buildProduceRequest({ batches, acks }: OutgoingRequest, parts: RequestParts): ProduceRequest {
  const byTopic = new Map<
    string,
    { name: string; topicId: string; partitionData: { index: number; records: Uint8Array }[] }
  >()
  for (const batch of batches) {
    const { topic, partition } = batch.owner
    let topicData = byTopic.get(topic)
    if (topicData === undefined) {
      topicData = { name: topic, topicId: parts.topicId(topic), partitionData: [] }
      byTopic.set(topic, topicData)
    }
    topicData.partitionData.push({ index: partition, records: parts.bytes(batch) })
  }
  const { transactionalId, requestTimeoutMs } = parts.policy
  return { transactionalId, acks, timeoutMs: requestTimeoutMs, topicData: [...byTopic.values()] }
}

/** Each batch with its part of the response; null when the response forgot it. */
export function repliesOf(
  { batches }: OutgoingRequest,
  { responses }: ProduceResponse,
): (readonly [SendingBatch, PartitionProduceResponse | null])[] {
  return batches.map(batch => {
    const { topic, partition } = batch.owner
    const ofTopic = responses.find(({ name }) => name === topic)
    return [batch, ofTopic?.partitionResponses.find(({ index }) => index === partition) ?? null]
  })
}
