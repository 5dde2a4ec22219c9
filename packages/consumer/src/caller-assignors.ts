// The consumer's thread's side of assignors that live in the caller's thread: asks, and waits for the answer. Owned by the consumer actor.
import type { ErrorData } from '@odradek/shared/base/errors'
import type { AssignorAnswer, AssignorCall } from '@odradek/shared/contracts/consumer.contract'
import { errorData, portError } from './consumer-errors.ts'

interface Question {
  readonly id: number
  readonly assignor: string
  readonly call: AssignorCall
}

interface Waiting {
  resolve(answer: AssignorAnswer): void
  reject(error: Error): void
}

/** One question is open at a time: a membership asks step by step. A step that was given up leaves its question to be answered unheard. */
export class CallerAssignors {
  readonly #tell: (question: Question) => boolean
  readonly #waiting = new Map<number, Waiting>()
  #nextId = 1

  /** `tell` is false when there is no caller to ask. */
  constructor(tell: (question: Question) => boolean) {
    this.#tell = tell
  }

  /** Rejects with ODK_ASSIGNOR_FAILED when the caller's function throws, with ODK_CONSUMER_CLOSED when there is nobody to ask. */
  ask(assignor: string, call: AssignorCall): Promise<AssignorAnswer> {
    const id = this.#nextId++
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      if (!this.#tell({ id, assignor, call })) this.answered({ id, answer: null, error: NOBODY })
    })
  }

  answered({ id, answer, error }: { id: number; answer: AssignorAnswer | null; error: ErrorData | null }): void {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (answer === null) waiting?.reject(portError(error!))
    else waiting?.resolve(answer)
  }

  /** Nobody answers any more. */
  close(): void {
    for (const id of [...this.#waiting.keys()]) this.answered({ id, answer: null, error: NOBODY })
  }
}

const NOBODY = errorData('ODK_CONSUMER_CLOSED', 'the consumer was closed')
