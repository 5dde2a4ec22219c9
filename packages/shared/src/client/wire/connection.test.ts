// One connection against a broker that follows a script: negotiation, order, timeouts, backoff, silence, refusals, and its end in every state.
import { beforeAll, expect, test } from 'vitest'
import { KafkaError, type PortError } from '../../base/errors.ts'
import { groups, outcome, plain, scene, token } from './connection-scene.suite.ts'
import { type BrokerSocket, type ScriptedBroker, schemasLoaded, settled } from './scripted-broker.suite.ts'

beforeAll(schemasLoaded)

test('the newest common version is spoken, after ApiVersions', async () => {
  const { broker, list } = scene()
  broker.versions = { ListGroups: [0, 3] }
  broker.on('ListGroups', () => groups)
  const reply = list()
  await settled()
  expect(reply.value).toMatchObject({ version: 3, value: { errorCode: 0 } })
  expect(broker.last.received.map(({ api, header }) => `${api} ${header.apiVersion}`)).toEqual([
    'ApiVersions 4',
    'ListGroups 3',
  ])
})

test.each([
  ['names the version it knows', [{ apiKey: 18, minVersion: 0, maxVersion: 2 }], [4, 2]],
  ['names none', [], [4, 0]],
])(
  'KIP-511: a broker that does not know the version of ApiVersions answers in version 0 and %s',
  async (_, apiKeys, versions) => {
    const { broker, list } = scene()
    broker.on('ListGroups', () => groups)
    broker.on('ApiVersions', (_request, header) => {
      if (header.apiVersion <= 2) return broker.apiVersions()
      return broker.last.frameOf(header, { errorCode: 35, apiKeys }, 0)
    })
    const reply = list()
    await settled()
    expect(reply.error).toBeUndefined()
    expect(reply.value).toBeDefined()
    const asked = broker.last.received.filter(({ api }) => api === 'ApiVersions')
    expect(asked.map(({ header }) => header.apiVersion)).toEqual(versions)
  },
)

test.each([
  [
    'does not serve it',
    [0, -1],
    'the broker at 10.0.0.1:9092 does not serve it (it looks like from Apache Kafka 2.7 to before 3.1)',
  ],
  ['has only versions that are unknown here', [90, 99], 'serves versions 90 to 99 of it'],
] as const)(
  'an API that the broker lacks fails with its name and what the broker is: %s',
  async (_, versions, words) => {
    const { broker, list } = scene()
    broker.versions = { ListGroups: versions, Fetch: [0, 12] }
    const reply = list()
    await settled()
    expect(reply.error).toBeInstanceOf(KafkaError)
    expect(reply.error).toMatchObject({ code: 'ODK_UNSUPPORTED_VERSION', kafkaName: 'UNSUPPORTED_VERSION' })
    expect(reply.error!.message).toContain('ListGroups (API key 16) is needed in versions')
    expect(reply.error!.message).toContain(words)
    expect(broker.last.isClosed).toBe(false)
  },
)

test('ApiVersions that is answered with another error ends the attempt', async () => {
  const { broker, list } = scene()
  broker.on('ApiVersions', () => ({ ...broker.apiVersions(), errorCode: 31 }) as never)
  const reply = list()
  await settled()
  expect(reply.error).toMatchObject({ code: 'UNREACHABLE' })
  expect(reply.error!.message).toContain('CLUSTER_AUTHORIZATION_FAILED')
})

test('requests are sent in order, several at a time, and each gets its own reply', async () => {
  const { broker, connection } = scene()
  broker.on('ListGroups', () => null)
  const names = ['a', 'b', 'c']
  const replies = names.map(name =>
    outcome(connection.request('ListGroups', () => ({ statesFilter: [name], typesFilter: [] }), { deadlineMs: 1_000 })),
  )
  await settled()
  const asked = broker.last.received.slice(1)
  expect(asked.map(({ body }) => (body as { statesFilter: string[] }).statesFilter[0])).toEqual(names)
  const frames = await Promise.all(
    asked.map(({ header }, index) => broker.last.frameOf(header, { ...groups, errorCode: index })),
  )
  broker.last.say(Buffer.concat(frames))
  await settled()
  expect(replies.map(({ value }) => value?.value.errorCode)).toEqual([0, 1, 2])
})

