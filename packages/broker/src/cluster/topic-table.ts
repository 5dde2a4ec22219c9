// What the broker knows of the cluster: the topics of the last image, by name and id. Kept true by the cluster coordinator's news.
import type { ImageDelta, TopicImage } from '@odradek/shared/contracts/cluster.contract'

export class TopicTable {
  readonly #byName = new Map<string, TopicImage>()
  readonly #byId = new Map<string, TopicImage>()
  #brokerConfigs: { readonly [name: string]: string } = {}

  /** Effective broker configs, Kafka's names. */
  get brokerConfigs(): { readonly [name: string]: string } {
    return this.#brokerConfigs
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
  apply({ topics, deleted, brokerConfigs }: ImageDelta): readonly TopicImage[] {
    if (brokerConfigs) this.#brokerConfigs = brokerConfigs
    const gone = deleted.flatMap(({ topicId }) => this.#byId.get(topicId) ?? [])
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
}
