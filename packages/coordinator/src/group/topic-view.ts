// The topics that exist, as the group coordinator sees them: kept true by the broker's news. Not part of the shard's state (it is not in
// the shard's log); decisions read it as they read settings.

import type { ImageNews } from '@odradek/shared/contracts/broker.contract'

type TopicNews = Pick<ImageNews, 'isWhole' | 'topics' | 'gone'>
type TopicName = TopicNews['gone'][number]

export interface TopicFacts {
  readonly topic: string
  readonly topicId: string
  readonly partitions: number
}

/** What rules may ask of the topics. */
export interface Topics {
  byName(topic: string): TopicFacts | undefined
  byId(topicId: string): TopicFacts | undefined
  all(): Iterable<TopicFacts>
  /** Grows with every change. */
  readonly version: number
}

export class TopicView implements Topics {
  readonly #byName = new Map<string, TopicFacts>()
  readonly #byId = new Map<string, TopicFacts>()
  #version: number

  /** `version`: of the first view; beyond that of any view before it, such as the time. */
  constructor(version: number) {
    this.#version = version
  }

  get version(): number {
    return this.#version
  }

  byName(topic: string): TopicFacts | undefined {
    return this.#byName.get(topic)
  }

  byId(topicId: string): TopicFacts | undefined {
    return this.#byId.get(topicId)
  }

  all(): Iterable<TopicFacts> {
    return this.#byName.values()
  }

  /** Takes news in: whether anything is another than before, and which topics are gone. Of those that went unheard, whole news tell by leaving them out. */
  take({ isWhole, topics, gone: told }: TopicNews): {
    readonly isChanged: boolean
    readonly gone: readonly TopicName[]
  } {
    const gone = isWhole ? this.#missingIn(topics) : told
    let isChanged = false
    for (const { topic, topicId } of gone) {
      isChanged = this.#byId.delete(topicId) || isChanged
      if (this.#byName.get(topic)?.topicId === topicId) this.#byName.delete(topic)
    }
    for (const facts of topics) {
      if (this.#byId.get(facts.topicId)?.partitions === facts.partitions) continue
      this.#set(facts)
      isChanged = true
    }
    if (isChanged) this.#version++
    return { isChanged, gone }
  }

  #missingIn(topics: readonly TopicFacts[]): readonly TopicFacts[] {
    const present = new Set(topics.map(({ topicId }) => topicId))
    return [...this.#byId.values()].filter(({ topicId }) => !present.has(topicId))
  }

  #set(facts: TopicFacts): void {
    this.#byName.set(facts.topic, facts)
    this.#byId.set(facts.topicId, facts)
  }
}
