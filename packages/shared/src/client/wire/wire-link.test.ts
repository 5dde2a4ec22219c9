// A link to a cluster that follows a script: which broker is asked, what is repeated, what is remembered and forgotten, and when it gives up.
import { beforeAll, expect, test } from 'vitest'
import type { WirePatience } from '../../contracts/wire-security.ts'
import type { ClusterLink } from '../cluster-link.ts'
import { HandClock, handHost, metadataReply, ScriptedBroker, schemasLoaded, settled } from './scripted-broker.suite.ts'
import { openWireLink } from './wire-link.ts'

beforeAll(schemasLoaded)

function scene(bootstrapServers: readonly string[] = ['a:1'], patience: Partial<WirePatience> = {}) {
  const clock = new HandClock()
  const broker = new ScriptedBroker()
  const host = handHost(clock)
  const small = { ...host, limits: { ...host.limits, coordinatorsKnownMax: 2, topicsKnownMax: 3 } }
  const link = openWireLink(small, { kind: 'wire', bootstrapServers, clientId: 'test', patience }, broker.openSocket)
  const refresh = (topics: readonly string[] | null = [], deadlineMs = 60_000, signal?: AbortSignal) =>
    outcome(link.refresh(topics, { allowAutoTopicCreation: false, deadlineMs, ...(signal ? { signal } : {}) }))
  return { clock, broker, link, refresh }
}

function outcome<T>(promise: Promise<T>) {
  const fate = { done: false, value: undefined as T | undefined, error: undefined as Error | undefined }
  promise.then(
    value => void Object.assign(fate, { done: true, value }),
    error => void Object.assign(fate, { done: true, error }),
  )
  return fate
}

const options = { deadlineMs: 60_000 }
const two = [
  { nodeId: 1, port: 1001 },
  { nodeId: 2, port: 1002 },
]

function leaders(link: ClusterLink, topic: string) {
  return link.topic(topic)?.partitions.map(({ endpoint, leaderEpoch }) => [endpoint?.nodeId ?? null, leaderEpoch])
}

test('a bootstrap server that is not there costs one attempt, not a timeout: the next is asked', async () => {
  const { broker, clock, refresh } = scene(['a:1', 'b:2'])
  broker.on('Metadata', () => metadataReply(two))
  broker.onConnect = (socket, address) => (address === 'a:1' ? socket.end('ECONNREFUSED') : socket.accept())
  const done = refresh()
  await clock.advance(200)
  expect(done).toMatchObject({ done: true, error: undefined })
  expect(broker.addresses).toEqual(['a:1', 'b:2'])
})

test('a broker that is reached is asked again, before others are connected', async () => {
  const { broker, clock, link, refresh } = scene()
  broker.on('Metadata', () => metadataReply(two))
  refresh()
  await clock.advance(0)
  const first = await link.anyEndpoint(options)
  await outcome(link.request(first, 'Metadata', { topics: [] } as never, options))
  await settled()
  expect((await link.anyEndpoint(options)).id).toBe(first.id)
})

test('when every known broker is gone, the bootstrap servers are asked again (KIP-899)', async () => {
  const { broker, clock, refresh } = scene(['a:1'])
  broker.on('Metadata', () => metadataReply([{ nodeId: 1, port: 1001 }]))
  refresh()
  await clock.advance(0)
  broker.onConnect = (socket, address) => (address === 'a:1' ? socket.accept() : socket.end('ECONNREFUSED'))
  broker.sockets[0]!.end()
  await clock.advance(100)
  const again = refresh()
  await clock.advance(1_000)
  expect(again).toMatchObject({ done: true, error: undefined })
  expect(broker.addresses).toContain('10.0.0.1:1001')
  expect(broker.addresses.at(-1)).toBe('a:1')
})

