// Every public call, given what it does not take: it refuses with a KafkaError that says so, at once, and nothing else is harmed.
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  type Broker,
  consume,
  createAdmin,
  createBroker,
  createConsumer,
  createProducer,
  joinBroker,
  KafkaError,
  openWindow,
  pipeline,
  schema,
  topic,
} from '../index.ts'

const rubbish = [null, Number.NaN, -1, 1.5, '', 'x y', true, [], {}, () => undefined, Symbol('rubbish'), 10n]

let broker: Broker
let clients: ReturnType<typeof openClients>
beforeAll(async () => {
  broker = await createBroker({ storage: 'memory', listen: false, topics: { words: 1 } })
  clients = openClients()
  await clients.consumer.assign([place])
})
afterAll(async () => {
  const { producer, transactional, consumer, admin } = clients
  await Promise.all([producer, transactional, consumer, admin].map(client => client.close()))
  await broker.close()
})

function openClients() {
  const bootstrapServers = broker
  return {
    producer: createProducer({ bootstrapServers }),
    transactional: createProducer({ bootstrapServers, transactionalId: 'a-writer' }),
    consumer: createConsumer({ bootstrapServers, groupId: 'readers' }),
    admin: createAdmin({ bootstrapServers }),
  }
}

const place = { topic: 'words', partition: 0 }
const module = new URL('./telling-handler.ts', import.meta.url)
const nothing = () => undefined
const piping = () => ({ bootstrapServers: broker, transactionalId: 'a-pipe', groupId: 'pipes' })
const consuming = () => ({ bootstrapServers: broker, groupId: 'threads', topics: 'words' })

const isObject = (given: unknown) => typeof given === 'object' && given !== null && !Array.isArray(given)
const isFunction = (given: unknown) => typeof given === 'function'
const isFlag = (given: unknown) => typeof given === 'boolean'
const isList = Array.isArray
const never = () => false

/** What a call is, what it is given, and which of the rubbish it takes. */
type Case = readonly [name: string, call: (given: any) => unknown, takes: (given: unknown) => boolean]

const ofTheBroker: Case[] = [
  ['createBroker(...)', given => createBroker(given), isObject],
  ['kill', given => broker.kill(given), never],
  ['pause', given => broker.pause(given), never],
  ['resume', given => broker.resume(given), never],
  ['trace: filter', given => broker.trace(given, nothing)(), isObject],
  ['trace: machines', given => broker.trace({ machines: given }, nothing)(), isList],
  ['trace: listener', given => broker.trace({}, given)(), isFunction],
  ['close', given => broker.close(given), isObject],
  ['close: drainMs', given => broker.close({ drainMs: given }), given => given === 1.5],
  ['joinBroker', given => joinBroker(given), never],
  ['openWindow: broker', given => openWindow(given, '/nowhere/at/all'), never],
  ['openWindow: path', given => openWindow(broker, given), given => given === 'x y'],
]

const ofTheProducer: Case[] = [
  ['send: topic', given => clients.producer.send(given, { value: 'a' }), never],
  ['send: record', given => clients.producer.send('words', given), isList],
  ['send: options', given => clients.producer.send('words', { value: 'a' }, given), isObject],
  ['send: acks', given => clients.producer.send('words', { value: 'a' }, { acks: given }), given => given === -1],
  ['send: signal', given => clients.producer.send('words', { value: 'a' }, { signal: given }), never],
  ['enqueue: onDelivery', given => clients.producer.enqueue('words', { value: 'a' }, given), isFunction],
  ['flush', given => clients.producer.flush(given), isObject],
  ['flush: signal', given => clients.producer.flush({ signal: given }), never],
  ['partitionsFor', given => clients.producer.partitionsFor(given), never],
  ['transaction', given => clients.transactional.transaction(given), isFunction],
  ['close', given => clients.producer.close(given), isObject],
  ['close: timeoutMs', given => clients.producer.close({ timeoutMs: given }), given => given === 1.5],
]

