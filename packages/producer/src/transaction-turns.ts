// What is asked of a transactional sender, in the order in which it came: a transaction may be begun, filled and ended by its caller while the one before is still being
// committed. A step that cannot be taken yet holds up all that came behind it.

/** Takes the step and returns true, or returns false: not yet. */
type Step = () => boolean

export class TransactionTurns {
  readonly #steps: Step[] = []
  readonly #rested: () => void
  #isGoing = false

  /** `rested`: called when no step can be taken any more. */
  constructor(rested: () => void = () => {}) {
    this.#rested = rested
  }

  /** Takes the step now, or in its turn. */
  add(step: Step): void {
    this.#steps.push(step)
    this.goOn()
  }

  /** Does `work` now, or in its turn; what it returns, or throws, is what the caller gets. */
  inTurn<T>(work: () => T | Promise<T>): T | Promise<T> {
    if (this.#steps.length === 0) return work()
    return new Promise((resolve, reject) => {
      this.add(() => {
        try {
          resolve(work())
        } catch (thrown) {
          reject(thrown)
        }
        return true
      })
    })
  }

  /** Takes the steps that can be taken. */
  goOn(): void {
    if (this.#isGoing) return
    this.#isGoing = true
    while (this.#steps[0]?.()) this.#steps.shift()
    this.#isGoing = false
    this.#rested()
  }
}