test('a reply that comes in pieces is a reply', async () => {
  const { broker, list } = scene()
  broker.on('ListGroups', () => null)
  const reply = list()
  await settled()
  for (const byte of await broker.last.frameOf(broker.last.received[1]!.header, groups)) {
    expect(reply.value).toBeUndefined()
    broker.last.say(Uint8Array.of(byte))
    await settled()
  }
  expect(reply.value).toBeDefined()
})

test.each([
  ['half a reply and then the end', (frame: Buffer) => frame.subarray(0, frame.length - 1), 'closed by the broker'],
  [
    'a reply with bytes left over',
    (frame: Buffer) => withSize(Buffer.concat([frame.subarray(4), Buffer.of(7)])),
    'not a reply',
  ],
  ['a reply that nobody waits for', (frame: Buffer) => withCorrelation(frame, 77), 'reply 77 came where 2 was due'],
])('%s breaks the connection: what was in flight fails at once', async (_, bytes, words) => {
  const { broker, list } = scene()
  broker.on('ListGroups', () => null)
  const replies = [list(), list()]
  await settled()
  broker.last.say(bytes(await broker.last.frameOf(broker.last.received[1]!.header, groups)))
  await settled()
  if (!broker.last.isClosed) broker.last.end()
  await settled()
  for (const { error } of replies)
    expect(error).toMatchObject({ code: 'LINK_CLOSED', message: expect.stringContaining(words) })
  expect(broker.last.isClosed).toBe(true)
})

test.each([
  ['HTTP', Buffer.from('HTTP/1.1 400 Bad Request'), 'this looks like HTTP'],
  ['TLS', Buffer.of(0x15, 3, 3, 0, 2, 2, 40), 'this looks like a TLS alert'],
])('a server that speaks %s is found out by its first bytes', async (_, bytes, words) => {
  const { broker, list } = scene()
  broker.on('ApiVersions', () => bytes)
  const reply = list()
  await settled()
  expect(reply.error).toMatchObject({ code: 'UNREACHABLE', message: expect.stringContaining(words) })
})

test('replies out of the order of their requests break the connection: nothing of what follows can be trusted', async () => {
  const { broker, list } = scene()
  broker.on('ListGroups', () => null)
  const replies = [list(), list()]
  await settled()
  broker.last.say(await broker.last.frameOf(broker.last.received[2]!.header, groups))
  await settled()
  expect(replies.map(({ error }) => error?.code)).toEqual(['LINK_CLOSED', 'LINK_CLOSED'])
  expect(broker.last.isClosed).toBe(true)
})

test('request.timeout.ms: an overdue reply breaks the connection, and what was behind it fails as lost', async () => {
  const { broker, clock, list } = scene()
  broker.on('ListGroups', () => null)
  const [first, second] = [list(1_000), list(5_000)]
  await clock.advance(999)
  expect(first.error).toBeUndefined()
  await clock.advance(1)
  expect(first.error).toMatchObject({ code: 'DEADLINE', message: 'no reply to ListGroups from 10.0.0.1:9092 in time' })
  expect(second.error).toMatchObject({ code: 'LINK_CLOSED' })
  expect(broker.last.isClosed).toBe(true)
})

test('a request that was given up is still matched with its reply', async () => {
  const { broker, list } = scene()
  broker.on('ListGroups', () => null)
  const control = new AbortController()
  const [given, kept] = [list(1_000, control.signal), list()]
  await settled()
  control.abort()
  await settled()
  expect(given.error).toMatchObject({ code: 'ABORTED' })
  for (const { header } of broker.last.received.slice(1)) broker.last.say(await broker.last.frameOf(header, groups))
  await settled()
  expect(kept.value).toBeDefined()
})

test('a request that is given up before it is sent is never sent', async () => {
  const { broker, list } = scene()
  broker.onConnect = () => undefined
  const control = new AbortController()
  const given = list(1_000, control.signal)
  const late = list(1_000, AbortSignal.abort())
  await settled()
  control.abort()
  broker.last.accept()
  await settled()
  expect([given.error?.code, late.error?.code]).toEqual(['ABORTED', 'ABORTED'])
  expect(broker.last.apis()).toEqual(['ApiVersions'])
})

test('Produce with acks 0 has no reply: its own is made up, and the next reply is not mistaken for it', async () => {
  const { broker, connection, list } = scene()
  broker.on('ListGroups', () => groups)
  broker.on('Produce', () => null)
  const produce = {
    transactionalId: null,
    acks: 0,
    timeoutMs: 1_000,
    topicData: [{ name: 't', topicId: 'AAAAAAAAAAAAAAAAAAAAAA', partitionData: [{ index: 3, records: null }] }],
  }
  const reply = outcome(connection.request('Produce', () => produce as never, { deadlineMs: 1_000 }, 12))
  const next = list()
  await settled()
  expect(reply.value?.value.responses[0]).toMatchObject({
    name: 't',
    partitionResponses: [{ index: 3, errorCode: 0, baseOffset: -1 }],
  })
  expect(next.value).toBeDefined()
})

