// A channel over a MessagePort: from thread to thread. A port does not keep its thread alive; the system decides what does.
import type { MessagePort } from 'node:worker_threads'
import type { Channel, ChannelListener } from './channel.ts'
import type { Entries } from './entries.ts'

export class PortChannel implements Channel {
  readonly #port: MessagePort

  constructor(port: MessagePort) {
    this.#port = port
  }

  attach(listener: ChannelListener): void {
    this.#port.on('message', (entries: Entries) => listener.received(entries))
    this.#port.on('close', () => listener.ended('the other thread has ended or closed the channel'))
    this.#port.unref()
  }

  post(entries: Entries, transfer: ArrayBuffer[]): void {
    if (transfer.length === 0) this.#port.postMessage(entries)
    else this.#port.postMessage(entries, transfer)
  }

  close(): void {
    this.#port.close()
  }
}
