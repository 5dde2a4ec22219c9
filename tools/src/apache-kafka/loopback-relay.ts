// A port on loopback whose connections go on to another port: what stands between clients and a broker in tests. What passes, and when, is its user's business.
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

export class LoopbackRelay {
  readonly #server: Server
  readonly #connected: (client: Socket, broker: Socket) => void
  readonly #sockets = new Set<Socket>()
  #leadsTo = 0

  private constructor(connected: (client: Socket, broker: Socket) => void) {
    this.#connected = connected
    this.#server = createServer(client => this.#accept(client))
  }

  /** `connected` is told of each connection with its two ends; bytes pass only if it passes them. Errors of a socket are its end, and nothing more. */
  static async open(connected: (client: Socket, broker: Socket) => void): Promise<LoopbackRelay> {
    const relay = new LoopbackRelay(connected)
    await once(relay.#server.listen(0, '127.0.0.1'), 'listening')
    return relay
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port
  }

  /** Where connections that come from now on are led to. */
  leadTo(port: number): void {
    this.#leadsTo = port
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #accept(client: Socket): void {
    const broker = connect({ host: '127.0.0.1', port: this.#leadsTo, noDelay: true })
    client.setNoDelay(true)
    for (const socket of [client, broker]) {
      this.#sockets.add(socket)
      socket.on('error', () => undefined)
      socket.once('close', () => this.#sockets.delete(socket))
    }
    this.#connected(client, broker)
  }
}