test('a refused connection fails what waited for it, as never sent, and names address and cause', async () => {
  const { broker, connection, list } = scene()
  broker.onConnect = socket => socket.end('ECONNREFUSED')
  const reply = list()
  await settled()
  expect(reply.error).toMatchObject({
    code: 'UNREACHABLE',
    message: 'no connection could be made: 10.0.0.1:9092: connect ECONNREFUSED',
  })
  expect(connection).toMatchObject({ failures: 1, isBackingOff: true, load: 0 })
})

test('reconnect.backoff.ms doubles up to reconnect.backoff.max.ms with every failure, and begins anew when the broker was reached', async () => {
  const { broker, clock, list } = scene()
  broker.on('ListGroups', () => groups)
  broker.onConnect = socket => socket.end('ECONNREFUSED')
  const waits: number[] = []
  for (let attempt = 1; attempt <= 7; attempt++) {
    const before = broker.sockets.length
    list()
    let waited = 0
    while (broker.sockets.length === before) {
      await clock.advance(1)
      waited++
    }
    waits.push(waited)
    await settled()
  }
  expect(waits.slice(1)).toEqual([50, 100, 200, 400, 800, 1_000])
  broker.onConnect = socket => socket.accept()
  const reached = list()
  await clock.advance(1_000)
  expect(reached.value).toBeDefined()
  broker.last.end()
  await settled()
  broker.onConnect = socket => socket.end('ECONNREFUSED')
  const lost = broker.sockets.length
  list()
  await clock.advance(49)
  expect(broker.sockets).toHaveLength(lost)
  await clock.advance(1)
  expect(broker.sockets).toHaveLength(lost + 1)
})

test('nobody reconnects for nobody', async () => {
  const { broker, clock, list } = scene()
  broker.on('ListGroups', () => groups)
  list()
  await settled()
  broker.last.end()
  await clock.advance(60_000)
  expect(broker.sockets).toHaveLength(1)
  expect(clock.armed).toEqual([])
})

test('socket.connection.setup.timeout.ms: an address that swallows everything fails by it, then by twice as much, up to its maximum', async () => {
  const { broker, clock, list } = scene({
    patience: { socketConnectionSetupTimeoutMs: 1_000, socketConnectionSetupTimeoutMaxMs: 3_000 },
  })
  broker.onConnect = () => undefined
  for (const setupMs of [1_000, 2_000, 3_000, 3_000]) {
    const before = broker.sockets.length
    const reply = list()
    while (broker.sockets.length === before) await clock.advance(1)
    await clock.advance(setupMs - 1)
    expect(reply.error).toBeUndefined()
    await clock.advance(1)
    expect(reply.error).toMatchObject({
      code: 'UNREACHABLE',
      message: expect.stringContaining('socketConnectionSetupTimeoutMs'),
    })
    expect(broker.last.isClosed).toBe(true)
  }
})

test('a broker that takes the connection and says nothing fails by request.timeout.ms', async () => {
  const { broker, clock, list } = scene({ patience: { requestTimeoutMs: 500 } })
  broker.on('ApiVersions', () => null)
  const reply = list()
  await clock.advance(500)
  expect(reply.error).toMatchObject({
    code: 'UNREACHABLE',
    message: expect.stringContaining('ApiVersions was not answered in time'),
  })
})

test('KIP-219: throttleTimeMs silences the connection, replies still come, and the longest silence counts', async () => {
  const { broker, clock, list } = scene()
  broker.on('ListGroups', () => null)
  const inFlight = [list(), list()]
  await settled()
  const [, first, second] = broker.last.received
  broker.last.say(await broker.last.frameOf(first!.header, { ...groups, throttleTimeMs: 300 }))
  await settled()
  const waiting = list()
  broker.last.say(await broker.last.frameOf(second!.header, { ...groups, throttleTimeMs: 100 }))
  await clock.advance(299)
  expect(inFlight.every(({ value }) => value !== undefined)).toBe(true)
  expect(broker.last.received).toHaveLength(3)
  await clock.advance(1)
  expect(broker.last.received).toHaveLength(4)
  expect(waiting.error).toBeUndefined()
})

