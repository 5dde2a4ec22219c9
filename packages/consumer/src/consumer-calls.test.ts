// What calls of a consumer refuse before its thread is asked.
import { expect, test } from 'vitest'
import { consume } from './consume.ts'
import type { Consumer } from './consumer-client.ts'
import { consumerWorld } from './consumer-world.suite.ts'

const as = (given: unknown) => given as never
const handler = new URL('file:///handlers/handle.js')
const place = { topic: 'words', partition: 0 }

test.each([
  ['assign: no list', (consumer: Consumer) => consumer.assign(as(undefined)), 'assign takes a list of partitions'],
  [
    'assign: names',
    (consumer: Consumer) => consumer.assign(as(['words'])),
    "assign takes partitions as objects, got 'words'",
  ],
  [
    'assign: a partition as text',
    (consumer: Consumer) => consumer.assign(as([{ ...place, partition: '0' }])),
    'partition must be',
  ],
  [
    'assign: a negative partition',
    (consumer: Consumer) => consumer.assign([{ ...place, partition: -1 }]),
    'partition must be',
  ],
  ['assign: no offset', (consumer: Consumer) => consumer.assign(as([{ ...place, offset: 'x' }])), 'offset must be'],
  [
    'commit: no list',
    (consumer: Consumer) => consumer.commit(as({})),
    'commit takes a list of partitions, got an object',
  ],
  [
    'commit: an offset as text',
    (consumer: Consumer) => consumer.commit(as([{ ...place, offset: '5' }])),
    'offset must be',
  ],
  ['committed: no list', (consumer: Consumer) => consumer.committed(as(place)), 'committed takes a list of partitions'],
  ['endOffsets: nothing', (consumer: Consumer) => consumer.endOffsets(as(undefined)), 'takes a list of partitions'],
  ['pause: nothing', async (consumer: Consumer) => consumer.pause(as(undefined)), 'pause takes a list of partitions'],
])('%s', async (_, call, words) => {
  const { create } = consumerWorld(1)
  const consumer = create({ groupId: 'g' })
  await expect(call(consumer)).rejects.toMatchObject({
    code: 'ODK_OPTION_INVALID',
    message: expect.stringContaining(words),
  })
})

test('a signal in place of the options that hold it is told from no options', async () => {
  const { signal } = new AbortController()
  const { create } = consumerWorld(1)
  await expect(create().subscribe('words', as(signal))).rejects.toThrow(
    "subscribe takes options such as { signal }, got 'the signal itself'",
  )
})

test('poll: a wait that is no number', async () => {
  const { world, cluster, create } = consumerWorld(1)
  cluster.addTopic('words', 1)
  const consumer = create()
  await world.run(() => consumer.assign([place]))
  await expect(consumer.poll(as('soon'))).rejects.toMatchObject({ code: 'ODK_OPTION_INVALID' })
})

test.each([
  [undefined, 'takes an object of options'],
  [{ threads: 0 }, 'threads must be an integer from 1 to 256, got 0'],
  [{ partitionConcurrency: 0 }, 'partitionConcurrency must be an integer from 1'],
  [{ onError: 'ignore' }, "onError must be 'stop', 'skip', 'retry' or a function, got 'ignore'"],
  [{ onDeath: 'never' }, "onDeath must be one of 'restart', 'stop', got 'never'"],
  [{ topics: 5 }, 'takes a name or a list of names, got 5'],
  [{ topics: 'a/b' }, "letters, digits, '.', '_' and '-'"],
])('consume: %j', (options, words) => {
  expect(() => consume(handler, as(options && { groupId: 'g', ...options }))).toThrow(words)
})

test.each(['./handler.js', 'handler.js', '', 5])(
  'consume: a handler that is %j is refused: it would be looked for elsewhere',
  given => {
    const options = { groupId: 'g', bootstrapServers: 'localhost:9092' }
    expect(() => consume(as(given), options)).toThrow(
      /handler must be a URL, such as new URL\('\.\/handler\.js', import\.meta\.url\)/,
    )
  },
)

test('consume: an unknown option is refused by the name of the call', () => {
  const options = { groupId: 'g', bootstrapServers: 'localhost:9092', sessionTimeout: 5 }
  expect(() => consume(handler, as(options))).toThrow(
    'consume: unknown option sessionTimeout; did you mean sessionTimeoutMs?',
  )
})