test('metadata is refreshed: leaders move, and an older leader epoch never replaces a newer one (KIP-320)', async () => {
  const { broker, clock, link, refresh } = scene()
  const states = [
    [
      [1, 5],
      [2, 7],
    ],
    [
      [2, 6],
      [1, 6],
    ],
    [
      [-1, 6],
      [1, 8],
    ],
  ] as const
  for (const [index, expected] of [
    [
      [1, 5],
      [2, 7],
    ],
    [
      [2, 6],
      [2, 7],
    ],
    [
      [null, 6],
      [1, 8],
    ],
  ].entries()) {
    broker.on('Metadata', () => metadataReply(two, [{ name: 't', leaders: states[index]! }]))
    refresh(['t'])
    await clock.advance(0)
    expect(leaders(link, 't')).toEqual(expected)
  }
})

test('a topic that was created anew begins with its own epochs, and its old id is forgotten', async () => {
  const { broker, clock, link, refresh } = scene()
  broker.on('Metadata', () => metadataReply(two, [{ name: 't', leaders: [[1, 9]] }]))
  refresh(['t'])
  await clock.advance(0)
  broker.on('Metadata', () => metadataReply(two, [{ name: 't', leaders: [[2, 0]], topicId: 'AAAAAAAAAAAAAAAAAAAAAg' }]))
  refresh(['t'])
  await clock.advance(0)
  expect(leaders(link, 't')).toEqual([[2, 0]])
  broker.on('Metadata', () => metadataReply(two))
  refresh(null)
  await clock.advance(0)
  expect(link.topics()).toEqual([])
})

test('brokers that left the cluster lose their connections, those that moved get new ones', async () => {
  const { broker, clock, link, refresh } = scene(['10.0.0.1:1'])
  broker.on('Metadata', () => metadataReply(two))
  broker.on('ListGroups', () => ({ throttleTimeMs: 0, errorCode: 0, groups: [] }))
  refresh()
  await clock.advance(0)
  for (const endpoint of await outcomeOf(clock, link.everyEndpoint(options)))
    await outcomeOf(clock, link.request(endpoint, 'ListGroups', { statesFilter: [], typesFilter: [] }, options))
  const open = () => broker.addresses.filter((_, index) => !broker.sockets[index]!.isClosed)
  expect(open()).toEqual(['10.0.0.1:1', '10.0.0.1:1001', '10.0.0.1:1002'])
  broker.on('Metadata', () =>
    metadataReply([
      { nodeId: 1, port: 1001 },
      { nodeId: 2, port: 1003 },
    ]),
  )
  refresh()
  await clock.advance(0)
  expect(open()).toEqual(['10.0.0.1:1', '10.0.0.1:1001'])
  const [, moved] = await outcomeOf(clock, link.everyEndpoint(options))
  await outcomeOf(clock, link.request(moved!, 'ListGroups', { statesFilter: [], typesFilter: [] }, options))
  expect(open()).toEqual(['10.0.0.1:1', '10.0.0.1:1001', '10.0.0.1:1003'])
})

test('a coordinator on a broker that left the cluster is asked for again, and its connection does not stay', async () => {
  const { broker, clock, link, refresh } = scene(['10.0.0.1:1'])
  let coordinator = { nodeId: 2, host: '10.0.0.1', port: 1002 }
  broker.on('Metadata', () => metadataReply(two))
  broker.on('ListGroups', () => ({ throttleTimeMs: 0, errorCode: 0, groups: [] }))
  broker.on('FindCoordinator', ({ coordinatorKeys: [key = ''] }) => {
    return { throttleTimeMs: 0, coordinators: [{ key, ...coordinator, errorCode: 0, errorMessage: null }] } as never
  })
  const open = () => broker.addresses.filter((_, index) => !broker.sockets[index]!.isClosed)
  const useCoordinator = async () => {
    const endpoint = await outcomeOf(clock, link.coordinator('group', 'g', options))
    await outcomeOf(clock, link.request(endpoint, 'ListGroups', { statesFilter: [], typesFilter: [] }, options))
  }
  refresh()
  await clock.advance(0)
  await useCoordinator()
  refresh()
  await clock.advance(0)
  // One to the bootstrap server, one to whom was asked where the coordinator is, and one to the coordinator.
  expect(open()).toEqual(['10.0.0.1:1', '10.0.0.1:1001', '10.0.0.1:1002'])
  broker.on('Metadata', () => metadataReply(two.slice(0, 1)))
  coordinator = { nodeId: 1, host: '10.0.0.1', port: 1001 }
  refresh()
  await clock.advance(0)
  expect(open()).toEqual(['10.0.0.1:1', '10.0.0.1:1001'])
  await useCoordinator()
  expect(open()).toEqual(['10.0.0.1:1', '10.0.0.1:1001', '10.0.0.1:1001'])
})

