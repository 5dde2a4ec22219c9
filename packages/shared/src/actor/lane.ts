// A lane: the place where actors run, one per thread. Holds the actors, the trunks to other lanes, and the turn: messages that have
// arrived are handled, then deferred work runs, then promises, then everything that was said is posted. Hosts differ only in what they give a lane
// (`LaneHost`): threads and ports, or a virtual clock and a seed.
import type { Clock, Timer } from '../base/clock.ts'
import type { Limits } from '../base/limits.ts'
import type { Random } from '../base/random.ts'
import {
  type ActorDefinition,
  type Address,
  type Gate,
  LATEST_INCARNATION,
  type Link,
  type Resources,
  type Spawned,
  type SpawnOptions,
} from './actor.ts'
import { ActorCell } from './actor-cell.ts'
import type { ActorReport, LogLine } from './actor-report.ts'
import type { Channel } from './channel.ts'
import type { Contract } from './contract.ts'
import type { ModuleRef } from './control-port.ts'
import type { Entries } from './entries.ts'
import { LinkEnd, type LinkLane } from './link-end.ts'
import type { Lookout } from './lookout.ts'
import type { LoopDelayGauge } from './loop-delay.ts'
import { NamedQueue } from './named-queue.ts'
import { PeerEnd } from './peer-end.ts'
import type { ParentRef } from './system-core.ts'
import type { TransitionTrace } from './trace.ts'
import type { TraceRing } from './trace-ring.ts'
import { type OpenEntry, Trunk, type TrunkLane } from './trunk.ts'

/** What the system's core does for a lane. */
export interface Uplink {
  /** `parent` null: the application of a thread that joined. */
  spawn(parent: ParentRef | null, module: ModuleRef, input: unknown, options: SpawnOptions): Promise<Spawned<any>>
  /** An actor of this lane died (it did not close in order). */
  died(actor: number, incarnation: number, reason: string): void
  log(lines: readonly LogLine[], dropped: number): void
}

/** Ways to run something before the loop goes on. */
export interface GoOn {
  /** When the handler, or whatever runs now, has returned: among the promises of now. */
  behindHandler(work: () => void): void
  /** When no promise is left. */
  behindPromises(work: () => void): void
}

/** What a host gives its lane. */
export interface LaneHost {
  readonly system: string
  readonly lane: number
  readonly clock: Clock
  readonly random: Random
  readonly limits: Limits
  readonly gate: Gate
  readonly resources: Resources
  readonly trace: TraceRing
  readonly uplink: Uplink
  /** Calls `turn` once, when what has arrived so far was handed over. Several in the order of asking; on threads, promises run after each. */
  soon(turn: () => void): void
  /** How a lane goes on before anything else arrives; null where every turn is the host's own (simulated host). */
  readonly goOn: GoOn | null
  /** Looks for more before the thread sleeps; null: it sleeps at once. */
  readonly lookout: Lookout | null
  /** Opens a channel to another lane, or to this one. */
  connect(lane: number): { readonly channel: Channel; readonly leavesThread: boolean }
  /** True when every link gets a channel of its own (simulated host: links are reordered against each other). */
  readonly channelPerLink: boolean
  readonly copiesMessages: boolean
  /** How late the thread's loop is; null: not measured. */
  readonly loopDelay: LoopDelayGauge | null
  /** Lines below this level are dropped; null: all. */
  readonly logLevel: LogLine['level'] | null
}

const levels = { debug: 0, info: 1, warn: 2, error: 3 } as const

interface Arrival {
  readonly trunk: Trunk
  readonly entries: Entries
  at: number
}

