// Who waits for the end of a transaction (DESIGN 1.10: park instead of refuse): bounded in number and time. What waits is soft: a
// coordinator that loses its state wakes everybody, and each looks again.
import type { ActorContext } from '@odradek/shared/actor/actor'

type Host = Pick<ActorContext, 'clock' | 'limits'>

export class EndedWatch {
  readonly #host: Host
  readonly #waiting = new Map<string, Set<() => void>>()
  #size = 0
  #high = 0

  constructor(host: Host) {
    this.#host = host
  }

  get queue(): { readonly name: string; readonly size: number; readonly high: number; readonly max: number } {
    const { transactionWaitersMax: max } = this.#host.limits
    return { name: 'waiting for an end', size: this.#size, high: this.#high, max }
  }

  /** Resolves with true at the next `ended` of that id, with false at once when too many wait, or at `deadline` (monotonic ms). */
  wait(transactionalId: string, deadline: number): Promise<boolean> {
    const { clock, limits } = this.#host
    const left = deadline - clock.monotonic()
    if (left <= 0 || this.#size >= limits.transactionWaitersMax) return Promise.resolve(false)
    return new Promise(resolve => {
      const waiting = this.#waiting.get(transactionalId) ?? new Set()
      const leave = (ended: boolean) => {
        timer.cancel()
        if (!waiting.delete(woken)) return
        this.#size--
        if (waiting.size === 0 && this.#waiting.get(transactionalId) === waiting) this.#waiting.delete(transactionalId)
        resolve(ended)
      }
      const woken = () => leave(true)
      const timer = clock.after(left, () => leave(false))
      waiting.add(woken)
      this.#waiting.set(transactionalId, waiting)
      this.#size++
      this.#high = Math.max(this.#high, this.#size)
    })
  }

  ended(transactionalId: string): void {
    for (const wake of [...(this.#waiting.get(transactionalId) ?? [])]) wake()
  }

  everythingEnded(): void {
    for (const transactionalId of [...this.#waiting.keys()]) this.ended(transactionalId)
  }
}
