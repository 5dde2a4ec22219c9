// A door's line to the broker: a link that is opened anew when the broker's actor was restarted, with what was subscribed before.
import { type Address, type Link, latest } from '../../actor/actor.ts'
import { type BrokerContract, brokerContract } from '../../contracts/broker.contract.ts'
import type { LinkHost } from '../cluster-link.ts'

export class BrokerLine {
  readonly #host: LinkHost
  readonly #address: Address<BrokerContract>
  readonly #opened: ((link: Link<BrokerContract>) => void)[] = []
  #link: Link<BrokerContract> | null = null
  #closed = false

  constructor(host: LinkHost, address: Address<BrokerContract>) {
    this.#host = host
    this.#address = latest(address)
  }

  /** The open link; what is asked while the broker starts anew fails with UNREACHABLE and may be asked again. */
  get link(): Link<BrokerContract> {
    if (this.#link && (this.#closed || !this.#link.isClosed)) return this.#link
    const link = this.#host.link(brokerContract, this.#address)
    this.#link = link
    for (const listener of this.#opened) listener(link)
    return link
  }

  /** Told of each link that is opened, for subscriptions; called at once if one is open. */
  onOpen(listener: (link: Link<BrokerContract>) => void): void {
    this.#opened.push(listener)
    if (this.#link) listener(this.#link)
  }

  close(): void {
    this.#closed = true
    this.#link?.close()
  }
}
