// What a group coordinator knows of its broker: which topics there are, and which configs groups have of their own. Asked for once, then kept true by the
// broker's news. A link that ends takes its news with it: it is opened anew, and everything is asked for again. Used by the group coordinator's actor only.
import type { ActorContext, Address, Link } from '@odradek/shared/actor/actor'
import { type BrokerContract, brokerContract } from '@odradek/shared/contracts/broker.contract'
import type { GroupConfigView } from './group-config-view.ts'
import type { TopicView } from './topic-view.ts'

export interface BrokerWatchOptions {
  readonly context: Pick<ActorContext, 'link' | 'clock' | 'limits' | 'log' | 'signal'>
  readonly broker: Address<BrokerContract>
  readonly topics: TopicView
  readonly groupConfigs: GroupConfigView
  /** Told after the view of topics has become another one. */
  readonly topicsChanged: () => void
  /** Told of topics that are no more, by name. */
  readonly topicsDeleted: (topics: readonly string[]) => void
}

export class BrokerWatch {
  readonly #options: BrokerWatchOptions
  #link: Link<BrokerContract> | null = null
  #isClosed = false

  constructor(options: BrokerWatchOptions) {
    this.#options = options
  }

  /** Resolves when everything is known, and is kept true from then on. Rejects with a PortError when the broker cannot tell. */
  async open(): Promise<void> {
    const { context, broker } = this.#options
    const link = context.link(brokerContract, broker)
    this.#link = link
    // Ports lose nothing while both live; should the link end all the same, nobody would tell of what changes from then on.
    void link.closed.then(() => context.clock.after(context.limits.cutOffMs, () => this.#openAnew()))
    await Promise.all([this.#watchTopics(link), this.#watchGroupConfigs(link)])
  }

  close(): void {
    this.#isClosed = true
    this.#link?.close()
  }

  #openAnew(): void {
    const { context } = this.#options
    if (this.#isClosed || context.signal.aborted) return
    this.open().catch((error: unknown) => {
      context.log.warn({ reason: String(error) }, 'the broker could not be asked for its topics')
      // One way back for whatever went wrong: a link that ended.
      this.#link?.close()
    })
  }

  async #watchTopics(link: Link<BrokerContract>): Promise<void> {
    const { topics } = this.#options
    topics.expectSnapshot()
    link.on('changed', delta => this.#tell(topics.changed(delta.topics, delta.gone), delta.gone))
    link.tell('subscribe', {})
    const { topics: all } = await link.ask('metadata', {
      topics: null,
      allowAutoTopicCreation: false,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false,
    })
    const { isChanged, gone } = topics.snapshot(
      all.map(({ name, topicId, partitions }) => ({ topic: name ?? '', topicId, partitions: partitions.length })),
    )
    this.#tell(isChanged, gone)
  }

  #tell(isChanged: boolean, gone: readonly { readonly topic: string }[]): void {
    const { topicsChanged, topicsDeleted } = this.#options
    if (gone.length > 0) topicsDeleted(gone.map(({ topic }) => topic))
    if (isChanged) topicsChanged()
  }

  /** Their news take effect with each member's next heartbeat, as in Kafka. */
  async #watchGroupConfigs(link: Link<BrokerContract>): Promise<void> {
    const { groupConfigs } = this.#options
    let isTold = false
    link.on('groupConfigs', ({ groups }) => {
      isTold = true
      groupConfigs.take(groups)
    })
    const { groups } = await link.ask('groupConfigs', {})
    // News that came before the answer are newer than it.
    if (!isTold) groupConfigs.take(groups)
  }
}
