// Exactly-once pipelines in a simulation: the real lane with its consumer and producer, copying the input topic to the output topic. Lanes
// stall, stop, die in mid-transaction, and are fenced by a second one of their transactional id.
import { createConsumer } from '@odradek/consumer/create-consumer'
import { KafkaError } from '@odradek/shared/base/errors'
import { openLane } from '../pipeline/open-lane.ts'
import type { PipelineLane } from '../pipeline/pipeline-lane.ts'
import { type PipelinePlan, pick } from './client-plans.rules.ts'
import type { CrewMember, Ends, Surroundings } from './crew-member.ts'
import type { MortalDoor } from './process-life.ts'
import { textTopic } from './producing.ts'

export const INPUT = 'input'
export const OUTPUT = 'output'

/** The function failed as functions do. */
class Mishap extends Error {}

interface Running {
  readonly lane: PipelineLane
  readonly door: MortalDoor
  readonly done: Promise<void>
}

export class SimulatedLane implements CrewMember {
  readonly name: string
  readonly #around: Surroundings
  readonly #plan: PipelinePlan
  readonly #transactionalId: string
  #running: Running | null = null
  /** Runs of which nobody hears any more. */
  readonly #left = new WeakSet<Running>()
  #working: Promise<unknown> = Promise.resolve()
  #isCalm = false
  #isOver = false

  constructor(name: string, around: Surroundings, plan: PipelinePlan, number: number) {
    this.name = name
    this.#around = around
    this.#plan = plan
    this.#transactionalId = `${plan.groupId}-${number}`
  }

  async work(): Promise<void> {
    this.#working = this.#live()
    await this.#working
  }

  async settle(): Promise<void> {
    this.#isCalm = true
  }

  /** The group has committed everything: what is copied is committed with it. */
  async behind(ends: Ends): Promise<string | null> {
    const { life } = this.#around
    const wanted = [...ends].filter(([place, end]) => place.startsWith(`${INPUT}-`) && end > 0)
    const consumer = createConsumer({
      bootstrapServers: life.broker,
      groupId: this.#plan.groupId,
      clientId: 'looking',
      isolationLevel: 'readCommitted',
    })
    try {
      const partitions = wanted.map(([place]) => ({ topic: INPUT, partition: Number(place.slice(INPUT.length + 1)) }))
      const committed = await consumer.committed(partitions)
      const late = wanted.findIndex(([, end], n) => Number(committed[n] ?? -1) < end)
      return late < 0 ? null : `${wanted[late]![0]} was copied up to ${committed[late]} of ${wanted[late]![1]}`
    } catch (thrown) {
      if (!(thrown instanceof KafkaError)) throw thrown
      return `the offsets of ${this.#plan.groupId}: ${thrown.message}`
    } finally {
      await consumer.close()
    }
  }

  async close(): Promise<void> {
    this.#isOver = true
    this.#running?.lane.stop()
    await this.#working
  }

  async #live(): Promise<void> {
    const { life, random } = this.#around
    while (!this.#isOver) {
      const running = this.#start()
      this.#running = running
      let hasEnded = false
      const ended = running.done.catch(refuseBugs).finally(() => {
        hasEnded = true
      })
      while (!hasEnded && !this.#isOver) {
        await life.pass(20 + random.int(50))
        if (!this.#isCalm && (await this.#mischief(running))) break
      }
      if (this.#isOver) running.lane.stop()
      if (!this.#left.has(running)) await ended
      if (!this.#isOver) await life.pass(random.int(200))
    }
  }

  /** True when the lane is not this one's any more. */
  async #mischief(running: Running): Promise<boolean> {
    switch (this.#around.random.int(90)) {
      case 0:
        running.lane.stop()
        return true
      case 1:
        this.#left.add(running)
        running.done.catch(() => undefined)
        await running.door.abandon()
        return true
      case 2:
        // A second one of its transactional id fences it; nobody told it to stop.
        this.#left.add(running)
        running.done.catch(() => undefined)
        return true
      default:
        return false
    }
  }

  #start(): Running {
    const { life, random } = this.#around
    const { groupId, commitEvery, timeoutMs, sessionTimeoutMs, groupProtocol } = this.#plan
    const door = life.door()
    const lane = openLane(
      {
        from: textTopic(INPUT),
        to: textTopic(OUTPUT),
        transform: record => this.#transform(record),
        onError: 'retry',
      },
      {
        cluster: { bootstrapServers: door.broker },
        transactionalId: this.#transactionalId,
        groupId,
        commitEvery,
        consumer: {
          clientId: this.name,
          groupProtocol,
          ...(groupProtocol === 'classic'
            ? { sessionTimeoutMs, heartbeatIntervalMs: Math.floor(sessionTimeoutMs / 3) }
            : {}),
          maxPollIntervalMs: pick(random, [1_500, 30_000]),
          metadataMaxAgeMs: 1_000,
        },
        producer: {
          clientId: this.name,
          transactionTimeoutMs: timeoutMs,
          lingerMs: 0,
          deliveryTimeoutMs: 3_000,
          requestTimeoutMs: 1_000,
          maxBlockMs: 10_000,
        },
      },
      { clock: life.world.clock, random: random.fork() },
    )
    return { lane, door, done: lane.run() }
  }

  #transform({ key, value }: { readonly key: unknown; readonly value: unknown }): unknown {
    const { random, life } = this.#around
    const { failsOnceIn } = this.#plan
    if (!this.#isCalm && failsOnceIn > 0 && random.int(failsOnceIn) === 0) throw new Mishap('a mishap')
    if (this.#isCalm || random.int(8) > 0) return { key, value }
    return life.pass(pick(random, [1, 30, 900])).then(() => ({ key, value }))
  }
}

/** A lane ends by being fenced or closed; anything else is a bug. */
function refuseBugs(thrown: unknown): void {
  if (!(thrown instanceof KafkaError || thrown instanceof Mishap)) throw thrown
}
