// `--style kafka` says what it says: exactly what Kafka's own scripts print. Both are run against the same broker, and their texts are compared.
import { type Broker, createBroker } from '@odradek/broker/create-broker'
import { createConsumer } from '@odradek/consumer/create-consumer'
import { createProducer } from '@odradek/producer/create-producer'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { run } from '../cli/run.ts'
import { capturedTerminal } from '../cli/terminal/captured-terminal.suite.ts'
import { javaMissing } from './drivers.ts'
import { KafkaTools } from './kafka-tools.ts'

const missing = javaMissing()
type Script = Parameters<KafkaTools['run']>[0]

const pairs: readonly (readonly [ours: string, script: Script, theirs: string])[] = [
  ['topic list', 'kafka-topics', '--list'],
  ['topic describe orders', 'kafka-topics', '--describe --topic orders'],
  ['topic describe tuned', 'kafka-topics', '--describe --topic tuned'],
  ['topic offsets orders', 'kafka-get-offsets', '--topic orders'],
  ['topic offsets tuned', 'kafka-get-offsets', '--topic tuned'],
  ['config describe topic/tuned', 'kafka-configs', '--describe --entity-type topics --entity-name tuned'],
  ['config describe topic/tuned --all', 'kafka-configs', '--describe --all --entity-type topics --entity-name tuned'],
  ['config describe broker/1 --all', 'kafka-configs', '--describe --all --entity-type brokers --entity-name 1'],
  ['group list', 'kafka-consumer-groups', '--list'],
  ['group describe readers', 'kafka-consumer-groups', '--describe --group readers'],
  ['group describe readers --state', 'kafka-consumer-groups', '--describe --state --group readers'],
  ['group describe readers --members', 'kafka-consumer-groups', '--describe --members --group readers'],
]

describe.skipIf(missing !== null)(missing ?? 'the text of --style kafka', () => {
  let broker: Broker
  let tools: KafkaTools
  beforeAll(async () => {
    broker = await createBroker({ storage: 'memory', topics: { orders: 3, tuned: 1 } })
    tools = new KafkaTools(broker.bootstrapServers)
    const changes = ['retention.ms=60000', 'cleanup.policy=compact']
    expect((await ours('config set topic/tuned', changes)).code).toBe(0)
    await using producer = createProducer({ bootstrapServers: broker })
    for (let partition = 0; partition < 3; partition++) await producer.send('orders', { partition, value: 'x' })
    await using consumer = createConsumer({ bootstrapServers: broker, groupId: 'readers', autoOffsetReset: 'earliest' })
    await consumer.subscribe(['orders'])
    for (let read = 0; read < 3; ) read += (await consumer.poll(1_000)).length
    await consumer.commit()
  })
  afterAll(async () => {
    await tools?.close()
    await broker?.close()
  })

  async function ours(line: string, more: readonly string[]) {
    const terminal = capturedTerminal({ columns: 1_000 })
    const [noun, verb, ...rest] = line.split(' ')
    const code = await run([noun!, verb!, '-b', broker.bootstrapServers, ...rest, ...more], terminal)
    return { code, out: terminal.out, notes: terminal.notes }
  }

  test.each(pairs)('%s is %s %s', async (line, script, theirs) => {
    const { code, out, notes } = await ours(line, ['--style', 'kafka'])
    expect({ code, notes: code === 0 ? [] : notes }).toEqual({ code: 0, notes: [] })
    expect(out).toBe(await tools.run(script, theirs.split(' ')))
  })
})
