// Actors and threads of a real broker, over LMDB, are killed while records are written and read: one kill after every few dozen
// acknowledgements, so that each strikes in the middle of work and the pace is the machine's own. Ends when all kills were survived, and tells
// what the checker says of it.
import { brokerModule } from '@odradek/broker/cluster/modules'
import { createConsumer } from '@odradek/consumer/create-consumer'
import type { Address } from '@odradek/shared/actor/actor'
import { type ActorSystem, createActorSystem } from '@odradek/shared/actor/actor-system'
import { KafkaError } from '@odradek/shared/base/errors'
import { type Random, seededRandom } from '@odradek/shared/base/random'
import { clusterDoor, type EmbeddedBroker } from '@odradek/shared/client/cluster-link'
import { string } from '@odradek/shared/client/codecs'
import { clientHostOf } from '@odradek/shared/client/open-door'
import { topic } from '@odradek/shared/client/topic'
import type { BrokerContract } from '@odradek/shared/contracts/broker.contract'
import { check, type Finding } from '../simulator/checker.rules.ts'
import { History, type Send } from '../simulator/history.ts'
import { disorder, readBack } from './reading-back.ts'
import { Writer } from './writing.ts'

export interface KillStormOptions {
  readonly dir: string
  readonly kills: number
  /** Decides what is killed when; the rest is up to the machine. */
  readonly seed: number
  /** Hears of every kill. */
  readonly progress?: (killed: number) => void
}

export interface KillStormOutcome {
  /** How often what kind was killed; `thread` for whole threads. */
  readonly killed: { readonly [kind: string]: number }
  readonly acknowledged: number
  readonly read: number
  readonly findings: readonly Finding[]
  /** Records that stand before earlier ones of the same writer. */
  readonly disorder: readonly string[]
  /** Rejections that nobody handled, and errors that nobody caught. */
  readonly unhandled: readonly string[]
}

const TOPIC = 'events'
const PARTITIONS = 3

export async function killStorm(options: KillStormOptions): Promise<KillStormOutcome> {
  const unhandled: string[] = []
  const note = (reason: unknown) => void unhandled.push(reason instanceof Error ? String(reason.stack) : String(reason))
  process.on('unhandledRejection', note)
  try {
    return { ...(await new KillStorm(options).run()), unhandled }
  } finally {
    process.off('unhandledRejection', note)
  }
}

class KillStorm {
  readonly #options: KillStormOptions
  readonly #random: Random
  readonly #system: ActorSystem
  readonly #history = new History(() => performance.now())
  readonly #sends = new Map<string, Send>()
  readonly #killed: { [kind: string]: number } = {}
  #acknowledged = 0
  #nextKillAt = 20
  #kills = 0
  #over!: () => void
  readonly #isOver = new Promise<void>(resolve => {
    this.#over = resolve
  })

  constructor(options: KillStormOptions) {
    this.#options = options
    this.#random = seededRandom(options.seed)
    // Nobody gives up: there are more deaths than a supervisor would forgive.
    this.#system = createActorSystem({ threads: 4, limits: { restartsMax: 1_000_000, restartDelayMaxMs: 100 } })
    this.#history.topics.set(TOPIC, { kind: 'none' })
  }

  async run(): Promise<Omit<KillStormOutcome, 'unhandled'>> {
    const broker = await this.#startBroker()
    const writers = ['a', 'b'].map(name => this.#writer(broker, name))
    const stop = new AbortController()
    const reading = this.#read(broker, stop.signal)
    const writing = Promise.all(writers.map(writer => writer.work()))
    await this.#isOver
    for (const writer of writers) writer.stop()
    await writing
    stop.abort()
    await reading
    await Promise.all(writers.map(writer => writer.close()))
    await readBack(broker, TOPIC, this.#history)
    await this.#system.close()
    return {
      killed: this.#killed,
      acknowledged: this.#acknowledged,
      read: this.#history.reads.length,
      findings: check(this.#history),
      disorder: disorder(this.#history),
    }
  }

  async #startBroker(): Promise<EmbeddedBroker> {
    const input = {
      nodeId: 1,
      clusterId: this.#system.random.uuid(),
      rack: null,
      storage: { kind: 'lmdb' as const, dir: this.#options.dir },
      staticConfigs: {},
      topics: [{ name: TOPIC, partitions: PARTITIONS }],
    }
    const spawned = await this.#system.spawn(brokerModule, input, { name: 'broker' })
    const address = spawned.address as Address<BrokerContract>
    return { [clusterDoor]: { host: clientHostOf(this.#system), link: { kind: 'port', broker: address } } }
  }

  #writer(bootstrapServers: EmbeddedBroker, name: string): Writer {
    const value = (n: number) => `${name}#${n}`
    return new Writer({
      bootstrapServers,
      topic: TOPIC,
      name,
      outstandingMax: 100,
      sent: n => {
        const record = { producer: name, idempotent: true, topic: TOPIC, key: `k${n % 13}`, value: value(n) }
        this.#sends.set(record.value, this.#history.sending(record))
      },
      acknowledged: (n, at) => {
        this.#history.acknowledged(this.#sends.get(value(n))!, at)
        this.#acknowledged++
        if (this.#acknowledged >= this.#nextKillAt) this.#strike()
      },
      failed: n => this.#history.failed(this.#sends.get(value(n))!, 'unknown'),
    })
  }

  /** Kills an actor or a thread; the next one follows after more acknowledgements. */
  #strike(): void {
    if (this.#kills === this.#options.kills) {
      this.#over()
      return
    }
    this.#nextKillAt = Number.POSITIVE_INFINITY
    void this.#killSome().then(kind => {
      this.#killed[kind] = (this.#killed[kind] ?? 0) + 1
      this.#kills++
      this.#options.progress?.(this.#kills)
      this.#nextKillAt = this.#acknowledged + 1 + this.#random.int(60)
    })
  }

  async #killSome(): Promise<string> {
    const actors = (await this.#system.actors()).filter(({ supervisor }) => supervisor === 'Running')
    const victim = actors[this.#random.int(actors.length)]!.address
    if (this.#random.int(4) > 0) {
      await this.#system.kill(victim, 'killed by the storm')
      return victim.kind
    }
    await this.#system.killLane(victim.lane, 'killed by the storm')
    return 'thread'
  }

  /** One reader from the beginning of everything, through all deaths. */
  async #read(broker: EmbeddedBroker, signal: AbortSignal): Promise<void> {
    const texts = topic(TOPIC, { key: string(), value: string() })
    const consumer = createConsumer({ bootstrapServers: broker, clientId: 'reader', autoOffsetReset: 'earliest' })
    for (let partition = 0; partition < PARTITIONS; partition++)
      this.#history.began({ reader: 'reader', session: 0, topic: TOPIC, partition, from: 0 })
    const partitions = Array.from({ length: PARTITIONS }, (_, partition) => ({ topic: texts, partition, offset: 0 }))
    let isAssigned = false
    while (!signal.aborted) {
      try {
        if (!isAssigned) await consumer.assign(partitions)
        isAssigned = true
        for (const { partition, offset, key, value } of await consumer.poll(50)) {
          const at = { topic: TOPIC, partition, offset: Number(offset), key, value }
          this.#history.read({ reader: 'reader', session: 0, committedOnly: false, ...at })
        }
      } catch (error) {
        if (!(error instanceof KafkaError)) throw error
      }
    }
    await consumer.close()
  }
}
