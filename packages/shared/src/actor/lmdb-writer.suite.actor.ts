// Writes to LMDB as a partition leader does (group commit per turn, synchronous transactions inside the gate), for tests that kill it.
import { type Database, open } from 'lmdb'
import { type ActorContext, actorModule, defineActor, type Handlers } from './actor.ts'
import { type LmdbWriterContract, type LmdbWriterInput, lmdbWriter } from './lmdb-writer.suite.contract.ts'

export const lmdbWriterModule = actorModule<LmdbWriterContract, LmdbWriterInput>(
  lmdbWriter,
  new URL('./lmdb-writer.suite.actor.ts', import.meta.url),
)

/** lmdb-js: commit without fsync, in this thread. */
const COMMIT_FLAGS = 0x10002

export const actor = defineActor<LmdbWriterContract, LmdbWriterInput>({
  kind: 'lmdb-writer',
  contract: lmdbWriter,
  start(context, input) {
    const db = context.gate.run(() => openNumbers(input.path))
    context.onEnd(() => context.gate.run(() => void db.close()))
    return handlersOf(context, db, input.valueBytes)
  },
})

export function openNumbers(path: string): Database<Buffer, number> {
  return open<Buffer, number>({ path, encoding: 'binary', overlappingSync: false, mapSize: 2 ** 34 } as never)
}

export function numbersIn(db: Database<Buffer, number>): number[] {
  db.resetReadTxn()
  return [...db.getRange({})].map(({ value }) => value.readUInt32LE(0))
}

function handlersOf(
  context: ActorContext,
  db: Database<Buffer, number>,
  valueBytes: number,
): Handlers<LmdbWriterContract> {
  let next = context.gate.run(() => [...db.getKeys({ reverse: true, limit: 1 })][0] ?? -1) + 1
  let waiting: { n: number; resolve: (reply: { position: number }) => void }[] = []
  const value = Buffer.allocUnsafeSlow(valueBytes).fill(1)
  const commit = () => {
    const batch = waiting
    waiting = []
    const first = next
    context.gate.run(() =>
      db.transactionSync(() => {
        for (const { n } of batch) {
          value.writeUInt32LE(n, 0)
          db.putSync(next++, value)
        }
      }, COMMIT_FLAGS as never),
    )
    for (const [at, { resolve }] of batch.entries()) resolve({ position: first + at })
  }
  return {
    ask: {
      append: ({ n }) =>
        new Promise(resolve => {
          if (waiting.length === 0) context.defer(commit)
          waiting.push({ n, resolve })
        }),
      all: () => ({ numbers: context.gate.run(() => numbersIn(db)) }),
    },
    tell: {},
    close() {},
    describe: () => ({ state: 'Writing', detail: { next } }),
  }
}