const ofTheConsumer: Case[] = [
  ['subscribe', given => clients.consumer.subscribe(given), isList],
  ['subscribe: options', given => clients.consumer.subscribe('words', given), isObject],
  ['assign', given => clients.consumer.assign(given), isList],
  ['stream: topics', given => clients.consumer.stream(given).next(), isList],
  ['stream: options', given => clients.consumer.stream(undefined, given), isObject],
  ['each: function', given => clients.consumer.each('words', given), isFunction],
  ['each: options', given => clients.consumer.each('words', nothing, given), isObject],
  ['each: an unknown option', given => clients.consumer.each('words', nothing, { concurrency: given } as never), never],
  [
    'each: partitionConcurrency',
    given => clients.consumer.each('words', nothing, { partitionConcurrency: given }),
    never,
  ],
  ['batch: function', given => clients.consumer.batch('words', given), isFunction],
  ['batch: emptyBatches', given => clients.consumer.batch('words', nothing, { emptyBatches: given }), isFlag],
  ['poll', given => clients.consumer.poll(given), given => given === -1 || given === 1.5],
  ['poll: options', given => clients.consumer.poll(0, given), isObject],
  ['seek: to', given => clients.consumer.seek(place, given), given => given === 10n],
  ['seek: timestamp', given => clients.consumer.seek(place, { timestamp: given }), given => given === 10n],
  ['seek: place', given => clients.consumer.seek(given, 0n), never],
  ['position', given => clients.consumer.position(given), never],
  ['lag', given => clients.consumer.lag(given), never],
  ['committed', given => clients.consumer.committed(given), isList],
  ['commit', given => clients.consumer.commit(given), isList],
  ['commitAsync: callback', given => clients.consumer.commitAsync([], given), isFunction],
  ['close', given => clients.consumer.close(given), isObject],
  ['close: timeoutMs', given => clients.consumer.close({ timeoutMs: given }), given => given === 1.5],
]

const ofTheAdmin: Case[] = [
  ['topics.list', given => clients.admin.topics.list(given), isObject],
  ['topics.list: includeInternal', given => clients.admin.topics.list({ includeInternal: given }), isFlag],
  ['topics.list: timeoutMs', given => clients.admin.topics.list({ timeoutMs: given }), given => given === 1.5],
  ['topics.create: options', given => clients.admin.topics.create({ name: 'more' }, given), isObject],
  ['topics.describe: options', given => clients.admin.topics.describe('words', given), isObject],
  ['groups.list', given => clients.admin.groups.list(given), isObject],
  ['groups.list: states', given => clients.admin.groups.list({ states: given }), isList],
  ['groups.offsets: partitions', given => clients.admin.groups.offsets('g', { partitions: given }), isList],
  ['transactions.list', given => clients.admin.transactions.list(given), isObject],
  [
    'transactions.list: pattern',
    given => clients.admin.transactions.list({ pattern: given }),
    given => typeof given === 'string',
  ],
  [
    'configs.describe: names',
    given => clients.admin.configs.describe({ type: 'topic', name: 'words' }, { names: given }),
    isList,
  ],
  ['cluster.describe', given => clients.admin.cluster.describe(given), isObject],
]

const ofTheRest: Case[] = [
  ['topic: name', given => topic(given), never],
  ['topic: codecs', given => topic('words', given), isObject],
  ['topic: value', given => topic('words', { value: given }), never],
  ['schema', given => schema(given), never],
  ['pipeline: from', given => pipeline(given, 'words', nothing, piping()), never],
  ['pipeline: to', given => pipeline('words', given, nothing, piping()), never],
  ['pipeline: function', given => pipeline('words', 'words', given, piping()), isFunction],
  ['pipeline: options', given => pipeline('words', 'words', nothing, given), never],
  ['consume: handler', given => consume(given, consuming()), never],
  ['consume: options', given => consume(module, given), never],
  ['consume: threads', given => consume(module, { ...consuming(), threads: given }), never],
  ['consume: onDeath', given => consume(module, { ...consuming(), onDeath: given }), never],
  ['consume: signal', given => consume(module, { ...consuming(), signal: given }), never],
  ['consume: an unknown option', given => consume(module, { ...consuming(), thread: given } as never), never],
]

test.each([
  ['broker', ofTheBroker],
  ['producer', ofTheProducer],
  ['consumer', ofTheConsumer],
  ['admin', ofTheAdmin],
  ['rest', ofTheRest],
] as const)('rubbish is refused by the calls of the %s', async (_, cases) => {
  const taken: string[] = []
  for (const [name, call, takes] of cases) {
    for (const given of rubbish.filter(each => !takes(each))) {
      const outcome = await (async () => call(given))().catch((thrown: unknown) => thrown)
      const isRefusal = outcome instanceof KafkaError && /^ODK_(OPTION|TOPIC|RECORD|NO_SUCH)_/.test(outcome.code)
      if (!isRefusal) taken.push(`${name}: ${String(given)}: ${outcome}`)
    }
  }
  expect(taken).toEqual([])
})

test('after all that broker and clients work', async () => {
  expect(await broker.health()).toMatchObject({ ok: true })
  const { producer, transactional, consumer } = clients
  await producer.send('words', { value: 'one' })
  await transactional.transaction(async tx => void (await tx.send('words', { value: 'two' })))
  consumer.seek(place, 'earliest')
  const read: string[] = []
  for await (const { value } of consumer.stream()) if (read.push(String(value)) === 2) break
  expect(read).toEqual(['one', 'two'])
})
