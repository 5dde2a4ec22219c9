// How long a rebalance keeps records from their readers: a third member joins, or leaves, until every partition delivers again; in one process, by each of
// the protocols.

import type { Broker } from '@odradek/broker'
import { type Consumer, type ConsumerOptions, createConsumer } from '@odradek/consumer'
import { createProducer } from '@odradek/producer'
import { benchBroker } from '../bench-broker.ts'
import { atMost, type BenchFigure, reported } from '../bench-row.ts'
import { median } from '../median.rules.ts'

const PARTITIONS = 6
/** Joins and leaves before those that count: V8 compiles what they run, in the threads of the members as in those of the broker. */
const WARM_ROUNDS = 60
const ROUNDS = 60
/** Of the warm-up, told apart: what a process meets that rebalances for the first times. */
const FIRST_ROUNDS = 15
const TOPIC = 'bench'
const GIVE_UP_MS = 30_000

/** When a partition was given to whom last, and when that owner first saw a record of it. */
interface Turn {
  readonly owner: string
  readonly assignedAt: number
  deliveredAt: number
}

type Options = Partial<ConsumerOptions>

class RebalancingGroup {
  readonly #broker: Broker
  readonly #options: Options
  readonly #members = new Map<string, Consumer>()
  readonly #turns = new Map<number, Turn>()
  #names = 0

  constructor(broker: Broker, options: Options) {
    this.#broker = broker
    this.#options = options
  }

  join(): string {
    const name = `member-${this.#names++}`
    const consumer = createConsumer({
      bootstrapServers: this.#broker,
      groupId: 'bench',
      clientId: name,
      ...this.#options,
      onAssigned: partitions => {
        const assignedAt = performance.now()
        for (const { partition } of partitions) {
          this.#turns.set(partition, { owner: name, assignedAt, deliveredAt: Number.NaN })
        }
      },
    })
    this.#members.set(name, consumer)
    void consumer.batch(TOPIC, ({ partition }) => {
      const turn = this.#turns.get(partition)
      if (turn?.owner === name && Number.isNaN(turn.deliveredAt)) turn.deliveredAt = performance.now()
    })
    return name
  }

  leave(name: string): Promise<void> {
    const consumer = this.#members.get(name)!
    this.#members.delete(name)
    return consumer.close()
  }

  /** Milliseconds from `since` until every partition had delivered a record to the member that it is with by then. */
  async delivering(since: number): Promise<number> {
    const deadline = performance.now() + GIVE_UP_MS
    while (!this.#isDelivering()) {
      if (performance.now() > deadline) throw new Error('the group does not settle')
      await new Promise(resolve => setTimeout(resolve, 1))
    }
    return Math.max(0, ...[...this.#turns.values()].map(({ deliveredAt }) => deliveredAt - since))
  }

  async close(): Promise<void> {
    await Promise.all([...this.#members.values()].map(consumer => consumer.close()))
  }

  #isDelivering(): boolean {
    const shares = [...this.#members.values()].map(consumer => consumer.assignment().length)
    const isShared = shares.every(share => share > 0) && shares.reduce((sum, share) => sum + share, 0) === PARTITIONS
    if (!isShared || this.#turns.size < PARTITIONS) return false
    return [...this.#turns.values()].every(({ owner, deliveredAt }) => this.#members.has(owner) && deliveredAt > 0)
  }
}

async function measure(protocol: string, options: Options): Promise<BenchFigure[]> {
  const config = { 'group.initial.rebalance.delay.ms': '0' }
  await using broker = await benchBroker({ storage: 'memory', listen: false, topics: { [TOPIC]: PARTITIONS }, config })
  await using producer = createProducer({ bootstrapServers: broker, lingerMs: 0 })
  const writing = setInterval(() => {
    for (let partition = 0; partition < PARTITIONS; partition++) {
      void producer.send(TOPIC, { partition, value: Buffer.from('x') })
    }
  }, 2)
  const group = new RebalancingGroup(broker, options)
  const [joined, left]: [number[], number[]] = [[], []]
  try {
    group.join()
    group.join()
    await group.delivering(performance.now())
    for (let round = 0; round < WARM_ROUNDS + ROUNDS; round++) {
      const comes = performance.now()
      const third = group.join()
      const joinMs = await group.delivering(comes)
      const goes = performance.now()
      const leaving = group.leave(third)
      const leaveMs = await group.delivering(goes)
      await leaving
      joined.push(joinMs)
      left.push(leaveMs)
    }
  } finally {
    clearInterval(writing)
    await group.close()
  }
  return [
    atMost(`${protocol}: third joins, p50 ms`, median(joined.slice(WARM_ROUNDS)), 20),
    atMost(`${protocol}: third leaves, p50 ms`, median(left.slice(WARM_ROUNDS)), 20),
    reported(`${protocol}: the first ${FIRST_ROUNDS} joins, p50 ms`, median(joined.slice(0, FIRST_ROUNDS))),
    reported(`${protocol}: the first ${FIRST_ROUNDS} leaves, p50 ms`, median(left.slice(0, FIRST_ROUNDS))),
  ]
}

export async function rebalance(): Promise<BenchFigure[]> {
  return [
    ...(await measure('eager', { partitionAssignmentStrategy: 'range' })),
    ...(await measure('cooperative', { partitionAssignmentStrategy: 'cooperative-sticky' })),
    ...(await measure('consumer', { groupProtocol: 'consumer' })),
  ]
}
