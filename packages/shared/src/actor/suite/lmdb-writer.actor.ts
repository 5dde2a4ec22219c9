// Writes to LMDB as a partition leader does (group commit per turn, inside the gate), for tests that kill it.
import { type ActorContext, actorModule, defineActor, type Handlers } from '../actor.ts'
import { LmdbNumbers } from './lmdb-numbers.ts'
import { type LmdbWriterContract, type LmdbWriterInput, lmdbWriter } from './lmdb-writer.contract.ts'

export const lmdbWriterModule = actorModule<LmdbWriterContract, LmdbWriterInput>(
  lmdbWriter,
  new URL('./lmdb-writer.actor.ts', import.meta.url),
)

export const actor = defineActor<LmdbWriterContract, LmdbWriterInput>({
  kind: 'lmdb-writer',
  contract: lmdbWriter,
  start(context, { path, valueBytes }) {
    const stored = context.gate.run(() => new LmdbNumbers(path, valueBytes))
    context.onEnd(() => context.gate.run(() => stored.close()))
    return handlersOf(context, stored)
  },
})

function handlersOf({ gate, defer }: ActorContext, stored: LmdbNumbers): Handlers<LmdbWriterContract> {
  let waiting: { n: number; resolve: (reply: { position: number }) => void }[] = []
  const commit = () => {
    const group = waiting
    waiting = []
    const first = gate.run(() => stored.append(group.map(({ n }) => n)))
    for (const [at, { resolve }] of group.entries()) resolve({ position: first + at })
  }
  return {
    ask: {
      append: ({ n }) =>
        new Promise(resolve => {
          if (waiting.length === 0) defer(commit)
          waiting.push({ n, resolve })
        }),
      all: () => ({ numbers: gate.run(() => stored.all()) }),
    },
    tell: {},
    close() {},
  }
}
