// What a wire link knows of the cluster's layout, taken from Metadata replies: nodes with their endpoints, topics with their leaders. Bounded: by the
// cluster's brokers, and in topics by the last reply or `limits.topicsKnownMax`, whichever is more.

import type { MetadataResponse } from '../../protocol/messages/03-metadata.ts'
import { ZERO_UUID } from '../../protocol/schema.ts'
import type { Endpoint, NodeView, PartitionView, TopicView } from '../cluster-link.ts'

/** A broker, as an endpoint that requests can be sent to. */
export interface NodeEndpoint extends Endpoint {
  readonly host: string
  readonly port: number
}

export class MetadataView {
  /** Those that were told of longest ago come first. */
  readonly topics = new Map<string, TopicView>()
  readonly #topicsMax: number
  readonly #names = new Map<string, string>()
  #nodes = new Map<number, NodeEndpoint>()
  #controllerId = -1
  /** Brokers as the last reply told of them. */
  brokers: readonly NodeView[] = []
  clusterId: string | null = null

  constructor(topicsMax: number) {
    this.#topicsMax = topicsMax
  }

  /** Brokers known now. */
  nodes(): readonly NodeEndpoint[] {
    return [...this.#nodes.values()]
  }

  node(nodeId: number): NodeEndpoint | undefined {
    return this.#nodes.get(nodeId)
  }

  controller(): NodeEndpoint | undefined {
    return this.#nodes.get(this.#controllerId)
  }

  nameOf(topicId: string): string {
    return this.#names.get(topicId) ?? ''
  }

  idOf(name: string): string {
    return this.topics.get(name)?.topicId ?? ZERO_UUID
  }

  /** Takes a reply in. `all`: it lists every topic, so others are gone. Older leader epochs than known do not replace newer ones (KIP-320). */
  take(response: MetadataResponse, all: boolean): void {
    this.clusterId = response.clusterId
    this.#controllerId = response.controllerId
    this.brokers = response.brokers.map(({ nodeId, host, port, rack }) => ({ nodeId, host, port, rack }))
    this.#nodes = new Map(
      response.brokers.map(({ nodeId, host, port }) => [nodeId, this.#endpoint(nodeId, host, port)]),
    )
    if (all) {
      this.topics.clear()
      this.#names.clear()
    }
    for (const topic of response.topics) {
      if (!topic.name) continue
      const view = this.#view(topic)
      this.#forget(topic.name)
      this.topics.set(topic.name, view)
      if (topic.topicId !== ZERO_UUID) this.#names.set(topic.topicId, topic.name)
    }
    // Whoever asked for these names needs them all.
    const keep = Math.max(this.#topicsMax, response.topics.length)
    for (const name of this.topics.keys()) {
      if (this.topics.size <= keep) break
      this.#forget(name)
    }
  }

  #forget(name: string): void {
    const known = this.topics.get(name)
    if (!known) return
    this.topics.delete(name)
    this.#names.delete(known.topicId)
  }

  #endpoint(nodeId: number, host: string, port: number): NodeEndpoint {
    const known = this.#nodes.get(nodeId)
    return known && known.host === host && known.port === port
      ? known
      : { id: `node:${nodeId}@${host}:${port}`, nodeId, host, port }
  }

  #view(topic: MetadataResponse['topics'][number]): TopicView {
    const known = this.topics.get(topic.name!)
    const partitions: PartitionView[] = []
    for (const {
      partitionIndex: partition,
      leaderId,
      leaderEpoch,
      errorCode,
      replicaNodes,
      isrNodes,
    } of topic.partitions) {
      const before = known?.topicId === topic.topicId ? known.partitions[partition] : undefined
      if (before?.endpoint && leaderEpoch >= 0 && leaderEpoch < before.leaderEpoch) partitions[partition] = before
      else
        partitions[partition] = {
          partition,
          leaderEpoch,
          endpoint: this.#nodes.get(leaderId) ?? null,
          errorCode,
          leaderId,
          replicaNodes,
          isrNodes,
        }
    }
    return {
      name: topic.name!,
      topicId: topic.topicId,
      isInternal: topic.isInternal,
      errorCode: topic.errorCode,
      partitions,
    }
  }
}
