// One seed, from its plan to its findings: lives of a process one after another over the same disk, then a last one in which everything is
// read back, then the checker.
import { memoryLogStore } from '@odradek/broker/log/memory-log-store'
import type { LogStore } from '@odradek/broker/log/partition-log'
// Clients load it when they open their first link; loading takes real time, and the world would not wait for it.
import '@odradek/shared/client/port/port-link'
import type { LogLine } from '@odradek/shared/actor/actor-report'
import type { SimulatedWorld } from '@odradek/shared/actor/simulated-host'
import type { TraceEvent } from '@odradek/shared/actor/trace'
import { seededRandom } from '@odradek/shared/base/random'
import { check, type Finding } from './checker.rules.ts'
import { History } from './history.ts'
import { type LifePlan, type Plan, planOf, type Scenario } from './plan.rules.ts'
import { ProcessLife } from './process-life.ts'
import { SimulatedProducer } from './producing.ts'
import { endsOf, readFinally, SimulatedReader } from './reading.ts'
import { weather } from './weather.ts'

/** A seam for tests: bugs that the checker must find. */
export interface Plant {
  /** The machine's logs, as the broker sees them. */
  store?(store: LogStore): LogStore
  /** Replaces actors. */
  prepare?(world: SimulatedWorld): void
}

export interface SimulationOptions {
  readonly seed: number
  readonly scenario: Scenario
  /** Hears everything that happens, in order. */
  readonly trace?: (line: TraceLine) => void
  readonly plant?: Plant
}

export interface TraceLine {
  /** Since the run began, ms. */
  readonly at: number
  readonly life: number
  readonly what: string
}

export interface SimulationOutcome {
  readonly seed: number
  readonly scenario: string
  readonly findings: readonly Finding[]
  /** Virtual milliseconds of all lives. */
  readonly virtualMs: number
  readonly lives: number
  readonly deliveries: number
  readonly sends: number
  readonly acknowledged: number
  readonly reads: number
  /** Equal for equal seeds. */
  readonly fingerprint: number
}

/** Virtual time within which everything settles once nothing goes wrong any more; a send may take its delivery timeout. */
const SETTLE_MS = 300_000
const RESTART_MS = 1_000

/** Runs one seed. Never rejects for what it finds: a run that does not come to its end is a finding too. */
export async function runSeed(options: SimulationOptions): Promise<SimulationOutcome> {
  return new Simulation(options).run()
}

class Simulation {
  readonly #options: SimulationOptions
  readonly #plan: Plan
  readonly #store = memoryLogStore({ forgetful: true })
  readonly #seen: LogStore
  readonly #history = new History(() => this.#now)
  readonly #findings: Finding[] = []
  #life: ProcessLife | null = null
  #lives = 0
  #clock = 0
  #deliveries = 0
  #fingerprint = 0

  constructor(options: SimulationOptions) {
    const { seed, scenario, plant } = options
    this.#options = options
    this.#plan = planOf(seededRandom(seed), scenario)
    this.#seen = plant?.store?.(this.#store) ?? this.#store
    for (const { name, durability } of this.#plan.topics) this.#history.topics.set(name, durability)
  }

  get #now(): number {
    return this.#life?.now ?? this.#clock
  }

  async run(): Promise<SimulationOutcome> {
    const rejected = (reason: unknown) => this.#find('unhandled-rejection', reason)
    process.on('unhandledRejection', rejected)
    try {
      for (const plan of this.#plan.lives) await this.#live(plan)
      await this.#last()
      if (this.#findings.length === 0) this.#findings.push(...check(this.#history))
    } catch (error) {
      this.#find('stuck', error)
    } finally {
      process.off('unhandledRejection', rejected)
    }
    return this.#outcome()
  }

  #outcome(): SimulationOutcome {
    const { sends, reads } = this.#history
    return {
      seed: this.#options.seed,
      scenario: this.#options.scenario.name,
      findings: this.#findings,
      virtualMs: this.#now,
      lives: this.#lives,
      deliveries: this.#deliveries,
      sends: sends.length,
      acknowledged: sends.filter(({ outcome }) => outcome === 'acknowledged').length,
      reads: reads.length,
      fingerprint: this.#fingerprint >>> 0,
    }
  }

  #find(rule: string, reason: unknown): void {
    const message = reason instanceof Error ? (reason.stack ?? reason.message) : String(reason)
    this.#findings.push({ rule, message })
    this.#note(`${rule}: ${message}`)
  }

