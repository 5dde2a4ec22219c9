// A handler module for the suite of worker consumers: tells what it saw on a channel; does what a record's value says.
import { BroadcastChannel } from 'node:worker_threads'
import type { ConsumerRecord } from '@odradek/consumer/consumer-record'
import type { HandlerContext } from '@odradek/consumer/handler-module'

const channel = new BroadcastChannel('telling-handler')
channel.unref()
const thrown = new Set<string>()

export async function each(record: ConsumerRecord<Uint8Array, Uint8Array>, { thread }: HandlerContext): Promise<void> {
  const { topic, partition, offset } = record
  const [key, value] = [Buffer.from(record.key!).toString(), Buffer.from(record.value!).toString()]
  if (value === 'poison') throw new Error('this record is poison')
  if (value === 'shy' && !thrown.has(`${offset}`)) {
    thrown.add(`${offset}`)
    throw new Error('not at once')
  }
  channel.postMessage({ by: `${thread}`, topic, partition, offset, key, value })
}
