// A process of its own for exit.test: writes to LMDB from several threads as fast as it can, then ends in the way that it is told,
// in the middle of writing. Prints what was acknowledged: one line per writer, `name count`, counts being dense from 0.
//   node exit-story.worker.js WAY DIR APPENDS
import { writeSync } from 'node:fs'
import { join } from 'node:path'
import { createActorSystem } from '../actor-system.ts'
import { lmdbWriterModule } from './lmdb-writer.actor.ts'
import { lmdbWriter } from './lmdb-writer.contract.ts'

const [way, dir, appends] = process.argv.slice(2) as [string, string, string]

const ways: { readonly [name: string]: () => void } = {
  exit: () => process.exit(7),
  throw: () => {
    throw new Error('thrown in the middle of writing')
  },
  reject: () => void Promise.reject(new Error('rejected in the middle of writing')),
  interrupt: () => void process.kill(process.pid, 'SIGINT'),
  close: () => void system.close(),
  leave: () => {
    // Nothing keeps the process: no actor does after unref, and the load stops asking.
    stopped = true
    system.unref()
  },
}

const system = createActorSystem({ threads: 3 })
const acknowledged = new Map<string, number>()
let stopped = false
let left = Number(appends)

process.on('exit', () => {
  for (const [name, count] of acknowledged) writeSync(1, `${name} ${count}\n`)
})

const names = ['writer-0', 'writer-1', 'writer-2']
const writers = await Promise.all(
  names.map(name => system.spawn(lmdbWriterModule, { path: join(dir, name), valueBytes: 60_000 }, { name })),
)

for (const { address } of writers) {
  const { name } = address
  const link = system.link(lmdbWriter, address)
  acknowledged.set(name, 0)
  let next = 0
  const append = (): void => {
    if (stopped || link.isClosed) return
    link.ask('append', { n: next++ }).then(
      () => {
        acknowledged.set(name, acknowledged.get(name)! + 1)
        append()
        // From a turn of its own, as an application would, while the writers write.
        if (--left === 0) setImmediate(ways[way]!)
      },
      () => {},
    )
  }
  for (let stream = 0; stream < 16; stream++) append()
}
