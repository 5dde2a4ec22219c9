// The traced examples of `packages/coordinator/EXACTLY-ONCE.md` are what a run of today says. To renew them: ODRADEK_WRITE_DOCS=1.
import { readFileSync, writeFileSync } from 'node:fs'
import { decodeTransactionRecord } from '@odradek/coordinator/transaction/transaction.records'
import type { TraceEvent } from '@odradek/shared/actor/trace'
import { partitionForKey } from '@odradek/shared/base/java-hash'
import { controlRecordType } from '@odradek/shared/records/control-records'
import * as batch from '@odradek/shared/records/record-batch'
import { RecordReader } from '@odradek/shared/records/record-reader'
import { expect, test } from 'vitest'
import { type ClientVersion, TransactionHouse } from './transaction-house.suite.ts'

const page = new URL('../../../coordinator/EXACTLY-ONCE.md', import.meta.url)
const ID = 'shop'

/** A transaction of two partitions and an offset, line by line: requests, steps of the machine, and what the logs hold afterwards. */
async function traced(version: ClientVersion): Promise<string[]> {
  const lines: string[] = []
  await TransactionHouse.tell(async house => {
    house.world.trace({ kinds: ['coordinator'] }, event => lines.push(...stepLine(event)))
    const say = async (line: string, asked: Promise<{ error: string } | string>) => {
      const said = await asked
      await house.sleep(50)
      lines.push(`${line.padEnd(66)} ${typeof said === 'string' ? said : said.error}`)
    }
    const producer = await house.init(ID, { version })
    await say(`InitProducerId  id ${producer.producerId}, epoch ${producer.producerEpoch}`, Promise.resolve(producer))
    for (const partition of [0, 1]) {
      if (version === 1) await say(`AddPartitionsToTxn  orders-${partition}`, house.add(ID, producer, [partition]))
      const produced = house.produce(ID, producer, { partition, baseSequence: 0, value: 'v' }, version)
      await say(`Produce  orders-${partition}`, produced)
    }
    const committed = house.commitOffset(ID, producer, 7, { version, groupId: 'billing' })
    await say(version === 1 ? 'AddOffsetsToTxn, TxnOffsetCommit  billing' : 'TxnOffsetCommit  billing', committed)
    const ended = await house.end(ID, producer, true, version)
    const next = version === 2 ? `  next epoch ${ended.producerEpoch}` : ''
    await say(`EndTxn  commit, epoch ${producer.producerEpoch}${next}`, Promise.resolve(ended))
    lines.push('', ...(await logLines(house)))
  })
  return lines
}

function stepLine({ machine, from, event, to, effects }: TraceEvent): string[] {
  if (machine !== 'transaction') return []
  return [`    ${`${from} --${event}--> ${to}`.padEnd(70)} ${effects.join(' ')}`.trimEnd()]
}

async function logLines(house: TransactionHouse): Promise<string[]> {
  const state = partitionForKey(ID, 3)
  const offsets = partitionForKey('billing', 2)
  const logs = [
    ['__transaction_state', state],
    ['orders', 0],
    ['orders', 1],
    ['__consumer_offsets', offsets],
  ] as const
  const lines = logs.map(async ([topic, partition]) => {
    const held: string[] = []
    const records = await house.read(topic, partition)
    batch.forEachBatch(records, at => held.push(...batchLines(records, at, topic)))
    return [`${topic}-${partition}`, ...held.map(line => `    ${line}`)]
  })
  return (await Promise.all(lines)).flat()
}

function batchLines(records: Uint8Array, at: number, topic: string): string[] {
  const reader = new RecordReader()
  reader.open(records, at, 2 ** 20)
  const epoch = `producer epoch ${batch.producerEpoch(records, at)}`
  const lines: string[] = []
  while (reader.next()) {
    if (batch.isControlBatch(records, at))
      lines.push(`${reader.offset}  ${controlRecordType(reader.key())} marker, ${epoch}`)
    else if (topic === '__transaction_state') lines.push(`${reader.offset}  ${stateLine(reader)}`)
    else lines.push(`${reader.offset}  ${topic === 'orders' ? 'data' : 'offset of billing'}, transactional, ${epoch}`)
  }
  return lines
}

function stateLine(reader: RecordReader): string {
  const { status, producerEpoch, partitions } = decodeTransactionRecord(reader.key(), reader.value())!.metadata!
  const names = partitions.flatMap(({ topic, partitions }) => partitions.map(partition => `${topic}-${partition}`))
  return `${status}, epoch ${producerEpoch}${names.length > 0 ? `: ${names.join(' ')}` : ''}`
}

test.each([1, 2] as const)('the page shows what a run under transaction.version %i does', async version => {
  const section = `\`\`\`text\n${(await traced(version)).join('\n')}\n\`\`\``
  const text = readFileSync(page, 'utf8')
  const [start, end] = [`<!-- traced:${version} -->\n`, `\n<!-- /traced:${version} -->`]
  const [before, rest] = text.split(start) as [string, string]
  const [shown, after] = rest.split(end) as [string, string]
  if (process.env.ODRADEK_WRITE_DOCS) writeFileSync(page, `${before}${start}${section}${end}${after}`)
  else expect(shown).toBe(section)
})
