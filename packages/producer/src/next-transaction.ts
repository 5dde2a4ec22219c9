// What belongs to a transaction that was begun while the one before it is being committed, in the sender's thread: kept in the order in which it came, until that
// transaction has its turn, or has none. So the thread goes from one to the next without a word from the caller.

export class NextTransaction {
  readonly #kept: (() => void)[] = []

  /** Does `work` when it is released; what it returns, or throws, is what the promise becomes. */
  keep<T>(work: () => T | Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#kept.push(() => {
        try {
          resolve(work())
        } catch (thrown) {
          reject(thrown)
        }
      })
    })
  }

  /** Does all that was kept, in order. */
  release(): void {
    for (let work = this.#kept.shift(); work !== undefined; work = this.#kept.shift()) work()
  }
}