export class Lane implements TrunkLane, LinkLane {
  readonly host: LaneHost
  readonly copiesMessages: boolean
  readonly transferBytesMin: number
  readonly turnPostMessagesMax: number
  readonly turnPostBytesMax: number
  readonly linkMessagesMax: number
  readonly linkBytesMax: number
  readonly linkQueueMessagesMax: number
  readonly linkQueueBytesMax: number
  readonly givenAway = new Set<ArrayBuffer>()
  readonly actors = new Map<number, ActorCell>()
  readonly #trunks = new Set<Trunk>()
  /** Trunks that this lane opened, by the lane they lead to. */
  readonly #trunkTo = new Map<number, Trunk>()
  /** Arrays that arrived beyond the turn's budget; bounded by the credits of the links. */
  readonly #inbox = new NamedQueue<Arrival>('inbox', Number.POSITIVE_INFINITY)
  budget: number
  #touched: Trunk[] = []
  /** Loops of this lane in which something was said since the last hand-over. */
  #toHandOver: Trunk[] = []
  #handOverAsked = false
  #deferred: [ActorCell, () => void][] = []
  /** A turn will come: from the loop, or with the flush that was asked for. */
  #turnAsked: 'no' | 'soon' | 'withFlush' = 'no'
  /** What is said before a flush needs no turn to be posted. */
  #flushAsked = false
  /** From a turn until what it settled was posted: a turn that is asked for then need not wait for the loop. */
  #isInTurn = false
  /** Turns since the loop was last given a chance. */
  #turnsInRow = 0
  #sweepAt = Number.POSITIVE_INFINITY
  #sweepTimer: Timer | null = null
  #lines: LogLine[] = []
  #linesDropped = 0
  isClosed = false

  constructor(host: LaneHost) {
    this.host = host
    const { limits } = host
    this.copiesMessages = host.copiesMessages
    this.transferBytesMin = limits.transferBytesMin
    this.turnPostMessagesMax = limits.turnPostMessagesMax
    this.turnPostBytesMax = limits.turnPostBytesMax
    this.linkMessagesMax = limits.linkMessagesMax
    this.linkBytesMax = limits.linkBytesMax
    this.linkQueueMessagesMax = limits.linkQueueMessagesMax
    this.linkQueueBytesMax = limits.linkQueueBytesMax
    this.budget = limits.turnMessagesMax
  }

  // --- the turn ---------------------------------------------------------------------------------------------------------------

