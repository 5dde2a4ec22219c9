// What a group coordinator knows of its broker: which topics there are, and which configs groups have of their own, as the broker's news tell it: first all of it, then what
// changes. A link that ends takes its news with it: it is opened anew, and all of it is told again. Used by the group coordinator's actor only.
import type { ActorContext, Address, Link } from '@odradek/shared/actor/actor'
import { type BrokerContract, brokerContract, type ImageNews } from '@odradek/shared/contracts/broker.contract'
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
    link.on('image', news => this.#take(news))
    // Ports lose nothing while both live; should the link end all the same, nobody would tell of what changes from then on.
    void link.closed.then(() => context.clock.after(context.limits.cutOffMs, () => this.#openAnew()))
    await link.ask('watchImage', {})
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

  #take(news: ImageNews): void {
    const { topics, groupConfigs, topicsChanged, topicsDeleted } = this.#options
    // They take effect with each member's next heartbeat, as in Kafka.
    if (news.groupConfigs !== undefined) groupConfigs.take(news.groupConfigs)
    const { isChanged, gone } = topics.take(news)
    if (gone.length > 0) topicsDeleted(gone.map(({ topic }) => topic))
    if (isChanged) topicsChanged()
  }
}
