// What the producer knows of one topic, in the caller's thread: its partitions with their open batches, which of them have a leader, and who waits until
// that is known.
import type { TopicMetadata } from '@odradek/shared/contracts/sender.contract'
import { PartitionQueue } from './accumulator.ts'
import { type KeylessState, newKeylessState, type PartitionLoads } from './partitioner.rules.ts'
import type { WaitingSends } from './waiting-sends.ts'

export class TopicQueues implements PartitionLoads {
  readonly name: string
  readonly adaptive: boolean
  readonly partitions: PartitionQueue[] = []
  readonly keyless: KeylessState = newKeylessState()
  /** Sends that wait for the topic's metadata. */
  readonly waiting: WaitingSends
  available: readonly number[] = []
  metadata: TopicMetadata | null = null
  /** The sender was asked for it. */
  isAsked = false

  constructor(name: string, adaptive: boolean, waiting: WaitingSends) {
    this.name = name
    this.adaptive = adaptive
    this.waiting = waiting
  }

  get isKnown(): boolean {
    return this.partitions.length > 0
  }

  get partitionCount(): number {
    return this.partitions.length
  }

  queued(partition: number): number {
    return this.partitions[partition]!.length
  }

  /** Partitions only ever grow in number; one that is gone fails at its leader. */
  update(metadata: TopicMetadata): void {
    this.metadata = metadata
    if (metadata.errorCode !== 0) return
    for (const { partition } of metadata.partitions.slice(this.partitions.length)) {
      this.partitions[partition] = new PartitionQueue(this.name, partition)
    }
    this.available = metadata.partitions.filter(({ leader }) => leader >= 0).map(({ partition }) => partition)
  }
}
