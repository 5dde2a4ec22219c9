// A channel from a lane to itself: arrays are handed over as they are. The lane handles them behind the handler that runs now, so an answer never
// comes before the ask returned. What was said must not be touched afterwards: it is shared, not copied.
import type { Channel, ChannelListener } from './channel.ts'
import type { Entries } from './entries.ts'

export class LoopChannel implements Channel {
  #other!: LoopChannel
  #listener!: ChannelListener
  #isClosed = false

  static pair(): [LoopChannel, LoopChannel] {
    const near = new LoopChannel()
    const far = new LoopChannel()
    near.#other = far
    far.#other = near
    return [near, far]
  }

  attach(listener: ChannelListener): void {
    this.#listener = listener
  }

  post(entries: Entries): void {
    if (!this.#isClosed && !this.#other.#isClosed) this.#other.#listener.received(entries)
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    queueMicrotask(() => {
      if (this.#other.#isClosed) return
      this.#other.#isClosed = true
      this.#other.#listener.ended('the channel was closed')
    })
  }
}
