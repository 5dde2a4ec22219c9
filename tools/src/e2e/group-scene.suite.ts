// A scene for the group suites: members of one group that read in the background, what each of them saw, and a wait for what must come to be true.
import type { Consumer } from '@odradek/consumer/consumer-client'
import type { ConsumerOptions } from '@odradek/consumer/consumer-options'
import { createConsumer } from '@odradek/consumer/create-consumer'
import { createProducer } from '@odradek/producer/create-producer'
import { string } from '@odradek/shared/client/codecs'
import { topic } from '@odradek/shared/client/topic'
import { BecomingTrue } from './becoming-true.ts'
import type { Target } from './targets.ts'

/** One record as a member saw it; `by` is the member. */
export interface Sighting {
  readonly by: string
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
  readonly key: string
  readonly value: string
}

/** For what never comes: a busy machine may take its time. */
const PATIENCE_MS = 60_000

export class GroupScene {
  readonly target: Target
  readonly groupId: string
  readonly seen: Sighting[] = []
  readonly members: GroupMember[] = []
  readonly #becoming = new BecomingTrue(PATIENCE_MS, () => this.#story())
  readonly #foreign: (() => Promise<unknown>)[] = []

  constructor(target: Target, groupId: string) {
    this.target = target
    this.groupId = groupId
  }

  /** A member of the group; it reads nothing before `read`. */
  member(name: string, options: Partial<ConsumerOptions> = {}): GroupMember {
    const member = new GroupMember(this, name, options)
    this.members.push(member)
    return member
  }

  saw(sighting: Sighting): void {
    this.seen.push(sighting)
    this.changed()
  }

  changed(): void {
    this.#becoming.changed()
  }

  /** Waits until it is true; `what` is said when it never is. */
  until(what: string, isTrue: () => boolean): Promise<void> {
    return this.#becoming.until(what, isTrue)
  }

  /** Every partition has exactly one owner, and everyone named owns some if there are enough. */
  shared(topicName: string, partitions: number, owners: readonly GroupMember[]): Promise<void> {
    return this.until(`${partitions} partitions of ${topicName} shared by ${owners.map(({ name }) => name)}`, () => {
      const lists = owners.map(owner => owner.owned(topicName))
      const all = lists.flat().sort((a, b) => a - b)
      const isWhole = all.length === partitions && all.every((partition, index) => partition === index)
      return isWhole && (owners.length > partitions || lists.every(list => list.length > 0))
    })
  }

  /** Waits until no rebalance follows any more: the members agree on a generation for a while. */
  async settled(members: readonly GroupMember[]): Promise<void> {
    let same = 0
    let last = ''
    while (same < 5) {
      const generations = await Promise.all(
        members.map(async ({ consumer }) => (await consumer.groupMetadata()).generationId),
      )
      same = `${generations}` === last && new Set(generations).size === 1 ? same + 1 : 0
      last = `${generations}`
      await new Promise(resolve => setTimeout(resolve, 100))
    }
  }

  /** Sends `count` records over 16 keys; each value is `key:n` with n counting up per key from `from`. */
  async produce(topicName: string, count: number, from = 0): Promise<void> {
    await using producer = createProducer({ bootstrapServers: this.target.bootstrapServers })
    const records = Array.from({ length: count }, (_, i) => ({
      key: `key-${i % 16}`,
      value: `${from + Math.floor(i / 16)}`,
    }))
    await producer.send(words(topicName), records)
  }

  /** Distinct records that were seen. */
  get distinct(): number {
    return new Set(this.seen.map(({ topic: name, partition, offset }) => `${name}-${partition}@${offset}`)).size
  }

  /** Ends with the scene. */
  also(close: () => Promise<unknown>): void {
    this.#foreign.push(close)
  }

  async close(): Promise<void> {
    await Promise.all([...this.members.map(member => member.close()), ...this.#foreign.map(close => close())])
  }

  #story(): string {
    return this.members
      .map(({ name, log, consumer }) => {
        const owned = consumer.assignment().map(({ topic: name, partition }) => `${name}-${partition}`)
        return `${name}: owns ${owned.join() || 'nothing'}; ${log.join(' ')}`
      })
      .join('\n')
  }
}

export const words = (name: string) => topic(name, { key: string(), value: string() })

export class GroupMember {
  readonly name: string
  readonly consumer: Consumer
  /** Hooks as they ran: `+2` assigned, `-2` revoked, `!2` lost. */
  readonly log: string[] = []
  readonly #scene: GroupScene
  #reading: Promise<void> = Promise.resolve()
  error: unknown = null

  constructor(scene: GroupScene, name: string, options: Partial<ConsumerOptions>) {
    this.#scene = scene
    this.name = name
    const hook =
      (sign: string, given: ConsumerOptions['onAssigned']): ConsumerOptions['onAssigned'] =>
      async list => {
        this.log.push(`${sign}${list.length}`)
        await given?.(list)
        scene.changed()
      }
    this.consumer = createConsumer({
      bootstrapServers: scene.target.bootstrapServers,
      groupId: scene.groupId,
      clientId: name,
      autoOffsetReset: 'earliest',
      ...(options.groupProtocol === 'consumer' ? {} : { heartbeatIntervalMs: 100, sessionTimeoutMs: 10_000 }),
      metadataMaxAgeMs: 1_000,
      ...options,
      onAssigned: hook('+', options.onAssigned),
      onRevoked: hook('-', options.onRevoked),
      onLost: hook('!', options.onLost),
    })
  }

  /** Reads in the background until closed; `work` is awaited for each record. */
  read(topics: string | RegExp, work: (sighting: Sighting) => unknown = () => {}): this {
    const subscription = typeof topics === 'string' ? words(topics) : topics
    this.#reading = this.consumer
      .each(subscription as ReturnType<typeof words>, async record => {
        const { topic: topicName, partition, offset, key, value } = record
        const sighting = { by: this.name, topic: topicName, partition, offset, key: `${key}`, value: `${value}` }
        await work(sighting)
        this.#scene.saw(sighting)
      })
      .catch(error => {
        this.error = error
        this.#scene.changed()
      })
    return this
  }

  owned(topicName: string): number[] {
    return this.consumer
      .assignment()
      .filter(({ topic: name }) => name === topicName)
      .map(({ partition }) => partition)
  }

  async close(): Promise<void> {
    await this.consumer.close()
    await this.#reading
  }
}

/** Sightings of each key in the order in which they were seen first must count up without a gap. */
export function keysOutOfOrder(seen: readonly Sighting[]): string[] {
  const next = new Map<string, number>()
  const wrong: string[] = []
  const known = new Set<string>()
  for (const { topic: name, partition, offset, key, value } of seen) {
    const id = `${name}-${partition}@${offset}`
    if (known.has(id)) continue
    known.add(id)
    const expected = next.get(key) ?? 0
    if (Number(value) !== expected) wrong.push(`${key}: ${value} instead of ${expected}`)
    next.set(key, Number(value) + 1)
  }
  return wrong
}
