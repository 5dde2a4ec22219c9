// The victim of the kill -9 loop: embeds a broker over a directory and writes numbered records into it as fast as it is let. What was
// acknowledged goes line by line into a file, which survives the process; a line on stdout per hundred tells how far it is. Never ends by itself.
import { openSync, writeSync } from 'node:fs'
import { createBroker } from '@odradek/broker/create-broker'
import { Writer } from '../writing.ts'

const [dir, name, acknowledgements] = process.argv.slice(2)
const file = openSync(acknowledgements!, 'a')
const broker = await createBroker({ dir: dir!, listen: false, threads: 3, topics: { events: 3 } })
let count = 0
const writer = new Writer({
  bootstrapServers: broker,
  topic: 'events',
  name: name!,
  outstandingMax: 200,
  sent() {},
  acknowledged(n, { partition, offset }) {
    writeSync(file, `${n} ${partition} ${offset}\n`)
    if (++count % 100 === 0) process.stdout.write(`${count}\n`)
  },
  failed(n, error) {
    throw new Error(`record ${n} failed`, { cause: error })
  },
})
await writer.work()
