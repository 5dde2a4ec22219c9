// A network that is bad on purpose: between clients and one broker it delays what passes, stalls, and cuts connections, before or after what they carried has
// arrived. What it does follows from a seed, when from the clock. The broker must advertise its port.
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { systemClock } from '@odradek/shared/base/clock'
import { type Random, seededRandom } from '@odradek/shared/base/random'

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
  readonly #server: Server
  readonly #random: Random
  readonly #sockets = new Set<Socket>()
  #badness: Badness | null = null
  #port = 0
  /** Connections that it has cut. */
  cuts = 0

  private constructor(seed: number) {
    this.#random = seededRandom(seed)
    this.#server = createServer(socket => this.#accept(socket))
  }

  /** It is as good as any until it is told otherwise. */
  static async open(seed: number): Promise<BadNetwork> {
    const network = new BadNetwork(seed)
    await once(network.#server.listen(0, '127.0.0.1'), 'listening')
    return network
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port
  }

  /** Where it leads. */
  leadTo(port: number): void {
    this.#port = port
  }

  /** What goes wrong from now on; null: nothing. */
  become(badness: Badness | null): void {
    this.#badness = badness
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #accept(client: Socket): void {
    const broker = connect({ host: '127.0.0.1', port: this.#port, noDelay: true })
    client.setNoDelay(true)
    this.#relay(client, broker)
    this.#relay(broker, client)
  }

  #relay(from: Socket, to: Socket): void {
    this.#sockets.add(from)
    let passed = Promise.resolve()
    from.on('data', (piece: Uint8Array) => {
      passed = passed.then(() => this.#pass(piece, from, to))
    })
    from.on('error', () => undefined)
    from.once('close', () => {
      this.#sockets.delete(from)
      void passed.then(() => to.destroySoon())
    })
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