test('before KIP-219 the broker itself was late: an old version is not waited for twice', async () => {
  const { broker, list } = scene()
  broker.versions = { ListGroups: [0, 1] }
  broker.on('ListGroups', () => ({ ...groups, throttleTimeMs: 300 }))
  list()
  await settled()
  list()
  await settled()
  expect(broker.last.apis()).toEqual(['ApiVersions', 'ListGroups', 'ListGroups'])
})

test('connections.max.idle.ms: an idle connection is closed without a backoff, a busy one is not', async () => {
  const { broker, clock, connection, list } = scene({ patience: { connectionsMaxIdleMs: 1_000 } })
  broker.on('ListGroups', () => groups)
  list()
  await clock.advance(900)
  list()
  await clock.advance(900)
  expect(broker.last.isClosed).toBe(false)
  broker.on('ListGroups', () => null)
  list()
  await clock.advance(5_000)
  expect(broker.last.isClosed).toBe(false)
  broker.last.say(await broker.last.frameOf(broker.last.received.at(-1)!.header, groups))
  await clock.advance(2_000)
  expect(broker.last.isClosed).toBe(true)
  expect(connection.failures).toBe(0)
  list()
  await settled()
  expect(broker.sockets).toHaveLength(2)
})

test('as many requests wait as may; one more is refused at once', async () => {
  const { broker, connection, list } = scene()
  broker.onConnect = () => undefined
  const waiting = Array.from({ length: 4_096 }, () => list())
  await settled()
  const oneMore = list()
  await settled()
  expect(oneMore.error).toMatchObject({ code: 'LINK_FULL' })
  connection.close()
  await settled()
  expect(waiting.every(({ error }) => error?.code === 'LINK_CLOSED')).toBe(true)
})

test('a broker that ends the connection before ApiVersions is answered: the message says what may be missing', async () => {
  const { broker, list } = scene()
  broker.on('ApiVersions', () => {
    broker.last.end()
    return null
  })
  const reply = list()
  await settled()
  expect((reply.error as PortError).message).toContain('does this listener expect TLS or SASL?')
})

const silence = (broker: ScriptedBroker) => broker.on('ListGroups', () => null)
test.each<[string, (broker: ScriptedBroker) => unknown]>([
  ['Connecting', broker => Object.assign(broker, { onConnect: () => undefined })],
  ['CheckingApiVersions', broker => broker.on('ApiVersions', () => null)],
  ['Authenticating', broker => broker.on('SaslHandshake', () => null)],
  [
    'Ready',
    broker =>
      broker.on('SaslHandshake', () => ({ errorCode: 0, mechanisms: ['PLAIN'] })).on('SaslAuthenticate', () => token),
  ],
  ['BackingOff', broker => Object.assign(broker, { onConnect: (socket: BrokerSocket) => socket.end('ECONNREFUSED') })],
])('close while %s fails all requests, now and later, closes the socket and leaves no timer', async (_, script) => {
  const { broker, clock, connection, list } = scene({ security: plain })
  silence(broker)
  script(broker)
  const first = list()
  await settled()
  const waiting = list()
  connection.close()
  const late = list()
  await settled()
  expect(first.error).toBeDefined()
  expect([waiting.error?.code, late.error?.code]).toEqual(['LINK_CLOSED', 'LINK_CLOSED'])
  expect(broker.last.isClosed).toBe(true)
  expect(clock.armed).toEqual([])
  expect(broker.sockets).toHaveLength(1)
})

test('a socket that is gone when the talk on it goes on gets nothing, nor does the next that was meant for the old one', async () => {
  const { broker, clock, list } = scene()
  broker.on('ListGroups', () => groups)
  let connects = 0
  broker.onConnect = socket => {
    socket.accept()
    if (++connects === 1) socket.end('ECONNRESET')
  }
  list()
  await clock.advance(50)
  const reply = list()
  await settled()
  expect(reply.value).toBeDefined()
  expect(broker.sockets.map(socket => socket.apis().filter(api => api === 'ApiVersions').length)).toEqual([
    expect.any(Number),
    1,
  ])
})

function withSize(frame: Buffer): Buffer {
  const size = Buffer.alloc(4)
  size.writeInt32BE(frame.length)
  return Buffer.concat([size, frame])
}

function withCorrelation(frame: Buffer, correlationId: number): Buffer {
  const changed = Buffer.from(frame)
  changed.writeInt32BE(correlationId, 4)
  return changed
}
