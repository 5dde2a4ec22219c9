// Writes on a small disk until it is full, and on when there is room again. The parent fills and frees the disk when it is told to.
import { writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { createBroker } from '@odradek/broker/create-broker'
import { createProducer } from '@odradek/producer/create-producer'
import type { KafkaError } from '@odradek/shared/base/errors'
import { History } from '../../simulator/history.ts'
import { readBack } from '../reading-back.ts'

const [dir, tries] = process.argv.slice(2)
const orders = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const say = (event: object) => void process.stdout.write(`${JSON.stringify(event)}\n`)

const broker = await createBroker({ dir: dir!, listen: false, threads: 2, topics: { events: 1 } })
// Without retries the first refusal is told; with them a producer goes on trying until its delivery timeout.
const producer = createProducer({ bootstrapServers: broker, lingerMs: 0, retries: 0 })
const acknowledged: string[] = []
let n = 0

/** Sends one record; what went wrong, or null. */
async function write(size: number): Promise<KafkaError | null> {
  const value = `w#${n++}`.padEnd(size, '.')
  try {
    await producer.send('events', { value })
    acknowledged.push(value.replace(/\.+$/, ''))
    return null
  } catch (error) {
    return error as KafkaError
  }
}

let refused: KafkaError | null = null
let refusals = 1
while (refused === null) refused = await write(60_000)
// Each begins to write at another place.
for (let size = 0, left = Number(tries); left > 0; left--) {
  size = (size + 7_919) % 200_000
  if ((await write(size)) !== null) refusals++
}
say({
  event: 'full',
  refusals,
  written: acknowledged.length,
  code: refused.code,
  kafkaName: refused.kafkaName,
  message: refused.message,
})

await orders.next()
const recovered = await write(1_000)
say({ event: 'freed', error: recovered === null ? null : recovered.message })

const history = new History(() => 0)
await readBack(broker, 'events', history)
const there = new Set(history.final.map(({ value }) => value.replace(/\.+$/, '')))
say({ event: 'read', records: there.size, lost: acknowledged.filter(value => !there.has(value)) })
await producer.close()
await broker.close()
writeFileSync(`${dir}/closed`, '')
say({ event: 'closed' })
process.stdin.destroy()
