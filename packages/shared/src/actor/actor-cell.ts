// One running actor on its lane: gives it its context, hands it messages, and is the one place where it can end. Whatever ends it
// (an orderly close, a throw, a kill), the same things happen once: no handler runs any more, its timers are disarmed, its links
// close, its peers learn why, what it registered with `onEnd` is released, and the lane is told.
import type { Timer } from '../base/clock.ts'
import type { ErrorData } from '../base/errors.ts'
import { isPortError, PortError } from '../base/errors.ts'
import { sharedAbort } from '../base/shared-abort.ts'
import type {
  ActorContext,
  ActorDefinition,
  ActorDescription,
  ActorModule,
  Address,
  Handlers,
  Spawned,
  SpawnOptions,
} from './actor.ts'
import type { ActorReport } from './actor-report.ts'
import { describeThrown } from './describe-thrown.ts'
import type { Lane } from './lane.ts'
import type { LinkEnd } from './link-end.ts'
import type { PeerActor, PeerEnd } from './peer-end.ts'
import { type Words, wordsOf } from './words.ts'

type State = 'Starting' | 'Running' | 'Closing' | 'Ended'
type AskHandler = (request: unknown, peer: PeerEnd) => unknown
type TellHandler = (message: unknown, peer: PeerEnd) => void

export class ActorCell implements PeerActor {
  readonly self: Address
  readonly words: Words
  readonly lane: Lane
  state: State = 'Starting'
  readonly #definition: ActorDefinition<any, any>
  readonly #abort = sharedAbort()
  readonly #peers = new Map<number, PeerEnd>()
  readonly #links = new Set<LinkEnd>()
  readonly #timers = new Set<Timer>()
  readonly #metrics = new Map<string, number>()
  #asks: AskHandler[] = []
  #tells: TellHandler[] = []
  #handlers: Handlers<any> | null = null
  #releases: (() => void)[] = []
  /** What came while the actor was starting or paused; messages are bounded by the credits of the links. */
  #held: (() => void)[] = []
  #isPaused = false
  #nextPeer = 1
  #isReleasing = false

  constructor(lane: Lane, definition: ActorDefinition<any, any>, self: Address) {
    this.lane = lane
    this.self = self
    this.words = wordsOf(definition.contract)
    this.#definition = definition
  }

  // --- life -------------------------------------------------------------------------------------------------------------------

