// A network that is bad on purpose: between clients and one broker it delays what passes, stalls, and cuts connections, before or after what they carried has
// arrived. What it does follows from a seed, when from the clock. The broker must advertise its port.
import type { Socket } from 'node:net'
import { systemClock } from '@odradek/shared/base/clock'
import { type Random, seededRandom } from '@odradek/shared/base/random'
import { LoopbackRelay } from '../apache-kafka/loopback-relay.ts'

export interface Badness {
  /** Share of the pieces whose connection is cut, 0..1; one in two has arrived then. */
  readonly cut: number
  /** Share of the pieces before which their direction stands still for `stallMs`, 0..1. */
  readonly stall: number
  readonly stallMs: number
  /** Each piece takes up to so long. */
  readonly delayMaxMs: number
}

export class BadNetwork {
  readonly #relay: LoopbackRelay
  readonly #random: Random
  #badness: Badness | null = null
  /** Connections that it has cut. */
  cuts = 0

  private constructor(relay: LoopbackRelay, seed: number) {
    this.#relay = relay
    this.#random = seededRandom(seed)
  }

  /** It is as good as any until it is told otherwise. */
  static async open(seed: number): Promise<BadNetwork> {
    const relay = await LoopbackRelay.open((client, broker) => {
      network.#join(client, broker)
      network.#join(broker, client)
    })
    const network = new BadNetwork(relay, seed)
    return network
  }

  get port(): number {
    return this.#relay.port
  }

  /** Where it leads. */
  leadTo(port: number): void {
    this.#relay.leadTo(port)
  }

  /** What goes wrong from now on; null: nothing. */
  become(badness: Badness | null): void {
    this.#badness = badness
  }

  close(): Promise<void> {
    return this.#relay.close()
  }

  #join(from: Socket, to: Socket): void {
    let passed = Promise.resolve()
    from.on('data', (piece: Uint8Array) => {
      passed = passed.then(() => this.#pass(piece, from, to))
    })
    from.once('close', () => void passed.then(() => to.destroySoon()))
  }

  async #pass(piece: Uint8Array, from: Socket, to: Socket): Promise<void> {
    const badness = this.#badness
    if (badness !== null) {
      const { stall, stallMs, delayMaxMs, cut } = badness
      await waited(this.#random.float() < stall ? stallMs : this.#random.int(delayMaxMs + 1))
      if (this.#random.float() < cut) {
        this.cuts++
        if (this.#random.int(2) === 0) to.end(piece)
        else to.destroy()
        from.destroy()
        return
      }
    }
    to.write(piece)
  }
}

function waited(ms: number): Promise<void> {
  return new Promise(resolve => void systemClock.after(ms, resolve))
}
