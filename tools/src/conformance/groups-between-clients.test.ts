// Groups of real clients over TCP: of one kind by every strategy that it has, and mixed where clients share a strategy; members come and go under load, and
// every record is read. Static members come back to what they had.
import { type Broker, createBroker } from '@odradek/broker/create-broker'
import { createProducer } from '@odradek/producer/create-producer'
import { createAdmin } from '@odradek/shared/client/admin'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { BecomingTrue } from '../e2e/becoming-true.ts'
import { drivenMemberKinds } from './driven-members.ts'
import type { ForeignMember, MemberHouse, MemberKind, Strategy } from './group-member.ts'
import { nodeMemberKinds } from './node-members.ts'

const PARTITIONS = 6
const PATIENCE_MS = 100_000
const TEST_MS = 150_000

const kinds: readonly MemberKind[] = [...nodeMemberKinds, ...drivenMemberKinds]
const present = kinds.filter(({ missing }) => missing === null)
const absent = kinds.filter(({ missing }) => missing !== null)

let broker: Broker
const houses = new Map<string, MemberHouse>()
let topics = 0

beforeAll(async () => {
  broker = await createBroker({
    storage: 'memory',
    threads: 4,
    config: {
      'group.initial.rebalance.delay.ms': '0',
      'group.consumer.min.heartbeat.interval.ms': '100',
      'group.consumer.heartbeat.interval.ms': '200',
    },
  })
  for (const kind of present) houses.set(kind.name, await kind.open(broker.bootstrapServers))
}, 120_000)
afterAll(async () => {
  await Promise.all([...houses.values()].map(house => house.close()))
  await broker?.close()
}, 60_000)

/** One group and its topic, under load from its first to its last moment. */
class Stage {
  readonly topic = `group-${++topics}`
  readonly seen = new Set<string>()
  readonly members = new Set<ForeignMember>()
  readonly #strategy: Strategy
  readonly #becoming = new BecomingTrue(PATIENCE_MS, () => this.#story())
  #sent = 0

  constructor(strategy: Strategy) {
    this.#strategy = strategy
  }

  async join(kind: MemberKind, groupInstanceId?: string): Promise<ForeignMember> {
    const member = await houses.get(kind.name)!.join({
      groupId: this.topic,
      topic: this.topic,
      strategy: this.#strategy,
      ...(groupInstanceId === undefined ? {} : { groupInstanceId }),
      onRecord: (_partition, _offset, value) => {
        this.seen.add(value)
        this.#becoming.changed()
      },
      onChange: () => this.#becoming.changed(),
    })
    this.members.add(member)
    return member
  }

  async leave(member: ForeignMember): Promise<void> {
    this.members.delete(member)
    await member.leave()
  }

  /** Some records to every partition. */
  async load(): Promise<void> {
    await using producer = createProducer({ bootstrapServers: broker })
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const values = Array.from({ length: 20 }, () => String(this.#sent++))
      await producer.send(
        this.topic,
        values.map(value => ({ partition, value: Buffer.from(value) })),
      )
    }
  }

  /** Every partition has exactly one owner, every member some. */
  shared(): Promise<void> {
    return this.until('the partitions are shared', () => {
      const lists = [...this.members].map(member => member.owned())
      const all = lists.flat().sort((a, b) => a - b)
      return all.join() === '0,1,2,3,4,5' && lists.every(list => list.length > 0)
    })
  }

  allSeen(): Promise<void> {
    return this.until('all was read', () => this.seen.size === this.#sent)
  }

  until(what: string, isTrue: () => boolean): Promise<void> {
    return this.#becoming.until(what, () => {
      const failed = [...this.members].map(member => member.error()).find(error => error !== null)
      if (failed !== undefined) throw new Error(`a member failed: ${failed}`)
      return isTrue()
    })
  }

  async close(): Promise<void> {
    for (const member of [...this.members]) await this.leave(member)
  }

  #story(): string {
    const owned = [...this.members].map(member => member.owned())
    return `${this.seen.size} of ${this.#sent} read, owned ${JSON.stringify(owned)}`
  }
}

async function stage(strategy: Strategy): Promise<Stage> {
  const made = new Stage(strategy)
  await using admin = createAdmin({ bootstrapServers: broker })
  await admin.topics.create([{ name: made.topic, partitions: PARTITIONS }])
  onTestFinished(() => made.close(), 60_000)
  return made
}

const alone = present.flatMap(kind => kind.strategies.map(strategy => ({ name: kind.name, strategy, kind })))

test.each(alone)(
  'three members of $name, $strategy: one comes and one goes under load, and every record is read',
  async ({ kind, strategy }) => {
    const group = await stage(strategy)
    await group.load()
    const first = await group.join(kind)
    await group.shared()
    await group.join(kind)
    await group.load()
    await group.join(kind)
    await group.load()
    await group.shared()
    await group.leave(first)
    await group.load()
    await group.shared()
    await group.allSeen()
    expect(group.seen.size).toBe(4 * 20 * PARTITIONS)
  },
  TEST_MS,
)

/** What more than one kind of client can speak with the others. */
const common: readonly Strategy[] = ['range', 'roundrobin', 'sticky', 'cooperative-sticky', 'consumer']

test.each(common)(
  'one group of all clients that have %s: each comes and most go under load, and every record is read',
  async strategy => {
    const speakers = present.filter(({ strategies }) => strategies.includes(strategy))
    expect(speakers.length).toBeGreaterThan(0)
    const group = await stage(strategy)
    const members: ForeignMember[] = []
    for (const kind of speakers) {
      await group.load()
      members.push(await group.join(kind))
      await group.shared()
    }
    await group.load()
    await group.allSeen()
    for (const member of members.slice(0, -1)) {
      await group.leave(member)
      await group.load()
      await group.shared()
    }
    await group.allSeen()
    expect(group.seen.size).toBe(2 * speakers.length * 20 * PARTITIONS)
  },
  TEST_MS,
)

const still = present
  .filter(({ hasStatic }) => hasStatic)
  .flatMap(kind =>
    kind.strategies
      .filter(strategy => ['range', 'consumer'].includes(strategy))
      .map(strategy => ({ name: kind.name, strategy, kind })),
  )

test.each(still)(
  'a static member of $name, $strategy, that comes back has what it had, and nobody else is moved',
  async ({ kind, strategy }) => {
    const group = await stage(strategy)
    await group.load()
    const stays = await group.join(kind, 'stays')
    await group.shared()
    const goes = await group.join(kind, 'goes')
    await group.shared()
    const [kept, left] = [[...stays.owned()].sort(), [...goes.owned()].sort()]
    await group.leave(goes)
    const back = await group.join(kind, 'goes')
    await group.until('it has what it had', () => [...back.owned()].sort().join() === left.join())
    expect([...stays.owned()].sort()).toEqual(kept)
    await group.load()
    await group.allSeen()
  },
  TEST_MS,
)

for (const { name, missing } of absent)
  describe.skipIf(true)(`${name}: ${missing}`, () => test('is here', () => expect(missing).toBeNull()))