test('topics beyond those that may be remembered are forgotten, the longest unasked first, and never one that was just asked for', async () => {
  const { broker, clock, link, refresh } = scene()
  const known = () => link.topics().map(({ name }) => name)
  broker.on('Metadata', ({ topics }) =>
    metadataReply(
      two,
      topics!.map(({ name }) => ({ name: name!, leaders: [[1, 0]] })),
    ),
  )
  for (const names of [['a', 'b'], ['c'], ['a'], ['d']]) {
    refresh(names)
    await clock.advance(0)
  }
  expect(known()).toEqual(['c', 'a', 'd'])
  refresh(['e', 'f', 'g', 'h', 'c'])
  await clock.advance(0)
  expect(known()).toEqual(['e', 'f', 'g', 'h', 'c'])
})

test('a coordinator is asked for once, retried while it loads, remembered until it is forgotten, and as many as may be are', async () => {
  const { broker, clock, link } = scene()
  const asked: string[] = []
  let isLoading = true
  broker.on('FindCoordinator', ({ coordinatorKeys: [key = ''] }) => {
    asked.push(key)
    const errorCode = isLoading ? 15 : 0
    isLoading = false
    return {
      throttleTimeMs: 0,
      coordinators: [{ key, nodeId: 1, host: 'c', port: 7, errorCode, errorMessage: null }],
    } as never
  })
  const find = async (key: string) => {
    const found = outcome(link.coordinator('group', key, options))
    await clock.advance(100)
    return found.value
  }
  expect(await find('g')).toMatchObject({ nodeId: 1, host: 'c' })
  await find('g')
  expect(asked).toEqual(['g', 'g'])
  link.forgetCoordinator('group', 'g')
  await find('g')
  expect(asked).toHaveLength(3)
  await find('h')
  await find('i')
  await find('g')
  expect(asked).toEqual(['g', 'g', 'g', 'h', 'i', 'g'])
})

test('a coordinator that is refused for good fails at once, by name', async () => {
  const { broker, clock, link } = scene()
  broker.on(
    'FindCoordinator',
    ({ coordinatorKeys: [key = ''] }) =>
      ({
        throttleTimeMs: 0,
        coordinators: [{ key, nodeId: -1, host: '', port: -1, errorCode: 30, errorMessage: null }],
      }) as never,
  )
  const found = outcome(link.coordinator('group', 'g', options))
  await clock.advance(0)
  expect(found.error).toMatchObject({ code: 'ODK_GROUP_AUTHORIZATION_FAILED', message: expect.stringContaining("'g'") })
})

test('without a bound the link tries until the deadline of the call, and then says where and why', async () => {
  const { broker, clock, refresh } = scene(['a:1', 'b:2'])
  broker.onConnect = socket => socket.end('ECONNREFUSED')
  const done = refresh([], 5_000)
  await clock.advance(3_000)
  expect(done.done).toBe(false)
  await clock.advance(2_000)
  expect(done.error).toMatchObject({
    code: 'ODK_NETWORK_EXCEPTION',
    retriable: true,
    message: 'no broker of a:1, b:2 could be reached: a:1: connect ECONNREFUSED; b:2: connect ECONNREFUSED',
  })
})

test('retry.backoff.ms doubles up to retry.backoff.max.ms', async () => {
  const { broker, clock, refresh } = scene(['a:1'], {
    retryBackoffMs: 100,
    retryBackoffMaxMs: 400,
    reconnectBackoffMs: 0,
    reconnectBackoffMaxMs: 0,
  })
  broker.onConnect = socket => socket.end('ECONNREFUSED')
  refresh()
  await settled()
  const waits: number[] = []
  for (let waited = 0; waits.length < 5; waited++) {
    const before = broker.sockets.length
    await clock.advance(1)
    if (broker.sockets.length === before) continue
    waits.push(waited + 1 - waits.reduce((sum, each) => sum + each, 0))
  }
  expect(waits).toEqual([100, 200, 400, 400, 400])
})