  touched(trunk: Trunk): void {
    this.host.lookout?.awake()
    if (trunk.leavesThread || this.host.goOn === null) {
      this.#touched.push(trunk)
      if (!this.#flushAsked) this.#askTurn()
    } else {
      this.#toHandOver.push(trunk)
      this.#askHandOver(this.host.goOn)
    }
  }

  /** An array arrived: handled at once while the turn's budget lasts, so that its sender's credits come back early. */
  arrived(trunk: Trunk, entries: Entries): void {
    this.host.lookout?.awake()
    const isAtOnce = trunk.leavesThread && this.budget > 0 && this.#inbox.size === 0
    const at = isAtOnce ? trunk.consume(entries, 0) : 0
    if (at < entries.length) this.#inbox.push({ trunk, entries, at })
    if (trunk.leavesThread || this.host.goOn === null) this.#askTurn()
    else this.#askHandOver(this.host.goOn)
  }

  #askHandOver(goOn: GoOn): void {
    if (this.#handOverAsked) return
    this.#handOverAsked = true
    goOn.behindHandler(this.#handOver)
  }

  /** What actors of this lane said to each other reaches them behind the handler that said it: no handler runs within another. */
  readonly #handOver = (): void => {
    const trunks = this.#toHandOver
    this.#toHandOver = []
    for (const trunk of trunks) trunk.post()
    this.#handOverAsked = false
    this.#drainInbox()
    if (this.#inbox.size > 0) this.#askTurn()
  }

  defer(cell: ActorCell, work: () => void): void {
    this.host.lookout?.awake()
    this.#deferred.push([cell, work])
    this.#askTurn()
  }

  #askTurn(): void {
    if (this.#turnAsked !== 'no') return
    const { goOn, soon, loopDelay, limits } = this.host
    if (this.#isInTurn && goOn !== null && this.budget > 0 && this.#turnsInRow < limits.turnsInRowMax) {
      this.#turnAsked = 'withFlush'
      this.#turnsInRow++
      this.#askFlush(goOn)
      return
    }
    this.#turnAsked = 'soon'
    loopDelay?.turned()
    soon(this.#turn)
    if (goOn === null) {
      this.#flushAsked = true
      soon(this.#flush)
    }
  }

  #askFlush(goOn: GoOn): void {
    if (this.#flushAsked) return
    this.#flushAsked = true
    goOn.behindPromises(this.#flush)
  }

  /** A turn that the loop gives. */
  readonly #turn = (): void => {
    this.#turnsInRow = 0
    this.budget = this.host.limits.turnMessagesMax
    this.#takeTurn()
  }

  #takeTurn(): void {
    this.#turnAsked = 'no'
    this.#isInTurn = true
    this.#post()
    this.#drainInbox()
    const deferred = this.#deferred
    if (deferred.length > 0) {
      this.#deferred = []
      for (const [cell, work] of deferred) cell.runDeferred(work)
    }
    if (this.#inbox.size > 0) this.#askTurn()
    if (this.host.goOn !== null) this.#askFlush(this.host.goOn)
  }

  /**
   * Behind the turn, and behind the promises that it settled: answers that were waiting for a commit leave with what the commit itself said. A turn that was asked for
   * meanwhile follows.
   */
  readonly #flush = (): void => {
    this.#flushAsked = false
    this.#post()
    this.flushLog()
    if (this.#turnAsked === 'withFlush') this.#takeTurn()
    else {
      this.#isInTurn = false
      if (this.#turnAsked === 'no') this.host.lookout?.idle()
    }
  }

  #drainInbox(): void {
    for (let next = this.#inbox.peek(); next !== undefined && this.budget > 0; next = this.#inbox.peek()) {
      next.at = next.trunk.consume(next.entries, next.at)
      if (next.at >= next.entries.length || next.trunk.isClosed) this.#inbox.shift()
    }
  }

  #post(): void {
    const touched = this.#touched
    if (touched.length === 0) return
    this.#touched = []
    for (const trunk of touched) trunk.post()
  }

  // --- trunks and links -------------------------------------------------------------------------------------------------------

  /** Another lane opened a channel to this one. */
  accept(remote: number, channel: Channel, leavesThread: boolean): void {
    const trunk = new Trunk(this, remote, channel, leavesThread)
    this.#trunks.add(trunk)
    // The other lane's channel serves our links too, unless we have opened one at the same moment.
    if (leavesThread && !this.host.channelPerLink && !this.#trunkTo.has(remote)) this.#trunkTo.set(remote, trunk)
  }

  #trunkFor(remote: number): Trunk {
    const known = this.host.channelPerLink ? undefined : this.#trunkTo.get(remote)
    if (known !== undefined) return known
    const { channel, leavesThread } = this.host.connect(remote)
    const trunk = new Trunk(this, remote, channel, leavesThread)
    this.#trunks.add(trunk)
    if (!this.host.channelPerLink) this.#trunkTo.set(remote, trunk)
    return trunk
  }

  openLink<C extends Contract>(
    contract: C,
    address: Address<C>,
    asker: string,
    onEnd: (link: LinkEnd) => void,
  ): LinkEnd<C> {
    const trunk = this.#trunkFor(address.lane)
    const link = new LinkEnd(trunk, this, contract, address, onEnd)
    if (this.isClosed || trunk.isClosed) {
      link.end('UNREACHABLE', 'this lane is closed')
      return link
    }
    trunk.links.set(link.id, link as unknown as LinkEnd)
    trunk.open(link.id, { actor: address.actor, incarnation: address.incarnation, kind: address.kind, asker })
    return link
  }

  /** A link for code that is no actor: the embedding application's. */
  link<C extends Contract>(contract: C, address: Address<C>): Link<C> {
    return this.openLink(contract, address, this.host.system, () => {})
  }

  opened(trunk: Trunk, link: number, open: OpenEntry): void {
    const cell = this.actors.get(open.actor)
    const isMeant = open.incarnation === LATEST_INCARNATION || open.incarnation === cell?.self.incarnation
    if (cell === undefined || !isMeant || cell.state === 'Closing') {
      trunk.closePeer(link, 'UNREACHABLE', 'there is no such actor, or it is not running')
      return
    }
    const peer = new PeerEnd(trunk, this, cell, { id: cell.nextPeerId(), link, name: open.asker })
    trunk.peers.set(link, peer)
    cell.admit(peer)
  }

  misused(message: string): void {
    this.#write({ level: 'error', fields: { lane: this.host.lane }, message })
  }

  ended(trunk: Trunk): void {
    this.#trunks.delete(trunk)
    if (this.#trunkTo.get(trunk.remote) === trunk) this.#trunkTo.delete(trunk.remote)
  }

  // --- deadlines --------------------------------------------------------------------------------------------------------------

  monotonic(): number {
    return this.host.clock.monotonic()
  }

  /** One timer for all asks of the lane: it fires at the earliest deadline that was promised, and looks at every link. */
  expireBy(at: number): void {
    if (at >= this.#sweepAt || this.isClosed) return
    this.#sweepAt = at
    this.#sweepTimer?.cancel()
    this.#sweepTimer = this.host.clock.after(Math.ceil(at - this.monotonic()), this.#sweep)
  }

  readonly #sweep = (): void => {
    this.#sweepAt = Number.POSITIVE_INFINITY
    this.#sweepTimer = null
    const now = this.monotonic()
    let earliest = Number.POSITIVE_INFINITY
    for (const trunk of this.#trunks) {
      for (const link of trunk.links.values()) earliest = Math.min(earliest, link.expire(now))
    }
    if (earliest < Number.POSITIVE_INFINITY) this.expireBy(earliest)
  }

  // --- actors -----------------------------------------------------------------------------------------------------------------

  /** Starts an actor here; rejects when it cannot start. */
  async start(definition: ActorDefinition<any, any>, self: Address, input: unknown): Promise<void> {
    const cell = new ActorCell(this, definition, self)
    this.actors.set(self.actor, cell)
    await cell.start(input)
  }

  /** Ends an actor in order, or by force when its deadline passes. Resolves when it has ended. */
  async closeActor(actor: number): Promise<void> {
    const cell = this.actors.get(actor)
    if (cell === undefined) return
    let timer: Timer | undefined
    const late = new Promise<void>(resolve => {
      timer = this.host.clock.after(this.host.limits.closeDeadlineMs, resolve)
    })
    await Promise.race([cell.close(), late])
    timer?.cancel()
    if (cell.state !== 'Ended') cell.die(new Error(`did not close within ${this.host.limits.closeDeadlineMs} ms`))
  }

  kill(actor: number, reason: string): void {
    this.actors.get(actor)?.die(new Error(`killed: ${reason}`))
  }

  /** Holds back what reaches the actor, or lets it go on. */
  pause(actor: number, isPaused: boolean): void {
    const cell = this.actors.get(actor)
    if (isPaused) cell?.pause()
    else cell?.resume()
  }

  actorDied(cell: ActorCell, reason: string): void {
    this.host.uplink.died(cell.self.actor, cell.self.incarnation, reason)
  }

  actorEnded(cell: ActorCell): void {
    if (this.actors.get(cell.self.actor) === cell) this.actors.delete(cell.self.actor)
  }

  reports(): ActorReport[] {
    const loop = this.host.loopDelay?.read() ?? null
    return [...this.actors.values()].map(cell => ({ ...cell.report(), loop }))
  }

  // --- logs and traces --------------------------------------------------------------------------------------------------------

  traceOf(self: Address): TransitionTrace {
    return this.host.trace.of(self, this.host.clock)
  }

  log(level: LogLine['level'], self: Address, fields: object, message: string): void {
    const { logLevel } = this.host
    if (logLevel === null || levels[level] < levels[logLevel]) return
    this.#write({ level, fields: { actor: `${self.kind} ${self.name}`, lane: this.host.lane, ...fields }, message })
  }

  #write(line: LogLine): void {
    if (this.#lines.length >= this.host.limits.logLinesMax) {
      this.#linesDropped++
      return
    }
    this.#lines.push(line)
    this.#askTurn()
  }

  #sendLines(): void {
    const [lines, dropped] = [this.#lines, this.#linesDropped]
    this.#lines = []
    this.#linesDropped = 0
    this.host.uplink.log(lines, dropped)
  }

  /** The lane closes after its actors did: what was said last is posted, links end. */
  /** Hands over the log lines that wait for the end of a turn. */
  flushLog(): void {
    if (this.#lines.length > 0) this.#sendLines()
  }

  close(reason: string): void {
    this.#silence()
    this.flushLog()
    for (const trunk of [...this.#trunks]) trunk.close(reason)
  }

  /** The lane is gone with its thread: nothing of its actors runs any more; other lanes see their channels end. */
  perish(reason: string): void {
    for (const cell of this.actors.values()) cell.perish()
    this.#silence()
    for (const trunk of [...this.#trunks]) trunk.ended(reason)
  }

  #silence(): void {
    this.isClosed = true
    this.#sweepTimer?.cancel()
    this.#deferred = []
  }
}
