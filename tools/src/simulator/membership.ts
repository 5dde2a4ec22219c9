// Members of consumer groups in a simulation: the public Consumer, one after another in one place. It polls, works, commits as its plan says,
// and now and then stalls, leaves, dies or asks for a rebalance. Hooks tell the history who holds what; only what was processed is read.
import type { Consumer } from '@odradek/consumer/consumer-client'
import type { ConsumerRecord } from '@odradek/consumer/consumer-record'
import { createConsumer } from '@odradek/consumer/create-consumer'
import { nameOf } from '@odradek/consumer/partition-names.rules'
import { KafkaError } from '@odradek/shared/base/errors'
import type { TopicPartition } from '@odradek/shared/contracts/consumer.contract'
import { FIRM_SESSION_MS, type GroupPlan, type MemberPlan, pick } from './client-plans.rules.ts'
import type { CrewMember, Ends, Surroundings } from './crew-member.ts'
import type { Tenure } from './history.ts'
import type { MortalDoor } from './process-life.ts'
import { textTopic } from './producing.ts'

interface Holding {
  readonly tenure: Tenure
  readonly session: number
  /** Next offset to process; -1: nothing was processed yet. */
  next: number
}

export class SimulatedMember implements CrewMember {
  readonly name: string
  readonly #around: Surroundings
  readonly #group: GroupPlan
  readonly #plan: MemberPlan
  readonly #topics: readonly string[]
  readonly #holdings = new Map<string, Holding>()
  #consumers = 0
  #sessions = 0
  #door: MortalDoor | null = null
  #consumer: Consumer | null = null
  #working: Promise<unknown> = Promise.resolve()
  /** It was given its part since it joined. */
  #isSettled = false
  #isCalm = false
  #isOver = false

  constructor(name: string, around: Surroundings, group: GroupPlan, plan: MemberPlan) {
    this.name = name
    this.#around = around
    this.#group = group
    this.#plan = plan
    this.#topics = around.plan.topics.filter(({ use }) => use === 'records').map(topic => topic.name)
  }

  async work(): Promise<void> {
    this.#working = this.#live()
    await this.#working
  }

  async settle(): Promise<void> {
    this.#isCalm = true
  }

  async behind(ends: Ends): Promise<string | null> {
    const consumer = this.#consumer
    if (consumer === null) return `${this.name} is between two consumers`
    for (const [place, { tenure }] of this.#holdings) {
      const position = await consumer.position(tenure).catch(() => -1n)
      const end = ends.get(place) ?? 0
      if (position < end) return `${this.name} at ${place}@${position} of ${end}`
    }
    return null
  }

