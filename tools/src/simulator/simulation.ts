// One seed, from its plan to its findings: lives of a process one after another over the same disk, then a last one in which everything is
// read back, then the checker.
import { memoryLogStore } from '@odradek/broker/log/memory-log-store'
import type { LogStore } from '@odradek/broker/log/partition-log'
import type { LogLine } from '@odradek/shared/actor/actor-report'
import type { TraceEvent } from '@odradek/shared/actor/trace'
import { seededRandom } from '@odradek/shared/base/random'
import { loadPortLink } from '@odradek/shared/client/open-link'
import type { PlantedActors } from './actors.ts'
import { check, type Finding } from './checker.rules.ts'
import { Crew, Unsettled } from './crew.ts'
import { Disk } from './disk.ts'
import { History } from './history.ts'
import { INPUT, OUTPUT } from './piping.ts'
import { type LifePlan, type Plan, planOf } from './plan.rules.ts'
import { ProcessLife } from './process-life.ts'
import { readFinally } from './reading.ts'
import type { Scenario, Weather } from './scenarios.rules.ts'
import { beginWeather } from './weather.ts'

/** A seam for tests: bugs that the checker must find. */
export interface Plant {
  /** The machine's logs, as the broker sees them. */
  store?(store: LogStore): LogStore
  readonly actors?: PlantedActors
}

export interface SimulationOptions {
  readonly seed: number
  readonly scenario: Scenario
  readonly weather: Weather
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
  readonly weather: string
  readonly findings: readonly Finding[]
  /** Virtual milliseconds of all lives. */
  readonly virtualMs: number
  readonly lives: number
  readonly deliveries: number
  readonly sends: number
  readonly acknowledged: number
  readonly reads: number
  /** Times that a partition was given to a member. */
  readonly assignments: number
  /** Transactions that were committed. */
  readonly committed: number
  /** Records that pipelines copied. */
  readonly copied: number
  /** Equal for equal seeds. */
  readonly fingerprint: number
}

/** Virtual time within which everything settles once nothing goes wrong any more; a send may take its delivery timeout. */
const SETTLE_MS = 300_000
const RESTART_MS = 1_000

/** Runs one seed. Never rejects for what it finds: a run that does not come to its end is a finding too. */
export async function runSeed(options: SimulationOptions): Promise<SimulationOutcome> {
  // Clients load it when they open their first link: the first of a program would open later than that of the next seed.
  await loadPortLink()
  return new Simulation(options).run()
}

class Simulation {
  readonly #options: SimulationOptions
  readonly #plan: Plan
  readonly #disk = new Disk()
  readonly #store = memoryLogStore({ forgetful: true, disk: this.#disk })
  readonly #seen: LogStore
  readonly #history = new History(() => this.#now)
  readonly #findings: Finding[] = []
  #life: ProcessLife | null = null
  readonly #numbers = new Map<string, number>()
  #lives = 0
  #clock = 0
  #deliveries = 0
  #fingerprint = 0

  constructor(options: SimulationOptions) {
    const { seed, scenario, weather, plant } = options
    this.#options = options
    this.#plan = planOf(seededRandom(seed), scenario, weather)
    this.#seen = plant?.store?.(this.#store) ?? this.#store
    for (const { name, durability } of this.#plan.topics) this.#history.topics.set(name, durability)
    if (this.#plan.pipelines.length > 0) this.#history.copies.push({ from: INPUT, to: OUTPUT })
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
      this.#find(error instanceof Unsettled ? error.rule : 'stuck', error)
    } finally {
      process.off('unhandledRejection', rejected)
    }
    return this.#outcome()
  }

  #outcome(): SimulationOutcome {
    const { sends, reads, tenures, transactions, copied } = this.#history
    return {
      seed: this.#options.seed,
      scenario: this.#options.scenario.name,
      weather: this.#options.weather.name,
      findings: this.#findings,
      virtualMs: this.#now,
      lives: this.#lives,
      deliveries: this.#deliveries,
      sends: sends.length,
      acknowledged: sends.filter(({ outcome }) => outcome === 'acknowledged').length,
      reads: reads.length,
      assignments: tenures.length,
      committed: transactions.filter(({ outcome }) => outcome === 'committed').length,
      copied: copied.length,
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
      planted: plant?.actors ?? {},
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
    if (!isCalledFor(String(error))) this.#find('actor-bug', `${actor}: ${stack ?? error}`)
  }

  async #live(plan: LifePlan): Promise<void> {
    const life = this.#born(plan.seed)
    await life.world.run(() => life.begin(), { withinMs: SETTLE_MS })
    const crew = new Crew({
      life,
      number: this.#lives,
      plan: this.#plan,
      lifePlan: plan,
      history: this.#history,
      numbers: this.#numbers,
      note: what => this.#note(what),
    })
    const weather = beginWeather({ life, disk: this.#disk }, plan, seededRandom(plan.seed + 1), what =>
      this.#note(what),
    )
    await life.world.run(() => crew.work(life.now + plan.durationMs), { withinMs: SETTLE_MS })
    this.#note(`the life ends by ${plan.ending}`)
    if (plan.ending === 'close') {
      weather.calm()
      await life.world.run(() => crew.settle(), { withinMs: SETTLE_MS })
      await life.world.run(() => crew.close(), { withinMs: SETTLE_MS })
      await life.world.run(() => life.end(), { withinMs: SETTLE_MS })
    } else {
      weather.calm()
      this.#history.crashed(plan.ending === 'powerLoss')
      this.#store.crash({ keepUnflushed: plan.ending === 'kill' })
    }
    this.#ended()
  }

  async #last(): Promise<void> {
    const life = this.#born(this.#options.seed)
    await life.world.run(() => life.begin(), { withinMs: SETTLE_MS })
    await life.world.run(() => readFinally(life, this.#plan.topics, this.#history), { withinMs: SETTLE_MS })
    await life.world.run(() => life.end(), { withinMs: SETTLE_MS })
    this.#ended()
  }
}

/** Killed by the weather, ended because the one that it works for was, or to open a log anew whose flush failed. */
function isCalledFor(reason: string): boolean {
  return ['killed: ', 'the leader of ', 'the log must be opened anew'].some(known => reason.includes(known))
}

function transitionOf({ kind, actor, machine, from, to, event }: TraceEvent): string {
  return `${kind} ${actor}: ${machine} ${from} -> ${to} on ${event}`
}
