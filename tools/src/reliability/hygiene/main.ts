// An application that embeds a broker, uses it under load, and closes it. Prints what is left, then ends by itself if nothing keeps it.
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { createBroker } from '@odradek/broker/create-broker'
import { createConsumer } from '@odradek/consumer/create-consumer'
import { heldByProcess } from '../held-by-process.ts'
import { Writer } from '../writing.ts'

const [dir, records, listens] = process.argv.slice(2)
const unhandled: string[] = []
process.on('unhandledRejection', reason => unhandled.push(String(reason)))
process.on('uncaughtException', error => unhandled.push(String(error)))

async function use(): Promise<{ acknowledged: number; loopDelayMs: { p50: number; p99: number; max: number } }> {
  const broker = await createBroker({ dir: dir!, listen: listens === 'listen', threads: 4, topics: { events: 3 } })
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  let acknowledged = 0
  const writer = new Writer({
    bootstrapServers: broker,
    topic: 'events',
    name: `w${process.hrtime.bigint()}`,
    outstandingMax: 500,
    sent() {},
    acknowledged() {
      if (++acknowledged === Number(records)) writer.stop()
    },
    failed: (_, error) => unhandled.push(String(error)),
  })
  const consumer = createConsumer({ bootstrapServers: broker, autoOffsetReset: 'earliest' })
  await consumer.assign([0, 1, 2].map(partition => ({ topic: 'events', partition })))
  const reading = (async () => {
    let read = 0
    while (read < Number(records)) read += (await consumer.poll(100)).length
  })()
  await writer.work()
  await reading
  delay.disable()
  await consumer.close()
  await writer.close()
  await broker.close()
  const ms = (nanoseconds: number) => Math.round(nanoseconds / 1e4) / 100
  return {
    acknowledged,
    loopDelayMs: { p50: ms(delay.percentile(50)), p99: ms(delay.percentile(99)), max: ms(delay.max) },
  }
}

// The first use loads what stays loaded (pools, compiled code); what the second leaves is a leak.
await use()
const before = heldByProcess()
const used = await use()
const after = heldByProcess()
const resources = process.getActiveResourcesInfo().filter(name => !/^(Pipe|TTY|FileHandle)/.test(name))
process.stdout.write(`${JSON.stringify({ ...used, before, after, resources, unhandled })}\n`)