test('bootstrapTimeoutMs: when every bootstrap server has refused for that long, calls fail and name each; the next call tries anew', async () => {
  const { broker, clock, refresh } = scene(['a:1', 'b:2'], { bootstrapTimeoutMs: 1_000 })
  broker.onConnect = (socket, address) => (address === 'a:1' ? socket.end('ECONNREFUSED') : undefined)
  const patient = refresh()
  await clock.advance(9_000)
  expect(patient.done).toBe(false)
  await clock.advance(2_000)
  expect(patient.error).toMatchObject({
    code: 'ODK_BOOTSTRAP_FAILED',
    retriable: false,
    message: expect.stringMatching(
      /^no broker of a:1, b:2 could be reached: a:1: connect ECONNREFUSED; b:2: .*SetupTimeoutMs\)$/,
    ),
  })
  broker.on('Metadata', () => metadataReply(two))
  broker.onConnect = socket => socket.accept()
  const again = refresh()
  await clock.advance(1_000)
  expect(again).toMatchObject({ done: true, error: undefined })
})

test('bootstrapTimeoutMs counts only until a broker was reached: a cluster that goes away later is waited for', async () => {
  const { broker, clock, refresh } = scene(['a:1'], { bootstrapTimeoutMs: 1_000 })
  broker.on('Metadata', () => metadataReply([]))
  refresh()
  await clock.advance(0)
  broker.onConnect = socket => socket.end('ECONNREFUSED')
  broker.last.end()
  const waiting = refresh()
  await clock.advance(30_000)
  expect(waiting.done).toBe(false)
  broker.onConnect = socket => socket.accept()
  await clock.advance(2_000)
  expect(waiting).toMatchObject({ done: true, error: undefined })
})

test('refused credentials are not tried again by the call', async () => {
  const clock = new HandClock()
  const broker = new ScriptedBroker()
  broker.on('SaslHandshake', () => ({ errorCode: 33, mechanisms: ['SCRAM-SHA-512'] }))
  const sasl = { mechanism: 'PLAIN', username: 'u', password: 'p' } as const
  const input = { kind: 'wire', bootstrapServers: ['a:1'], clientId: 'test', security: { sasl } } as const
  const link = openWireLink(handHost(clock), input, broker.openSocket)
  const done = outcome(link.refresh([], { allowAutoTopicCreation: false, deadlineMs: 60_000 }))
  await clock.advance(0)
  expect(done.error).toMatchObject({ code: 'ODK_SASL_AUTHENTICATION_FAILED', fatal: true })
})

test.each(['the signal', 'close'])('%s ends a wait between two tries', async how => {
  const { broker, clock, link, refresh } = scene()
  broker.onConnect = socket => socket.end('ECONNREFUSED')
  const control = new AbortController()
  const waiting = refresh([], 60_000, control.signal)
  await clock.advance(10)
  expect(waiting.done).toBe(false)
  if (how === 'close') await link.close()
  else control.abort()
  await settled()
  expect(waiting.error).toMatchObject({ code: how === 'close' ? 'LINK_CLOSED' : 'ABORTED' })
  if (how === 'close') expect(clock.armed).toEqual([])
})

test('a closed link refuses what is asked of it', async () => {
  const { link } = scene()
  await link.close()
  const asked = link.request(await link.anyEndpoint(options), 'Metadata', { topics: [] } as never, options)
  await expect(asked).rejects.toMatchObject({ code: 'LINK_CLOSED' })
})

async function outcomeOf<T>(clock: HandClock, promise: Promise<T>): Promise<T> {
  const fate = outcome(promise)
  await clock.advance(0)
  expect(fate).toMatchObject({ done: true, error: undefined })
  return fate.value!
}
