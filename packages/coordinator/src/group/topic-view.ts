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
  /** Named by news before the snapshot came: what it says of them is older. Null afterwards. */
  #news: Set<string> | null = new Set()
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

  /** What there was when the broker was asked; news that came before the answer go first. */
  snapshot(topics: readonly TopicFacts[]): void {
    for (const facts of topics) if (!this.#news?.has(facts.topicId)) this.#set(facts)
    this.#news = null
    this.#version++
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
