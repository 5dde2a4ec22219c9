// Where coordinator shards are, as one door knows it: links by kind and partition of the internal topic, found when first needed.
import type { Address, Link } from '../../actor/actor.ts'
import { partitionForKey } from '../../base/java-hash.ts'
import type { CoordinatorKind } from '../../contracts/broker.contract.ts'
import {
  type CoordinatorContract,
  type CoordinatorRequest,
  coordinatorContract,
  type MemberRef,
} from '../../contracts/coordinator.contract.ts'
import type { GroupNews, LinkHost, RequestOptions } from '../cluster-link.ts'
import type { BrokerLine } from './broker-line.ts'
import { coordinatorFailure } from './port-failure.ts'

type Shard = Link<CoordinatorContract>

interface Watched {
  readonly member: MemberRef
  readonly listener: (news: GroupNews) => void
}

export class CoordinatorDirectory {
  readonly #host: LinkHost
  readonly #broker: BrokerLine
  /** By kind: shards by partition, and how many there are. */
  readonly #shards = { group: [] as (Shard | undefined)[], transaction: [] as (Shard | undefined)[] }
  readonly #partitions = { group: 0, transaction: 0 }
  /** Questions to the broker that are on their way: whoever else wants to know waits for the same answer. */
  readonly #asking = new Map<string, Promise<Shard | null>>()
  readonly #members = new Map<string, Watched>()
  #isClosed = false

  constructor(host: LinkHost, broker: BrokerLine) {
    this.#host = host
    this.#broker = broker
  }

  /** How many shards of a kind there are; creates the internal topic at first use. */
  async partitions(kind: CoordinatorKind, deadlineMs: number): Promise<number> {
    if (this.#partitions[kind] === 0)
      this.#partitions[kind] = (await this.#broker.link.ask('coordinator', { kind }, { deadlineMs })).partitions
    return this.#partitions[kind]
  }

  /** The shard of a partition, null when it cannot run now. Rejects with PortError when the broker does not answer. */
  async shard(kind: CoordinatorKind, partition: number, deadlineMs: number): Promise<Shard | null> {
    const known = this.#shards[kind][partition]
    if (known && !known.isClosed) return known
    if (this.#isClosed) return null
    return this.#once(`${kind} ${partition}`, async () => {
      const { address } = await this.#broker.link.ask('coordinator', { kind, partition }, { deadlineMs })
      return this.#at(kind, partition, address)
    })
  }

  #once(question: string, ask: () => Promise<Shard | null>): Promise<Shard | null> {
    const asked = this.#asking.get(question)
    if (asked !== undefined) return asked
    const asking = ask().finally(() => this.#asking.delete(question))
    this.#asking.set(question, asking)
    return asking
  }

  /** Another request may have opened it meanwhile. A link to a shard that has ended closes by itself, so an open one is never replaced. */
  #at(kind: CoordinatorKind, partition: number, address: Address | null): Shard | null {
    if (!address || this.#isClosed) return null
    const opened = this.#shards[kind][partition]
    return opened && !opened.isClosed ? opened : this.#open(kind, partition, address as Shard['address'])
  }

  #open(kind: CoordinatorKind, partition: number, address: Shard['address']): Shard {
    const shard = this.#host.link(coordinatorContract, address)
    this.#shards[kind][partition] = shard
    if (kind === 'transaction') return shard
    shard.on('rebalance', news => this.#members.get(memberKey(news))?.listener(news))
    // A shard that was started anew does not know who watches.
    for (const { member } of this.#members.values()) {
      if (this.#partitionOf('group', member.groupId) === partition) shard.tell('watchMember', member)
    }
    return shard
  }

  /** Of a key, once the number of partitions is known. */
  #partitionOf(kind: CoordinatorKind, key: string): number {
    return partitionForKey(key, this.#partitions[kind])
  }

  /** The shard that owns a key. The first question tells both how many there are and where this one runs. */
  async owner(kind: CoordinatorKind, key: string, deadlineMs: number): Promise<Shard | null> {
    if (this.#partitions[kind] > 0) return this.shard(kind, this.#partitionOf(kind, key), deadlineMs)
    return this.#once(`${kind} of ${key}`, async () => {
      const { partitions, address } = await this.#broker.link.ask('coordinator', { kind, key }, { deadlineMs })
      this.#partitions[kind] = partitions
      return partitions === 0 ? null : this.#at(kind, this.#partitionOf(kind, key), address)
    })
  }

  /** Asks the owner of `key`; resolves with the API's response, or with Kafka's code when it could not be asked. */
  async ask(
    kind: CoordinatorKind,
    key: string,
    request: CoordinatorRequest,
    options: RequestOptions,
  ): Promise<unknown | number> {
    try {
      const shard = await this.owner(kind, key, options.deadlineMs)
      return shard ? await askShard(shard, request, options) : coordinatorUnavailable
    } catch (error) {
      return coordinatorFailure(error)
    }
  }

  /**
   * Tells `listener` when the coordinator wants the member to heartbeat at once, also after its shard was started anew. Returns how to stop. A later
   * watch of the same member replaces this one.
   */
  watchMember(member: MemberRef, listener: (news: GroupNews) => void): () => void {
    const key = memberKey(member)
    const watched = { member, listener }
    this.#members.set(key, watched)
    const told = this.owner('group', member.groupId, this.#host.limits.askDeadlineMs).then(
      shard => this.#members.get(key) === watched && shard?.tell('watchMember', member),
      // Whoever asks next opens the shard, and it is told then.
      () => false,
    )
    return () => {
      if (this.#members.get(key) !== watched) return
      this.#members.delete(key)
      void told.then(() => {
        if (!this.#members.has(key)) this.#groupShard(member)?.tell('unwatchMember', member)
      })
    }
  }

  #groupShard({ groupId }: MemberRef): Shard | undefined {
    return this.#shards.group[this.#partitionOf('group', groupId)]
  }

  close(): void {
    this.#isClosed = true
    for (const shards of Object.values(this.#shards)) for (const shard of shards) shard?.close()
  }
}

/** COORDINATOR_NOT_AVAILABLE. */
const coordinatorUnavailable = 15

function memberKey({ groupId, memberId }: MemberRef): string {
  return `${groupId}\u0000${memberId}`
}

/** One request to one shard. */
export async function askShard(
  shard: Shard,
  request: CoordinatorRequest,
  { deadlineMs, signal }: RequestOptions,
): Promise<unknown> {
  return (await shard.ask('request', request, signal ? { deadlineMs, signal } : { deadlineMs })).response
}
