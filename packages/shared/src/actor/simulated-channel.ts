// A channel of the simulated world: arrays travel for as long as the seed says, in order within the channel, and sometimes the
// channel breaks or somebody dies on the way.
import type { Random } from '../base/random.ts'
import type { Channel, ChannelListener } from './channel.ts'
import type { Entries } from './entries.ts'

/** What may go wrong. Probabilities are per message array, 0..1. */
export interface Faults {
  /** How long an array travels, virtual ms, uniform. */
  readonly delayMinMs: number
  readonly delayMaxMs: number
  /** The array is lost and its link closes at both ends ("drop with close"; ports lose nothing silently). */
  readonly close: number
  /** An actor of the receiving lane dies, the array is delivered after that. */
  readonly actorDeath: number
  /** The receiving lane dies with all its actors; most of what it said last and is still under way is lost with it, as a tail. */
  readonly laneDeath: number
  /** Lanes that faults spare besides lane 0, such as that of a checker. */
  readonly spare: readonly number[]
}

export const noFaults: Faults = {
  delayMinMs: 0.02,
  delayMaxMs: 0.5,
  close: 0,
  actorDeath: 0,
  laneDeath: 0,
  spare: [],
}

/** The world, as a channel needs it. */
export interface Crossing {
  readonly from: number
  readonly to: number
  readonly random: Random
  now(): number
  faults(): Faults
  schedule(at: number, lane: number, run: () => void): void
  delivered(lane: number, size: number): void
  killLane(lane: number): void
  killSome(lane: number): void
}

/** One end's lane, as long as it lives: another one may get its number. */
export interface LaneLife {
  readonly isDead: boolean
}

export class SimulatedChannel implements Channel {
  readonly #crossing: Crossing
  /** Lane at this end. */
  readonly #lane: number
  #other!: SimulatedChannel
  #listener: ChannelListener | null = null
  #arrivesAt = 0
  #isClosed = false
  /** Its lane died, and some of what it had said was lost: nothing arrives from here any more. */
  #isCut = false
  readonly #life: LaneLife

  private constructor(crossing: Crossing, lane: number, life: LaneLife) {
    this.#crossing = crossing
    this.#lane = lane
    this.#life = life
  }

  static pair(crossing: Crossing, nearLife: LaneLife, farLife: LaneLife): [SimulatedChannel, SimulatedChannel] {
    const near = new SimulatedChannel(crossing, crossing.from, nearLife)
    const far = new SimulatedChannel(crossing, crossing.to, farLife)
    near.#other = far
    far.#other = near
    return [near, far]
  }

  attach(listener: ChannelListener): void {
    this.#listener = listener
  }

  post(entries: Entries, _transfer: ArrayBuffer[]): void {
    if (this.#isClosed) return
    this.#travel(() => this.#other.#deliver(entries))
  }

  close(reason = 'the other side closed'): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#travel(() => this.#other.#break(reason))
    // An end that was never accepted by anyone breaks by itself.
    if (this.#other.#listener === null)
      this.#crossing.schedule(this.#crossing.now(), this.#lane, () => this.#listener?.ended(reason))
  }

  #travel(arrive: () => void): void {
    const { random, faults, now, schedule } = this.#crossing
    const { delayMinMs, delayMaxMs } = faults()
    const at = now() + delayMinMs + random.float() * (delayMaxMs - delayMinMs)
    // Later than what was sent before: a channel keeps its order.
    this.#arrivesAt = Math.max(at, this.#arrivesAt + 1e-6)
    schedule(this.#arrivesAt, this.#other.#lane, arrive)
  }

  /** A thread may end after what it did took effect and before it told. */
  #isLost(): boolean {
    const other = this.#other
    if (other.#life.isDead && this.#crossing.random.float() < 0.9) other.#isCut = true
    return other.#isCut
  }

  #deliver(entries: Entries): void {
    if (this.#isClosed || this.#isLost()) return
    const { random, faults, killLane, killSome, delivered } = this.#crossing
    delivered(this.#lane, entries.length)
    const { close, actorDeath, laneDeath, spare } = faults()
    const mayFail = this.#lane !== 0 && !spare.includes(this.#lane)
    if (close > 0 && random.float() < close) {
      this.close('the link broke')
      this.#listener?.ended('the link broke')
      return
    }
    if (laneDeath > 0 && mayFail && random.float() < laneDeath) {
      killLane(this.#lane)
      return
    }
    if (actorDeath > 0 && mayFail && random.float() < actorDeath) killSome(this.#lane)
    this.#listener?.received(entries)
  }

  #break(reason: string): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#listener?.ended(reason)
  }
}
