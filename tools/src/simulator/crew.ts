// The clients of one life: who they are follows from the plan. They work until the life's time is over; when it ends in order they settle, show
// that they come to where they should be, and are closed.
import { seededRandom } from '@odradek/shared/base/random'
import { SimulatedAdmin } from './administering.ts'
import type { CrewMember, Ends, Surroundings } from './crew-member.ts'
import type { History } from './history.ts'
import { SimulatedMember } from './membership.ts'
import { SimulatedOldTransactor, speaksOld } from './old-transacting.ts'
import { SimulatedLane } from './piping.ts'
import type { LifePlan, Plan } from './plan.rules.ts'
import type { ProcessLife } from './process-life.ts'
import { SimulatedProducer } from './producing.ts'
import { endsOf, SimulatedReader } from './reading.ts'
import { OffsetWatcher, SimulatedTransactor } from './transacting.ts'

/** Between two looks at who is behind, and how often that is told; ms. */
const LOOK_MS = 50
const TELL_MS = 10_000
/** By then everything has settled: longer than any timeout of a client that nobody ends. */
const PATIENCE_MS = 120_000

/** Something does not come to where it should be although nothing goes wrong any more. */
export class Unsettled extends Error {
  readonly rule: 'stuck-lso' | 'stuck'

  constructor(rule: Unsettled['rule'], what: string) {
    super(what)
    this.rule = rule
  }
}

export interface CrewOptions {
  readonly life: ProcessLife
  /** The how many-th life it is. */
  readonly number: number
  readonly plan: Plan
  readonly lifePlan: LifePlan
  readonly history: History
  /** What transactors count over all lives. */
  readonly numbers: Map<string, number>
  readonly note: (what: string) => void
}

export class Crew {
  readonly #life: ProcessLife
  readonly #plan: Plan
  readonly #members: readonly CrewMember[]
  readonly #groups: ReadonlyMap<string, readonly SimulatedMember[]>
  readonly #note: (what: string) => void
  #failure: unknown = null

  constructor({ life, number, plan, lifePlan, history, numbers, note }: CrewOptions) {
    const random = seededRandom(lifePlan.seed + 2)
    const around = (): Surroundings => ({ life, plan, history, random: random.fork() })
    const named = (what: string, n: number) => `life${number}-${what}${n}`
    const has = (use: string) => plan.topics.some(topic => topic.use === use)
    const uses = (['records', 'transactions'] as const).filter(has)
    this.#life = life
    this.#plan = plan
    this.#note = note
    this.#groups = new Map(
      plan.groups.map((group, g) => [
        group.groupId,
        group.members.map((member, m) => new SimulatedMember(named(`g${g}m`, m), around(), group, member)),
      ]),
    )
    this.#members = [
      ...plan.producers.map((own, n) => new SimulatedProducer(named('p', n), around(), own)),
      ...uses.flatMap(use =>
        Array.from({ length: plan.readers }, (_, n) => new SimulatedReader(named(`${use[0]}-r`, n), around(), use)),
      ),
      ...[...this.#groups.values()].flat(),
      ...plan.transactors.map((own, n) => {
        const Client = speaksOld(own, lifePlan.troubles) ? SimulatedOldTransactor : SimulatedTransactor
        return new Client(named('t', n), around(), own, numbers)
      }),
      ...(plan.transactors.length > 0 ? [new OffsetWatcher(named('w', 0), around())] : []),
      ...plan.pipelines.flatMap(own =>
        Array.from({ length: own.lanes }, (_, n) => new SimulatedLane(named('l', n), around(), own, n)),
      ),
      ...(plan.churn ? [new SimulatedAdmin(named('a', 0), around())] : []),
    ]
  }

  /** Resolves at that time, whatever is still under way. */
  async work(until: number): Promise<void> {
    const failed = (thrown: unknown) => {
      this.#failure ??= thrown
    }
    for (const member of this.#members) member.work(until).catch(failed)
    await this.#life.pass(until - this.#life.now)
    this.#throwFailure()
  }

  /** Nothing goes wrong any more: everybody comes to where they should be, and the last stable offsets to the ends. */
  async settle(): Promise<void> {
    this.#note('everybody settles')
    await Promise.all(this.#members.map(member => member.settle()))
    await this.#until(() => this.#undecided(), 'stuck-lso')
    const ends = await endsOf(this.#life, this.#plan.topics)
    this.#note(`everybody must come to ${JSON.stringify([...ends])}`)
    for (const member of this.#members) await this.#until(() => member.behind(ends))
    // Who came to the end first may have lost a partition to somebody who has not.
    await this.#until(async () => this.#unowned(ends) ?? (await this.#anybodyBehind(ends)))
  }

  async close(): Promise<void> {
    this.#note('everybody closes')
    await Promise.all(this.#members.map(member => member.close()))
    this.#throwFailure()
  }

  async #until(look: () => Promise<string | null>, rule: Unsettled['rule'] = 'stuck'): Promise<void> {
    const since = this.#life.now
    for (let told = since; ; ) {
      const behind = await look()
      this.#throwFailure()
      if (behind === null) return
      if (this.#life.now - since > PATIENCE_MS) throw new Unsettled(rule, behind)
      if (this.#life.now - told >= TELL_MS) {
        this.#note(`behind: ${behind}`)
        told = this.#life.now
      }
      await this.#life.pass(LOOK_MS)
    }
  }

  async #anybodyBehind(ends: Ends): Promise<string | null> {
    for (const member of this.#members) {
      const behind = await member.behind(ends)
      if (behind !== null) return behind
    }
    return null
  }

  /** A transaction that nobody ends keeps the last stable offset back. */
  async #undecided(): Promise<string | null> {
    const transactional = this.#plan.topics.filter(({ use }) => use === 'transactions' || use === 'output')
    const ends = await endsOf(this.#life, transactional)
    const stable = await endsOf(this.#life, transactional, 'readCommitted')
    const stuck = [...ends].find(([place, end]) => stable.get(place)! < end)
    return stuck === undefined
      ? null
      : `the last stable offset of ${stuck[0]} is ${stable.get(stuck[0])}, not ${stuck[1]}`
  }

  /** Every partition has exactly one owner in every group. */
  #unowned(ends: Ends): string | null {
    const places = [...ends.keys()].filter(place => place.startsWith('topic-'))
    for (const [groupId, members] of this.#groups) {
      for (const place of places) {
        const owners = members.filter(({ held }) => held.includes(place))
        if (owners.length !== 1) return `${place} has ${owners.length} owners in ${groupId}: ${members.join('; ')}`
      }
    }
    return null
  }

  #throwFailure(): void {
    if (this.#failure !== null) throw this.#failure
  }
}
