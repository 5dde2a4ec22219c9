// Waiting for what must come to be true: looks again whenever it is told that something changed, and now and then besides, since not everything tells.
// Used by suites of groups; a wait that is never over says what was waited for and how things stood.

/** How often it looks without being told. */
const LOOK_MS = 20

export class BecomingTrue {
  readonly #patienceMs: number
  readonly #story: () => string
  readonly #looks = new Set<() => void>()

  /** A wait gives up after `patienceMs` (a busy machine may take its time) with what `story` says. */
  constructor(patienceMs: number, story: () => string) {
    this.#patienceMs = patienceMs
    this.#story = story
  }

  changed(): void {
    for (const look of [...this.#looks]) look()
  }

  /** Resolves when it is true; rejects with `what` when it never is, or with what `isTrue` throws. */
  until(what: string, isTrue: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (settle: () => void) => {
        clearTimeout(timer)
        clearInterval(again)
        this.#looks.delete(look)
        settle()
      }
      const look = () => {
        try {
          if (isTrue()) end(resolve)
        } catch (error) {
          end(() => reject(error))
        }
      }
      const giveUp = () => end(() => reject(new Error(`never: ${what}; ${this.#story()}`)))
      const timer = setTimeout(giveUp, this.#patienceMs)
      const again = setInterval(look, LOOK_MS)
      this.#looks.add(look)
      look()
    })
  }
}