  /** What it holds now, as `topic-partition`. */
  get held(): readonly string[] {
    return [...this.#holdings.keys()]
  }

  async close(): Promise<void> {
    this.#isOver = true
    await this.#working
  }

  toString(): string {
    return `${this.name} holds ${this.held.join(', ') || 'nothing'}`
  }

  // --- one consumer after another ---------------------------------------------------------------------------------------------------

  async #live(): Promise<void> {
    // Some come later.
    if (this.#around.random.int(2) === 0) await this.#rest(1_500)
    while (!this.#isOver) {
      const consumer = this.#begin()
      try {
        await consumer.subscribe(this.#topics.map(textTopic))
        await this.#workWith(consumer)
      } catch (thrown) {
        await this.#failed(thrown)
      }
      await this.#rest(300)
    }
  }

  #begin(): Consumer {
    const { life, random } = this.#around
    const { groupId, protocol, strategy, remoteAssignor, sessionTimeoutMs, maxPollIntervalMs } = this.#group
    const { commits, instanceId } = this.#plan
    const member = `${this.name}.${++this.#consumers}`
    this.#isSettled = false
    this.#door = life.door()
    // The hooks of one that died may be called yet, by news that was on its way: they are not its successor's.
    const own = this.#consumers
    const lives = () => this.#consumer !== null && this.#consumers === own
    this.#consumer = createConsumer({
      bootstrapServers: this.#door.broker,
      clientId: member,
      groupId,
      groupProtocol: protocol,
      ...(protocol === 'classic'
        ? {
            partitionAssignmentStrategy: strategy,
            sessionTimeoutMs,
            heartbeatIntervalMs: Math.min(200, Math.floor(sessionTimeoutMs / 3)),
          }
        : {}),
      ...(protocol === 'consumer' && remoteAssignor !== undefined ? { groupRemoteAssignor: remoteAssignor } : {}),
      ...(instanceId === null ? {} : { groupInstanceId: instanceId }),
      maxPollIntervalMs,
      autoOffsetReset: 'earliest',
      enableAutoCommit: commits === 'auto' || commits === 'each',
      autoCommitIntervalMs: pick(random, [50, 300]),
      maxPollRecords: pick(random, [1, 10, 500]),
      metadataMaxAgeMs: 1_000,
      onAssigned: partitions => (lives() ? this.#assigned(partitions) : undefined),
      onRevoked: partitions => (lives() ? this.#revoked(partitions) : undefined),
      onLost: partitions => {
        if (!lives()) return
        this.#isSettled = false
        this.#ended(partitions, 'lost')
      },
    })
    if (instanceId !== null) this.#instance('began')
    return this.#consumer
  }

  async #workWith(consumer: Consumer): Promise<void> {
    const { random } = this.#around
    if (this.#plan.commits === 'each') return this.#each(consumer)
    while (!this.#isOver) {
      const records = await consumer.poll(pick(random, [0, 20, 100]))
      // What is lost and given again while records are in hand is read again: these are of the old tenure.
      const holdings = new Map(this.#holdings)
      for (const record of records) await this.#process(record, holdings)
      if (records.length > 0 || random.int(8) === 0) await this.#commit(consumer)
      if (!this.#isCalm && (await this.#mischief(consumer))) return
      await this.#rest(20)
    }
    await this.#leave(consumer)
  }

  async #each(consumer: Consumer): Promise<void> {
    const ending = new AbortController()
    const reading = consumer.each(undefined, record => this.#process(record, this.#holdings), {
      partitionConcurrency: 2,
      signal: ending.signal,
    })
    let hasFailed = false
    reading.catch(() => {
      hasFailed = true
    })
    let isLeft = false
    while (!this.#isOver && !isLeft && !hasFailed) {
      await this.#rest(50)
      if (!this.#isCalm) isLeft = await this.#mischief(consumer)
    }
    ending.abort()
    await reading
    if (!isLeft) await this.#leave(consumer)
  }

  /** Now and then something that members do; true when this consumer is no more. */
  async #mischief(consumer: Consumer): Promise<boolean> {
    const { random, life } = this.#around
    if (random.int(this.#plan.restlessOnceIn) > 0) return false
    const deeds = this.#plan.instanceId === null ? 5 : 2
    switch (random.int(deeds)) {
      case 0:
        await this.#leave(consumer)
        return true
      case 1:
        await this.#die()
        return true
      case 2:
        await consumer.enforceRebalance().catch(() => undefined)
        return false
      case 3:
        // It is busy with something else for longer than a session, and sometimes than a poll interval.
        await life.pass(pick(random, [600, 2_000]))
        return false
      default:
        // It is cut off for longer than a short session, and does not know it: it goes on committing.
        await this.#door?.freeze(pick(random, [300, 1_200, 2_000]))
        return false
    }
  }

  async #leave(consumer: Consumer): Promise<void> {
    await consumer.close()
    this.#gone()
  }

  /** Its process ends: nothing of it is heard any more. */
  async #die(): Promise<void> {
    const door = this.#door
    this.#gone()
    await door?.abandon()
  }

  async #failed(thrown: unknown): Promise<void> {
    if (!(thrown instanceof KafkaError)) throw thrown
    // As in Kafka, the new id of a static member is written down when its rebalance is complete: a coordinator that dies before that does not
    // know it, and fences it.
    if (thrown.kafkaName === 'FENCED_INSTANCE_ID' && this.#isSettled) this.#instance('fenced')
    const consumer = this.#consumer
    this.#gone()
    await consumer?.close().catch(() => undefined)
  }

  #gone(): void {
    this.#consumer = null
    for (const place of this.held) this.#end(place, 'gone')
  }

