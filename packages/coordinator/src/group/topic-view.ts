// The topics that exist, as the group coordinator sees them: kept true by the broker's news. Not part of the shard's state (it is not in
// the shard's log); decisions read it as they read settings.

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
  /** Named by news before the snapshot came: what it says of them is older. Null: none is expected. */
  #news: Set<string> | null = null
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

  /** The broker is asked for all topics: what news name from now on is newer than its answer. */
  expectSnapshot(): void {
    this.#news = new Set()
  }

  /**
   * All topics there were when the broker was asked; news that came before the answer go first. Topics that were known and are not among them are gone: nobody
   * told of it.
   */
  snapshot(topics: readonly TopicFacts[]): { readonly isChanged: boolean; readonly gone: readonly TopicFacts[] } {
    const news = this.#news ?? new Set()
    const present = new Set(topics.map(({ topicId }) => topicId))
    const isOlder = ({ topicId }: TopicFacts) => news.has(topicId)
    const gone = [...this.#byId.values()].filter(facts => !present.has(facts.topicId) && !isOlder(facts))
    this.#news = null
    const isChanged = this.changed(
      topics.filter(facts => !isOlder(facts)),
      gone,
    )
    return { isChanged, gone }
  }

  /** Returns whether anything is another than before. */
  changed(
    topics: readonly TopicFacts[],
    gone: readonly { readonly topic: string; readonly topicId: string }[],
  ): boolean {
    let changed = false
    for (const { topic, topicId } of gone) {
      this.#news?.add(topicId)
      changed = this.#byId.delete(topicId) || changed
      if (this.#byName.get(topic)?.topicId === topicId) this.#byName.delete(topic)
    }
    for (const facts of topics) {
      this.#news?.add(facts.topicId)
      const known = this.#byId.get(facts.topicId)
      if (known?.partitions === facts.partitions) continue
      this.#set(facts)
      changed = true
    }
    if (changed) this.#version++
    return changed
  }

  #set(facts: TopicFacts): void {
    this.#byName.set(facts.topic, facts)
    this.#byId.set(facts.topicId, facts)
  }
}
