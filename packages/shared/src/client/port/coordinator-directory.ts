// Where coordinator shards are, as one door knows it: links by kind and partition of the internal topic, found when first needed.
import type { Link } from '../../actor/actor.ts'
import { partitionForKey } from '../../base/java-hash.ts'
import type { CoordinatorKind } from '../../contracts/broker.contract.ts'
import {
  type CoordinatorContract,
  type CoordinatorRequest,
  coordinatorContract,
  type MemberRef,
} from '../../contracts/coordinator.contract.ts'
import type { LinkHost, RequestOptions } from '../cluster-link.ts'
import type { BrokerLine } from './broker-line.ts'
import { coordinatorFailure } from './port-failure.ts'

type Shard = Link<CoordinatorContract>

export class CoordinatorDirectory {
  readonly #host: LinkHost
  readonly #broker: BrokerLine
  /** By kind: shards by partition, and how many there are. */
  readonly #shards = { group: [] as (Shard | undefined)[], transaction: [] as (Shard | undefined)[] }
  readonly #partitions = { group: 0, transaction: 0 }
  readonly #members = new Map<string, () => void>()

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
    const { address } = await this.#broker.link.ask('coordinator', { kind, partition }, { deadlineMs })
    if (!address) return null
    // Another request may have opened it meanwhile.
    const opened = this.#shards[kind][partition]
    if (opened && !opened.isClosed && opened.address.incarnation === address.incarnation) return opened
    const shard = this.#host.link(coordinatorContract, address as Shard['address'])
    shard.on('rebalance', member => this.#members.get(memberKey(member))?.())
    this.#shards[kind][partition] = shard
    return shard
  }

  /** The shard that owns a key. */
  async owner(kind: CoordinatorKind, key: string, deadlineMs: number): Promise<Shard | null> {
    return this.shard(kind, partitionForKey(key, await this.partitions(kind, deadlineMs)), deadlineMs)
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

  /** Tells `listener` when the coordinator wants the member to heartbeat at once. Returns how to stop. */
  watchMember(member: MemberRef, listener: () => void): () => void {
    const key = memberKey(member)
    this.#members.set(key, listener)
    const told = this.owner('group', member.groupId, this.#host.limits.askDeadlineMs).catch(() => null)
    void told.then(shard => shard?.tell('watchMember', member))
    return () => {
      this.#members.delete(key)
      void told.then(shard => shard?.tell('unwatchMember', member))
    }
  }

  close(): void {
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
