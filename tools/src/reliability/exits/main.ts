// A program that embeds a broker and ends in the middle of writing, as programs do: by `process.exit()` or by an uncaught throw.
import { createBroker } from '@odradek/broker/create-broker'
import { Writer } from '../writing.ts'

const [dir, way, after] = process.argv.slice(2)
const broker = await createBroker({ dir: dir!, listen: false, threads: 3, topics: { events: 3 } })
let acknowledged = 0
const writer = new Writer({
  bootstrapServers: broker,
  topic: 'events',
  name: 'w',
  outstandingMax: 500,
  sent() {},
  acknowledged() {
    if (++acknowledged !== Number(after)) return
    if (way === 'exit') process.exit(7)
    if (way === 'throw')
      setImmediate(() => {
        throw new Error('thrown in the middle of writing')
      })
    if (way === 'reject') void Promise.reject(new Error('rejected in the middle of writing'))
  },
  failed() {},
})
await writer.work()
