// What the broker knows of the cluster: the topics of the last image, by name and id, and configs. Kept true by the cluster coordinator's news.
import type { GroupConfigs, ImageDelta, TopicImage } from '@odradek/shared/contracts/cluster.contract'
import type { FinalizedFeatures } from '@odradek/shared/contracts/features'

export class TopicTable {
  readonly #byName = new Map<string, TopicImage>()
  readonly #byId = new Map<string, TopicImage>()
  #brokerConfigs: { readonly [name: string]: string } = {}
  #groupConfigs: readonly GroupConfigs[] = []
  #features: FinalizedFeatures = { epoch: 0, levels: {} }

  /** Effective broker configs, Kafka's names. */
  get brokerConfigs(): { readonly [name: string]: string } {
    return this.#brokerConfigs
  }

  /** Of every group that has configs of its own. */
  get groupConfigs(): readonly GroupConfigs[] {
    return this.#groupConfigs
  }

  get features(): FinalizedFeatures {
    return this.#features
  }

  get size(): number {
    return this.#byName.size
  }

  topics(): IterableIterator<TopicImage> {
    return this.#byName.values()
  }

  find({
    topic,
    topicId,
  }: {
    readonly topic?: string | undefined
    readonly topicId?: string | undefined
  }): TopicImage | undefined {
    return topic ? this.#byName.get(topic) : this.#byId.get(topicId ?? '')
  }

  /** Takes a delta in; returns the images of topics that went. */
  apply({ isWhole, topics, deleted, brokerConfigs, groupConfigs, features }: ImageDelta): readonly TopicImage[] {
    if (brokerConfigs) this.#brokerConfigs = brokerConfigs
    if (groupConfigs) this.#groupConfigs = groupConfigs
    if (features) this.#features = features
    const gone = isWhole ? this.#missingIn(topics) : deleted.flatMap(({ topicId }) => this.#byId.get(topicId) ?? [])
    for (const { topic, topicId } of gone) {
      this.#byId.delete(topicId)
      if (this.#byName.get(topic)?.topicId === topicId) this.#byName.delete(topic)
    }
    for (const image of topics) {
      this.#byName.set(image.topic, image)
      this.#byId.set(image.topicId, image)
    }
    return gone
  }

  #missingIn(topics: readonly TopicImage[]): readonly TopicImage[] {
    const there = new Set(topics.map(({ topicId }) => topicId))
    return [...this.#byId.values()].filter(({ topicId }) => !there.has(topicId))
  }
}
