// How long records that nobody waits for are held back for the append of another. One timer for all of them: what came while it ran waits
// shorter, so a busy shard arms it once in a while and not per record. Used by the shard runner only.
import type { Clock, Timer } from '@odradek/shared/base/clock'
import type { Limits } from '@odradek/shared/base/limits'

export class Patience {
  readonly #host: { readonly clock: Clock; readonly limits: Limits }
  readonly #over: () => void
  #timer: Timer | null = null

  /** `over` is called `shardPatienceMs` after a `begin` that found no timer. */
  constructor(host: { readonly clock: Clock; readonly limits: Limits }, over: () => void) {
    this.#host = host
    this.#over = over
  }

  begin(): void {
    const { clock, limits } = this.#host
    this.#timer ??= clock.after(limits.shardPatienceMs, () => {
      this.#timer = null
      this.#over()
    })
  }

  end(): void {
    this.#timer?.cancel()
    this.#timer = null
  }
}