  async #rest(maxMs: number): Promise<void> {
    const { life, random } = this.#around
    await life.pass(1 + random.int(maxMs))
  }

  // --- what it holds ----------------------------------------------------------------------------------------------------------------

  #assigned(partitions: readonly TopicPartition[]): void {
    this.#isSettled = true
    const { groupId, sessionTimeoutMs, maxPollIntervalMs } = this.#group
    const isFirm = sessionTimeoutMs >= FIRM_SESSION_MS && maxPollIntervalMs >= FIRM_SESSION_MS
    for (const { topic, partition } of partitions) {
      const tenure = this.#around.history.assigned({ groupId, member: this.#member, isFirm, topic, partition })
      this.#holdings.set(nameOf(tenure), { tenure, session: ++this.#sessions, next: -1 })
    }
  }

  async #revoked(partitions: readonly TopicPartition[]): Promise<void> {
    const { commits } = this.#plan
    const consumer = this.#consumer
    if (consumer !== null && (commits === 'sync' || commits === 'async')) {
      await this.#commitThese(consumer, partitions.map(nameOf)).catch(() => undefined)
    }
    this.#ended(partitions, 'revoked')
  }

  #ended(partitions: readonly TopicPartition[], ending: 'revoked' | 'lost'): void {
    for (const at of partitions) this.#end(nameOf(at), ending)
  }

  #end(place: string, ending: 'revoked' | 'lost' | 'gone'): void {
    const holding = this.#holdings.get(place)
    if (holding === undefined) return
    this.#holdings.delete(place)
    this.#around.history.tenureEnded(holding.tenure, ending)
  }

  get #member(): string {
    return `${this.name}.${this.#consumers}`
  }

  #instance(kind: 'began' | 'fenced'): void {
    const { groupId } = this.#group
    this.#around.history.instance({ kind, groupId, instanceId: this.#plan.instanceId!, member: this.#member })
  }

  // --- records and commits ----------------------------------------------------------------------------------------------------------

  /** `holdings`: when it came. */
  async #process(record: ConsumerRecord<any, any>, holdings: ReadonlyMap<string, Holding>): Promise<void> {
    const { life, random, history } = this.#around
    const { topic, partition, offset, key, value } = record
    const place = nameOf(record)
    const holding = holdings.get(place)
    if (holding === undefined || this.#holdings.get(place) !== holding) return
    const { workMaxMs } = this.#plan
    if (workMaxMs > 0 && !this.#isCalm) await life.pass(random.int(workMaxMs))
    // It was taken away meanwhile: whoever has it now does this record.
    if (this.#holdings.get(place) !== holding) return
    holding.next = Number(offset) + 1
    const at = { topic, partition, offset: Number(offset), key, value }
    history.read({ reader: holding.tenure.member, session: holding.session, committedOnly: false, ...at })
  }

  async #commit(consumer: Consumer): Promise<void> {
    const { commits } = this.#plan
    if (commits === 'auto' || commits === 'each') return
    const commit = this.#commitThese(consumer, this.held)
    if (commits === 'sync') await commit.catch(refusedOrThrow)
    else commit.catch(() => undefined)
  }

  async #commitThese(consumer: Consumer, places: readonly string[]): Promise<void> {
    const { history } = this.#around
    const holdings = places.map(place => this.#holdings.get(place)).filter(holding => holding !== undefined)
    const worked = holdings.filter(({ next }) => next >= 0)
    if (worked.length === 0) return
    const sent = worked.map(({ tenure: { groupId, member, topic, partition }, next }) =>
      history.committing({ groupId, member, topic, partition, offset: next }),
    )
    await consumer.commit(sent.map(({ topic, partition, offset }) => ({ topic, partition, offset })))
    for (const commit of sent) history.commitAcknowledged(commit)
  }
}

/** A commit that the group refuses is no reason to end: those records come again. */
function refusedOrThrow(thrown: unknown): void {
  if (!(thrown instanceof KafkaError) || thrown.fatal) throw thrown
}
