// Reads whole topics of an embedded broker into a history, and looks at logs without a broker.
import { createConsumer } from '@odradek/consumer/create-consumer'
import { nameOf } from '@odradek/consumer/partition-names.rules'
import { string } from '@odradek/shared/client/codecs'
import { topic } from '@odradek/shared/client/topic'
import { readableLogs } from '../cli/log/log-folders.ts'
import { verifyLog } from '../cli/log/verify-log.ts'
import type { History } from '../simulator/history.ts'

/** Every record of the topic, from its beginning. */
export async function readBack(bootstrapServers: object, name: string, history: History): Promise<void> {
  const consumer = createConsumer({ bootstrapServers, clientId: 'read-back', autoOffsetReset: 'earliest' })
  const texts = topic(name, { key: string(), value: string() })
  const partitions = (await consumer.partitionsFor(name)).map(partition => ({ topic: name, partition }))
  const ends = await consumer.endOffsets(partitions)
  const left = new Map(
    partitions.flatMap(({ partition }, n) => (ends[n]! > 0n ? [[partition, ends[n]!] as const] : [])),
  )
  await consumer.assign(partitions.map(at => ({ ...at, topic: texts, offset: 0 })))
  while (left.size > 0) {
    for (const { partition, offset, key, value } of await consumer.poll(1_000)) {
      history.readFinally({ committedOnly: false, topic: name, partition, offset: Number(offset), key, value })
      if (offset + 1n >= (left.get(partition) ?? 0n)) left.delete(partition)
    }
  }
  await consumer.close()
}

/** What `odradek log verify` finds wrong in a directory. */
export function damages(dir: string): string[] {
  return Array.from(readableLogs(dir, { live: false }), log =>
    verifyLog(log).findings.map(({ offset, problem }) => `${nameOf(log.identity)}@${offset}: ${problem}`),
  ).flat()
}

/** Records of one writer that stand in the log before records that it sent earlier: none, with idempotence. */
export function disorder({ final }: History): string[] {
  const latest = new Map<string, number>()
  return final.flatMap(({ topic: name, partition, offset, value }) => {
    const [writer, n] = value.split('#')
    const line = `${writer} ${name}-${partition}`
    const before = latest.get(line) ?? -1
    latest.set(line, Number(n))
    return Number(n) > before ? [] : [`${value} at ${name}-${partition}@${offset} stands after ${writer}#${before}`]
  })
}