  #note(what: string): void {
    this.#options.trace?.({ at: this.#now, life: this.#lives, what })
  }

  #born(seed: number): ProcessLife {
    this.#lives++
    const { plant, trace } = this.#options
    const life = new ProcessLife({
      plan: this.#plan,
      seed,
      bornAt: this.#clock,
      store: this.#seen,
      log: line => this.#logged(line),
      prepare: world => plant?.prepare?.(world),
    })
    if (trace !== undefined) life.world.trace({}, event => this.#note(transitionOf(event)))
    this.#life = life
    return life
  }

  #ended(): void {
    const life = this.#life!
    this.#clock = life.now + RESTART_MS
    this.#deliveries += life.world.deliveries
    this.#fingerprint = Math.imul(this.#fingerprint ^ life.world.fingerprint, 0x01000193)
    this.#life = null
  }

  /** An actor that nobody killed and that died all the same has a bug. */
  #logged({ level, fields, message }: LogLine): void {
    this.#note(`${level}: ${message} ${JSON.stringify(fields)}`)
    const { error, actor, stack } = fields as { error?: string; actor?: string; stack?: string }
    if (level !== 'error' || message !== 'the actor died') return
    if (!String(error).includes('killed: ')) this.#find('actor-bug', `${actor}: ${stack ?? error}`)
  }

  async #live(plan: LifePlan): Promise<void> {
    const life = this.#born(plan.seed)
    await life.world.run(() => life.begin(), { withinMs: SETTLE_MS })
    const crew = new Crew(life, this.#plan, plan, this.#history, this.#lives)
    const { calm } = await weather(life, plan, seededRandom(plan.seed + 1), { note: what => this.#note(what) })
    await life.world.run(() => crew.work(life.now + plan.durationMs), { withinMs: SETTLE_MS })
    this.#note(`the life ends by ${plan.ending}`)
    if (plan.ending === 'close') {
      calm()
      await life.world.run(() => this.#settle(crew), { withinMs: SETTLE_MS })
      await life.world.run(() => life.end(), { withinMs: SETTLE_MS })
    } else {
      this.#history.crashed(plan.ending === 'powerLoss')
      this.#store.crash({ keepUnflushed: plan.ending === 'kill' })
    }
    this.#ended()
  }

  /** Nothing goes wrong any more: every send ends, new ones succeed, readers come to the end, all is closed. */
  async #settle(crew: Crew): Promise<void> {
    this.#note('waiting for sends to settle')
    await crew.settle()
    this.#note('probing')
    for (const { name } of this.#plan.topics) {
      if (!(await crew.producers[0]!.probe(name)))
        this.#find('stuck', `nothing can be sent to ${name} after faults stopped`)
    }
    const ends = await endsOf(crew.life, this.#plan.topics)
    this.#note(`readers must come to ${JSON.stringify([...ends])}`)
    for (const reader of crew.readers) reader.hurry()
    for (;;) {
      const behind = crew.readers.filter(reader => !reader.hasReached(ends))
      if (behind.length === 0) break
      if (crew.life.now % 10_000 < 50) this.#note(`behind: ${behind.map(String).join('; ')}`)
      await crew.life.pass(50)
    }
    await crew.close()
  }

  async #last(): Promise<void> {
    const life = this.#born(this.#options.seed)
    await life.world.run(() => life.begin(), { withinMs: SETTLE_MS })
    const topics = this.#plan.topics.map(({ name }) => name)
    await life.world.run(() => readFinally(life, topics, this.#history), { withinMs: SETTLE_MS })
    await life.world.run(() => life.end(), { withinMs: SETTLE_MS })
    this.#ended()
  }
}

/** The clients of one life. */
class Crew {
  readonly life: ProcessLife
  readonly producers: readonly SimulatedProducer[]
  readonly readers: readonly SimulatedReader[]
  #reading: Promise<unknown> = Promise.resolve()

  constructor(life: ProcessLife, plan: Plan, { seed }: LifePlan, history: History, number: number) {
    const random = seededRandom(seed + 2)
    const { topics } = plan
    this.life = life
    this.producers = plan.producers.map(
      (each, n) =>
        new SimulatedProducer(`life${number}-p${n}`, { life, plan: each, topics, history, random: random.fork() }),
    )
    this.readers = Array.from(
      { length: plan.readers },
      (_, n) => new SimulatedReader(`life${number}-r${n}`, { life, topics, history, random: random.fork() }),
    )
  }

  /** Resolves at that time, whatever is still under way. */
  async work(end: number): Promise<void> {
    this.#reading = Promise.all(this.readers.map(reader => reader.work()))
    const working = Promise.all(this.producers.map(producer => producer.workUntil(end)))
    await Promise.race([Promise.all([this.#reading, working]), this.life.pass(end - this.life.now)])
    this.#working = working
  }

  #working: Promise<unknown> = Promise.resolve()

  async settle(): Promise<void> {
    await this.#working
    await Promise.all(this.producers.map(producer => producer.settle()))
  }

  async close(): Promise<void> {
    for (const reader of this.readers) reader.stop()
    await this.#reading
    await Promise.all([...this.producers, ...this.readers].map(client => client.close()))
  }
}

function transitionOf({ kind, actor, machine, from, to, event }: TraceEvent): string {
  return `${kind} ${actor}: ${machine} ${from} -> ${to} on ${event}`
}