  /** Runs the actor's `start`; rejects when it throws or when the actor ended meanwhile. */
  async start(input: unknown): Promise<void> {
    let handlers: Handlers<any>
    try {
      handlers = await this.#definition.start(this.#context(), input)
    } catch (thrown) {
      this.#end('LINK_CLOSED', `could not start: ${describeThrown(thrown)}`)
      throw thrown
    }
    if (this.state !== 'Starting')
      throw new PortError({ code: 'UNREACHABLE', message: `${this.self.name} ended while it started` })
    this.#handlers = handlers
    this.#asks = this.words.asks.names.map(name => (handlers.ask as { [name: string]: AskHandler })[name]!)
    this.#tells = this.words.tells.names.map(name => (handlers.tell as { [name: string]: TellHandler })[name]!)
    this.state = 'Running'
    for (const peer of [...this.#peers.values()]) this.#guarded(() => handlers.opened?.(peer))
    if (!this.#isPaused) this.#deliverHeld()
  }

  #deliverHeld(): void {
    const held = this.#held
    this.#held = []
    for (const deliver of held) deliver()
  }

  /** From now on nothing of the actor runs but what it awaits itself: messages, timers and deferred work wait. */
  pause(): void {
    this.#isPaused = true
  }

  /** What waited is handled now, in its order. */
  resume(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    if (this.state === 'Running') this.#deliverHeld()
  }

  /** Whether what arrives has to wait. */
  get #isHolding(): boolean {
    return this.state === 'Starting' || (this.#isPaused && this.state === 'Running')
  }

  /** Orderly end: the actor finishes; a throw or a missed deadline makes it a death. Resolves when it has ended. */
  async close(): Promise<void> {
    if (this.state === 'Closing' || this.state === 'Ended') return
    this.resume()
    const started = this.state === 'Running'
    this.state = 'Closing'
    this.#abort.abort(new PortError({ code: 'LINK_CLOSED', message: `${this.self.name} is closing` }))
    try {
      if (started) await this.#handlers!.close()
    } catch (thrown) {
      this.lane.log('error', this.self, { error: describeThrown(thrown) }, 'the actor threw while it closed')
    }
    this.#end('LINK_CLOSED', `${this.self.name} was closed`)
  }

  /** The actor dies: a throw, a kill. Its supervisor hears of it. */
  die(thrown: unknown): void {
    if (this.state === 'Ended') return
    const whileStarting = this.state === 'Starting'
    const reason = describeThrown(thrown)
    this.lane.log('error', this.self, { error: reason, stack: (thrown as Error)?.stack }, 'the actor died')
    this.#end('LINK_CLOSED', reason)
    if (!whileStarting) this.lane.actorDied(this, reason)
  }

  #end(code: string, reason: string): void {
    if (this.state === 'Ended') return
    this.state = 'Ended'
    if (!this.#abort.signal.aborted) this.#abort.abort(new PortError({ code, message: reason }))
    for (const timer of this.#timers) timer.cancel()
    this.#timers.clear()
    this.#held = []
    for (const peer of [...this.#peers.values()]) peer.close(code, reason)
    this.#peers.clear()
    for (const link of [...this.#links]) link.close(reason)
    this.#isReleasing = true
    for (const release of this.#releases.reverse()) this.#released(release)
    this.#isReleasing = false
    this.#releases = []
    this.lane.actorEnded(this)
  }

  /** Its thread is gone: nothing runs any more, nobody is told from here. */
  perish(): void {
    this.state = 'Ended'
    for (const timer of this.#timers) timer.cancel()
    this.#held = []
  }

  #released(release: () => void): void {
    try {
      // Inside the lane's gate: what is let go here is native, and the thread may be about to be ended.
      this.lane.host.gate.run(release)
    } catch (thrown) {
      this.lane.log('error', this.self, { error: describeThrown(thrown) }, 'a release of an ended actor threw')
    }
  }

  /** Runs something of the actor's now, or when it is resumed. */
  #run(work: () => void): void {
    if (this.#isPaused && this.state === 'Running') this.#held.push(() => this.#run(work))
    else this.#guarded(work)
  }

  /** Runs something of the actor's; a throw is its death. */
  #guarded(work: () => void): void {
    if (this.state === 'Ended') return
    try {
      work()
    } catch (thrown) {
      this.die(thrown)
    }
  }

  // --- messages ---------------------------------------------------------------------------------------------------------------

  admit(peer: PeerEnd): void {
    this.#peers.set(peer.id, peer)
    if (this.state !== 'Starting') this.#run(() => this.#handlers!.opened?.(peer))
  }

  nextPeerId(): number {
    return this.#nextPeer++
  }

  asked(peer: PeerEnd, seq: number, word: number, request: unknown): void {
    if (this.#isHolding) {
      this.#held.push(() => this.asked(peer, seq, word, request))
      return
    }
    if (this.state === 'Ended') return
    let result: unknown
    try {
      result = this.#asks[word]!(request, peer)
    } catch (thrown) {
      this.#refuse(peer, seq, word, thrown)
      return
    }
    if (typeof (result as Promise<unknown> | null)?.then === 'function') {
      ;(result as Promise<unknown>).then(
        response => this.#reply(peer, seq, word, response),
        thrown => this.#refuse(peer, seq, word, thrown),
      )
    } else this.#reply(peer, seq, word, result)
  }

  #reply(peer: PeerEnd, seq: number, word: number, response: unknown): void {
    if (this.state === 'Ended') return
    try {
      peer.reply(seq, word, response)
    } catch (thrown) {
      this.#refuse(peer, seq, word, thrown)
    }
  }

  /** A PortError is an answer; anything else is a bug: the asker sees FAILED and the actor dies. */
  #refuse(peer: PeerEnd, seq: number, word: number, thrown: unknown): void {
    if (this.state === 'Ended') return
    peer.refuse(seq, this.#errorData(word, thrown))
    if (!isPortError(thrown)) this.die(thrown)
  }

  #errorData(word: number, thrown: unknown): ErrorData {
    if (isPortError(thrown)) return { code: thrown.code, message: thrown.message, detail: thrown.detail }
    const name = this.words.asks.names[word]
    return { code: 'FAILED', message: `${this.self.name} failed in '${name}': ${describeThrown(thrown)}` }
  }

  told(peer: PeerEnd, word: number, message: unknown, bytes: number): void {
    if (this.#isHolding) {
      this.#held.push(() => this.told(peer, word, message, bytes))
      return
    }
    if (this.state === 'Ended') return
    try {
      this.#tells[word]!(message, peer)
      peer.handled(bytes)
    } catch (thrown) {
      this.die(thrown)
    }
  }

  left(peer: PeerEnd): void {
    if (!this.#peers.delete(peer.id) || this.state === 'Starting') return
    this.#run(() => this.#handlers!.closed?.(peer))
  }

  // --- what the actor reaches ---------------------------------------------------------------------------------------------------

  #context(): ActorContext {
    const { lane, self } = this
    const log = (level: 'debug' | 'info' | 'warn' | 'error') => (fields: object, message: string) =>
      lane.log(level, self, fields, message)
    return {
      self,
      clock: {
        now: lane.host.clock.now,
        monotonic: lane.host.clock.monotonic,
        after: (delayMs, fire) => this.#after(delayMs, fire),
      },
      random: lane.host.random.fork(),
      log: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
      signal: this.#abort.signal,
      onEnd: release => {
        if (this.state === 'Ended') this.#released(release)
        else this.#releases.push(release)
      },
      limits: lane.host.limits,
      gate: { run: section => this.#inGate(section) },
      resources: lane.host.resources,
      spawn: (module, input, options) => this.#spawn(module, input, options),
      link: (contract, address) => this.#link(contract, address),
      defer: work => lane.defer(this, work),
      report: (metric, value) => void this.#metrics.set(metric, value),
      trace: lane.traceOf(self),
      fail: reason => this.die(reason),
    }
  }

  #after(delayMs: number, fire: () => void): Timer {
    if (this.state === 'Ended') return { cancel() {} }
    const timer = this.lane.host.clock.after(delayMs, () => {
      this.#timers.delete(timer)
      this.#run(fire)
    })
    this.#timers.add(timer)
    return {
      cancel: () => {
        timer.cancel()
        this.#timers.delete(timer)
      },
    }
  }

  #inGate<T>(section: () => T): T {
    if (this.state === 'Ended' && !this.#isReleasing) {
      throw new PortError({ code: 'LINK_CLOSED', message: `${this.self.name} has ended and may not write any more` })
    }
    return this.lane.host.gate.run(section)
  }

  #link(contract: any, address: Address<any>): LinkEnd<any> {
    const link = this.lane.openLink(contract, address, `${this.self.kind} ${this.self.name}`, ended =>
      this.#links.delete(ended),
    )
    if (this.state === 'Ended') link.close(`${this.self.name} has ended`)
    else if (!link.isClosed) this.#links.add(link)
    return link
  }

  async #spawn(module: ActorModule<any, any>, input: unknown, options: SpawnOptions): Promise<Spawned<any>> {
    const spawned = await this.lane.host.uplink.spawn(
      { actor: this.self.actor, incarnation: this.self.incarnation },
      { kind: module.contract.kind, url: module.url },
      input,
      options,
    )
    return {
      get address() {
        return spawned.address
      },
      onChange: listener => spawned.onChange((address, reason) => this.#run(() => listener(address, reason))),
      close: () => spawned.close(),
      kill: reason => spawned.kill(reason),
    }
  }

  /** Runs deferred work, unless the actor ended since it asked for it. */
  runDeferred(work: () => void): void {
    this.#run(work)
  }

  report(): Omit<ActorReport, 'loop'> {
    let description: ActorDescription | undefined
    if (this.state === 'Running') this.#guarded(() => (description = this.#handlers!.describe?.()))
    return {
      address: this.self,
      state: this.#isPaused && this.state === 'Running' ? 'Paused' : (description?.state ?? this.state),
      queues: description?.queues ?? [],
      detail: description?.detail ?? {},
      metrics: Object.fromEntries(this.#metrics),
      links: [...this.#links].map(link => ({ to: link.address.name, ...link.stats() })),
      peers: [...this.#peers.values()].map(peer => ({ from: peer.name, ...peer.stats() })),
    }
  }
}
