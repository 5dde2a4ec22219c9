// A list of numbers in LMDB, written as a partition log is (one synchronous transaction per group, no fsync), for tests that kill
// the writer. Every call belongs inside a gate.
import { open } from 'lmdb'

/** lmdb-js: commit without fsync, in this thread. */
const COMMIT_FLAGS = 0x10002

export class LmdbNumbers {
  readonly #db
  readonly #value: Buffer
  #next: number

  /** `valueBytes`: what each number takes; large values make long transactions. */
  constructor(path: string, valueBytes = 4) {
    this.#db = open<Buffer, number>({ path, encoding: 'binary', overlappingSync: false, mapSize: 2 ** 36 } as never)
    this.#value = Buffer.allocUnsafeSlow(valueBytes).fill(1)
    this.#next = ([...this.#db.getKeys({ reverse: true, limit: 1 })][0] ?? -1) + 1
  }

  /** Commits the numbers in one transaction; returns the position of the first. */
  append(numbers: readonly number[]): number {
    const first = this.#next
    this.#db.transactionSync(() => {
      for (const number of numbers) {
        this.#value.writeUInt32LE(number, 0)
        this.#db.putSync(this.#next++, this.#value)
      }
    }, COMMIT_FLAGS as never)
    return first
  }

  /** All numbers, in the order in which they were appended. */
  all(): number[] {
    this.#db.resetReadTxn()
    return [...this.#db.getRange({})].map(({ value }) => value.readUInt32LE(0))
  }

  close(): void {
    void this.#db.close()
  }
}
