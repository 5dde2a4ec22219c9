// The tour's consumer side: a group of several members, each on a thread of its own, of which one is killed in mid-stream. Follows who owns what, and takes down
// what everybody processed.
import { BroadcastChannel, setEnvironmentData } from 'node:worker_threads'
import { builtUrl } from '@odradek/shared/actor/built-url'
import { systemClock } from '@odradek/shared/base/clock'
import { type Broker, consume, type WorkerConsumers } from '../index.ts'
import { Latencies } from '../load/latencies.ts'
import { DeliveryBook } from './deliveries.rules.ts'
import { type FromMember, GROUP_CHANNEL } from './group-messages.ts'
import type { RebalanceFigures } from './tour-report.rules.ts'

export const TOUR_GROUP = 'odradek-tour'
export const MEMBERS = 3
/** A member that says nothing for so long is dead for the group; Kafka's default is 45 s. */
export const SESSION_MS = 2_000
const LOOK_MS = 20
/** When nobody said anything for so long, what is missing counts as lost. */
const STALL_MS = 30_000

export class TourGroup implements AsyncDisposable {
  readonly book: DeliveryBook
  readonly latencies = new Latencies()
  readonly #workers: WorkerConsumers
  readonly #channel: BroadcastChannel
  readonly #progress: (received: number) => void
  readonly #owners: (number | null)[]
  /** Index among the workers, by member. */
  readonly #workerOf = new Map<number, number>()
  readonly #ownedSinceMs: number[]
  #changedMs = systemClock.monotonic()
  #failure: Error | null = null

  constructor(broker: Broker, topic: string, starts: readonly number[], progress: (received: number) => void) {
    this.book = new DeliveryBook(starts)
    this.#progress = progress
    this.#owners = starts.map(() => null)
    this.#ownedSinceMs = starts.map(() => 0)
    const name = `${GROUP_CHANNEL}-${process.pid}-${systemClock.now()}`
    this.#channel = new BroadcastChannel(name)
    this.#channel.onmessage = event => this.#heard((event as { readonly data: FromMember }).data)
    setEnvironmentData(GROUP_CHANNEL, name)
    this.#workers = consume(new URL(builtUrl(new URL('./group-handler.ts', import.meta.url).href)), {
      bootstrapServers: broker,
      groupId: TOUR_GROUP,
      topics: topic,
      threads: MEMBERS,
      clientId: 'tour-member',
      partitionAssignmentStrategy: 'cooperative-sticky',
      autoOffsetReset: 'earliest',
      autoCommitIntervalMs: 250,
      sessionTimeoutMs: SESSION_MS,
      heartbeatIntervalMs: SESSION_MS / 8,
    })
    this.#workers.done.catch(error => {
      this.#failure = error
    })
  }

  /** Resolves when every partition has an owner, and every member a share where there are enough; tells the members. */
  async ready(): Promise<number[]> {
    const owners = Math.min(MEMBERS, this.#owners.length)
    const isShared = () => !this.#owners.includes(null) && new Set(this.#owners).size === owners
    await this.until(() => this.#workerOf.size === MEMBERS && isShared())
    return [...this.#workerOf.keys()].sort((a, b) => a - b)
  }

  /** Resolves when it has become true, or when nobody said anything for long; rejects when the group has failed. */
  async until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
    while (!(await isTrue()) && systemClock.monotonic() - this.#changedMs < STALL_MS) {
      if (this.#failure !== null) throw this.#failure
      await new Promise<void>(resolve => systemClock.after(LOOK_MS, resolve))
    }
  }

  /** Ends the thread of the member that owns most; resolves when all partitions have living owners again. */
  async killOne(): Promise<RebalanceFigures> {
    await this.until(() => !this.#owners.includes(null))
    const before = [...this.#owners]
    const share = (member: number) => before.filter(owner => owner === member).length
    const living = [...new Set(before)].filter(owner => owner !== null)
    const [killed] = living.sort((a, b) => share(b) - share(a)) as [number]
    const [afterRecords, atMs] = [this.book.received, systemClock.monotonic()]
    await this.#workers.kill(this.#workerOf.get(killed)!)
    before.forEach((owner, partition) => {
      if (owner === killed) this.#owners[partition] = null
    })
    await this.until(() => !this.#owners.includes(null))
    const movedMs = (partition: number) => this.#ownedSinceMs[partition]! - atMs
    const partitions = before.map((owner, partition) => {
      const now = this.#owners[partition] ?? null
      return { partition, before: owner, now, movedMs: now === owner ? null : movedMs(partition) }
    })
    return { killed, afterRecords, partitions }
  }

  /** Everybody commits and leaves. */
  async close(): Promise<void> {
    await this.#workers.close()
    this.#channel.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #heard(message: FromMember): void {
    this.#changedMs = systemClock.monotonic()
    if (message.kind === 'started') this.#workerOf.set(message.member, message.worker)
    if (message.kind === 'assigned') {
      this.book.assigned(message.partitions)
      for (const partition of message.partitions) {
        this.#owners[partition] = message.member
        this.#ownedSinceMs[partition] = this.#changedMs
      }
    }
    if (message.kind === 'revoked') {
      for (const partition of message.partitions)
        if (this.#owners[partition] === message.member) this.#owners[partition] = null
    }
    if (message.kind !== 'processed') return
    this.book.take(message)
    for (let index = 0; index < message.latenciesMs.length; index++) this.latencies.record(message.latenciesMs[index]!)
    this.#progress(this.book.received)
  }
}
