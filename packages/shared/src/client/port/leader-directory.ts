// Where the leaders of partitions are, as one door knows it: links that are open now, found by name or id, kept true by the broker's news.
// Used by the port link and the network door; a known leader costs no message and no promise.
import type { Link } from '../../actor/actor.ts'
import type { ClusterDelta, LeaderAddress } from '../../contracts/broker.contract.ts'
import {
  type Advanced,
  type PartitionLeaderContract,
  partitionLeader,
} from '../../contracts/partition-leader.contract.ts'
import type { LinkHost } from '../cluster-link.ts'
import type { BrokerLine } from './broker-line.ts'

/** A partition as requests name it: by topic name, or by topic id (Produce 13, Fetch 13). */
export interface PartitionRef {
  readonly topic?: string | undefined
  readonly topicId?: string | undefined
  readonly partition: number
}

export interface Leader {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  readonly leaderEpoch: number
  readonly link: Link<PartitionLeaderContract>
  /** Those who wait for something readable; see {@link watchLeader}. */
  readonly waiters: Set<(advanced: Advanced) => void>
  readonly watch: Watch
}

/** How far a leader's log goes. */
export interface LogEnds {
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly logStartOffset: number
}

/** The door's watch over one leader: on until news come that nobody waits for. */
interface Watch {
  isOn: boolean
  /** How often it was begun: an answer says something of what is watched only if the watch has not ended since it was asked for. */
  begun: number
  ends: LogEnds | undefined
  /** When the leader itself told of the ends. Monotonic milliseconds. */
  askedAtMs: number
}

/** How long the ends that a leader told of, and its news since, stand for asking it. */
const ENDS_HOLD_MS = 500

export class LeaderDirectory {
  readonly #host: LinkHost
  readonly #broker: BrokerLine
  /** Goes with every question for leaders. */
  readonly #near: { readonly near?: number }
  /** By topic, then partition; both maps hold the same arrays. */
  readonly #byName = new Map<string, (Leader | undefined)[]>()
  readonly #byId = new Map<string, (Leader | undefined)[]>()
  readonly #listeners = new Set<(delta: ClusterDelta) => void>()

