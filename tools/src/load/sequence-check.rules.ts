// Whether numbers arrive as they were given out: each once, in order. One checker per sender and partition. Pure but for its own state.

/** Numbers from..to (exclusive) that were jumped over and may still come. */
interface Gap {
  from: number
  to: number
}

export class SequenceCheck {
  #next = 0
  #gaps: Gap[] = []
  #received = 0
  #duplicated = 0
  #disordered = 0

  /** The next number that arrived. */
  take(sequence: number): void {
    if (sequence === this.#next) {
      this.#next++
      this.#received++
    } else this.#unexpected(sequence)
  }

  #unexpected(sequence: number): void {
    if (sequence > this.#next) {
      this.#gaps.push({ from: this.#next, to: sequence })
      this.#next = sequence + 1
      this.#received++
      return
    }
    const gap = this.#gaps.find(({ from, to }) => sequence >= from && sequence < to)
    if (gap === undefined) {
      this.#duplicated++
      return
    }
    this.#disordered++
    this.#received++
    const rest = [
      { from: gap.from, to: sequence },
      { from: sequence + 1, to: gap.to },
    ]
    this.#gaps = [...this.#gaps.filter(each => each !== gap), ...rest.filter(({ from, to }) => from < to)]
  }

  /** Different numbers that arrived; those that came again; those that came after a later one. */
  get figures(): { readonly received: number; readonly duplicated: number; readonly disordered: number } {
    return { received: this.#received, duplicated: this.#duplicated, disordered: this.#disordered }
  }
}