  constructor(host: LinkHost, broker: BrokerLine, near?: number) {
    this.#host = host
    this.#broker = broker
    this.#near = near === undefined ? {} : { near }
    broker.onOpen(link => {
      link.on('changed', delta => this.#apply(delta))
      link.tell('subscribe', {})
    })
  }

  /** The leader if its link is open; undefined: ask with {@link find}. */
  known(ref: PartitionRef): Leader | undefined {
    const leaders = ref.topic ? this.#byName.get(ref.topic) : this.#byId.get(ref.topicId!)
    const leader = leaders?.[ref.partition]
    return leader && !leader.link.isClosed ? leader : undefined
  }

  /**
   * Asks the broker for those leaders that are not known; afterwards {@link known} tells. Resolves with what the broker said of those: partitions that do
   * not exist are left out, leaders that cannot run have no address. Rejects with PortError.
   */
  async find(
    refs: readonly PartitionRef[],
    deadlineMs: number,
    signal?: AbortSignal,
  ): Promise<readonly LeaderAddress[]> {
    const missing = refs.filter(ref => !this.known(ref)).map(asked)
    if (missing.length === 0) return []
    const options = signal ? { deadlineMs, signal } : { deadlineMs }
    const { leaders } = await this.#broker.link.ask('leaders', { partitions: missing, ...this.#near }, options)
    for (const leader of leaders) this.#put(leader)
    return leaders
  }

  /** Hears what the broker tells, after the directory took it in. */
  onChange(listener: (delta: ClusterDelta) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  close(): void {
    for (const leaders of this.#byId.values()) for (const leader of leaders) leader?.link.close()
    this.#byId.clear()
    this.#byName.clear()
  }

  #apply(delta: ClusterDelta): void {
    for (const { topic, topicId } of delta.gone) this.#forget(topic, topicId)
    for (const address of delta.leaders) this.#put(address)
    for (const listener of this.#listeners) listener(delta)
  }

  #put({ topic, topicId, partition, leaderEpoch, address }: LeaderAddress): void {
    const known = this.#byId.get(topicId)?.[partition]
    if (known && !known.link.isClosed) {
      const same =
        address && known.link.address.actor === address.actor && known.link.address.incarnation === address.incarnation
      if (same && known.leaderEpoch === leaderEpoch) return
      if (!same) known.link.close()
    }
    if (!address) {
      this.#set(topic, topicId, partition, undefined)
      return
    }
    const link =
      known && !known.link.isClosed
        ? known.link
        : this.#host.link(partitionLeader, address as Link<PartitionLeaderContract>['address'])
    const leader: Leader = {
      topic,
      topicId,
      partition,
      leaderEpoch,
      link,
      waiters: known?.link === link ? known.waiters : new Set(),
      watch: known?.link === link ? known.watch : { isOn: false, begun: 0, ends: undefined, askedAtMs: 0 },
    }
    link.on('advanced', advanced => tellWaiters(leader, advanced))
    this.#set(topic, topicId, partition, leader)
  }

  #set(topic: string, topicId: string, partition: number, leader: Leader | undefined): void {
    const leaders = this.#byId.get(topicId) ?? []
    leaders[partition] = leader
    this.#byId.set(topicId, leaders)
    this.#byName.set(topic, leaders)
  }

  #forget(topic: string, topicId: string): void {
    const leaders = this.#byId.get(topicId)
    if (!leaders) return
    for (const leader of leaders) leader?.link.close()
    // A topic of the same name may have been created meanwhile.
    if (this.#byName.get(topic) === leaders) this.#byName.delete(topic)
    this.#byId.delete(topicId)
  }
}

function asked({ topic, topicId, partition }: PartitionRef): PartitionRef {
  return topic ? { topic, partition } : { topicId, partition }
}

/** Calls `waiter` whenever something became readable there. Returns how to stop. */
export function watchLeader(leader: Leader, waiter: (advanced: Advanced) => void): () => void {
  const { watch, waiters, link } = leader
  if (!watch.isOn && link.tell('watch', {})) {
    watch.isOn = true
    watch.begun++
  }
  waiters.add(waiter)
  return () => waiters.delete(waiter)
}

function tellWaiters({ watch, waiters, link }: Leader, advanced: Advanced): void {
  if (watch.ends) watch.ends = furtherOf(watch.ends, advanced)
  // Watching ends with the first news that nobody waits for, so a busy reader does not subscribe and unsubscribe all the time.
  if (waiters.size === 0) {
    link.tell('unwatch', {})
    watch.isOn = false
    watch.ends = undefined
  }
  for (const waiter of waiters) waiter(advanced)
}

/** Takes in what a watched leader answered to an ask of the watch's `begun`. News that were said later may have come before the answer: ends only grow. */
export function noteEnds({ watch }: Leader, begun: number, { ends, now }: { ends: LogEnds; now: number }): void {
  if (!watch.isOn || watch.begun !== begun) return
  watch.ends = furtherOf(ends, watch.ends ?? ends)
  watch.askedAtMs = now
}

/**
 * The ends of a watched leader, from its answer and its news since; undefined: ask it. News that a full link did not take come with the next commit, so
 * no answer is built upon for longer than `ENDS_HOLD_MS`.
 */
export function knownEnds({ watch }: Leader, now: number): LogEnds | undefined {
  return watch.isOn && now - watch.askedAtMs < ENDS_HOLD_MS ? watch.ends : undefined
}

function furtherOf(ends: LogEnds, { highWatermark, lastStableOffset }: Omit<LogEnds, 'logStartOffset'>): LogEnds {
  return {
    highWatermark: Math.max(ends.highWatermark, highWatermark),
    lastStableOffset: Math.max(ends.lastStableOffset, lastStableOffset),
    logStartOffset: ends.logStartOffset,
  }
}
