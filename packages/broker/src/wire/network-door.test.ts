// The network door of a whole broker, spoken to by a client that does what real ones should not.

import { errors } from '@odradek/shared/protocol/error-codes'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Broker, createBroker } from '../create-broker.ts'
import { sampleBatch } from '../partition/sample-batches.suite.ts'
import { RawClient } from './raw-client.suite.ts'
import { apiVersions, fetch, metadata, produce } from './sample-requests.suite.ts'
import { testCertificate } from './test-certificate.suite.ts'

const listenerOf = async (broker: Broker) => (await broker.actors()).find(({ address }) => address.kind === 'listener')!
const counters = async (broker: Broker) => (await listenerOf(broker)).detail as { [name: string]: number }
const connectionsOf = async (broker: Broker) =>
  (await listenerOf(broker)).queues!.find(({ name }) => name === 'connections')!.size

/** Waits until something is true, which it will be without anybody's doing. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise(resolve => setTimeout(resolve, 10))
}

describe('the network door', () => {
  let broker: Broker
  beforeAll(async () => {
    broker = await createBroker({ storage: 'memory', topics: { t: 3 } })
  })
  afterAll(() => broker?.close())
  const open = () => RawClient.open(broker.bootstrapServers)

  test('replies come in the order of the requests, however long each takes', async () => {
    const client = await open()
    const sent = [
      await client.send('Fetch', 12, fetch('t', 0, { partitions: [2], maxWaitMs: 50 })),
      await client.send('Metadata', 12, metadata),
      await client.send('ApiVersions', 4, apiVersions),
      await client.send('Produce', 9, produce('t', sampleBatch())),
      await client.send('Metadata', 9, metadata),
    ]
    const answered = []
    for (const _ of sent) answered.push(Buffer.from((await client.frame())!).readInt32BE(0))
    expect(answered).toEqual(sent)
    client.close()
  })

  test('what one commit answers leaves in one write', async () => {
    const client = await open()
    const request = () => produce('t', sampleBatch())
    await client.ask('Produce', 9, request())
    let chunks = 0
    client.socket.on('data', () => chunks++)
    client.socket.cork()
    for (let n = 0; n < 20; n++) await client.send('Produce', 9, request())
    client.socket.uncork()
    for (let n = 0; n < 20; n++) expect(await client.frame()).not.toBeNull()
    // What was sent may be read in two pieces.
    expect(chunks).toBeLessThanOrEqual(2)
    client.close()
  })

  test.each([
    [11, ''],
    [12, null],
  ])('Metadata %i asked for a topic id that nobody has names it %o', async (version, name) => {
    const client = await open()
    const topics = [{ name: null, topicId: 'BBBBBBBBBBBBBBBBBBBBBA' }]
    const answered = await client.ask('Metadata', version, { ...metadata, topics })
    expect(answered.topics).toMatchObject([{ name, errorCode: errors.UNKNOWN_TOPIC_ID.code }])
    client.close()
  })

  test('produce with acks 0 gets no reply, and what follows it does', async () => {
    const client = await open()
    await client.send('Produce', 9, produce('t', sampleBatch({ records: 3 }), { acks: 0, partition: 1 }))
    expect((await client.ask('Metadata', 12, metadata)).clusterId).toBe(broker.clusterId)
    const { responses } = await client.ask('Fetch', 12, fetch('t', 0, { partitions: [1], maxWaitMs: 1_000 }))
    expect(responses[0]!.partitions[0]!.highWatermark).toBe(3)
    client.close()
  })

  test('produce with acks 0 that fails closes the connection, since there is no other way to say so', async () => {
    const client = await open()
    await client.send('Produce', 9, produce('nowhere', sampleBatch(), { acks: 0 }))
    await client.closed
    expect((await counters(broker)).failed).toBeGreaterThan(0)
  })

  test('acks other than -1, 0 and 1 are INVALID_REQUIRED_ACKS', async () => {
    const client = await open()
    const { responses } = await client.ask('Produce', 9, produce('t', sampleBatch(), { acks: 2 }))
    expect(responses[0]!.partitionResponses[0]!.errorCode).toBe(21)
    client.close()
  })

  test('a client that ends its side first still gets the replies that it is owed', async () => {
    const client = await open()
    const sent = await client.send('Produce', 9, produce('t', sampleBatch()))
    client.socket.end()
    expect(Buffer.from((await client.frame())!).readInt32BE(0)).toBe(sent)
    await client.closed
  })

  test('a client that ends while its fetch waits is let go at once', async () => {
    const client = await open()
    await client.send('Fetch', 12, fetch('t', 1_000_000_000, { partitions: [2], maxWaitMs: 2 ** 31 - 1 }))
    await client.send('Fetch', 12, fetch('t', 0, { partitions: [2], maxWaitMs: 2 ** 31 - 1, minBytes: 1_000_000 }))
    client.socket.end()
    await client.closed
    await until(async () => (await connectionsOf(broker)) === 0)
    expect(await connectionsOf(broker)).toBe(0)
  })

  test('an API version beyond what is told closes the connection, ApiVersions answers in version 0 with the list', async () => {
    const client = await open()
    const frame = Buffer.from('0000000e' + '0012' + '0063' + '00000007' + '0000' + '01010101', 'hex')
    client.sendBytes(frame)
    const reply = Buffer.from((await client.frame())!)
    expect([reply.readInt32BE(0), reply.readInt16BE(4)]).toEqual([7, 35])
    client.sendBytes(Buffer.from('0000000a' + '0003' + '0063' + '00000008' + '0000', 'hex'))
    await client.closed
    expect(await client.frame()).toBeNull()
  })

  test('SASL is refused with ILLEGAL_SASL_STATE, as PLAINTEXT listeners do', async () => {
    const client = await open()
    expect(await client.ask('SaslHandshake', 1, { mechanism: 'PLAIN' })).toMatchObject({ errorCode: 34 })
    client.close()
  })

  test.each([
    ['a TLS hello', '16030100'],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n').toString('hex')],
    ['a length of zero', '00000000'],
    ['a negative length', 'ffffffff'],
    ['a length beyond socket.request.max.bytes', '7fffffff'],
    ['an unknown API', '0000000a' + '03e7' + '0000' + '00000001' + 'ffff'],
    ['a truncated header', '00000003' + '000300'],
    ['an array count beyond the bytes', '0000000e' + '0003' + '0001' + '00000001' + '0000' + '7fffffff'],
  ])('%s closes its connection, is counted, and disturbs nobody', async (_name, hex) => {
    const [bystander, client] = [await open(), await open()]
    const { malformed } = (await counters(broker)) as { malformed: number }
    client.sendBytes(Buffer.from(hex, 'hex'))
    await client.closed
    expect((await counters(broker)).malformed).toBe(malformed + 1)
    expect((await bystander.ask('Metadata', 12, metadata)).clusterId).toBe(broker.clusterId)
    bystander.close()
  })

  test('replies owed before malformed bytes still leave', async () => {
    const client = await open()
    const sent = await client.send('Metadata', 12, metadata)
    client.sendBytes(Buffer.from('ffffffff', 'hex'))
    expect(Buffer.from((await client.frame())!).readInt32BE(0)).toBe(sent)
    await client.closed
  })

  test('several malformed requests in flight end the connection once, and what was owed before them still leaves', async () => {
    const client = await open()
    const sent = await client.send('Fetch', 12, fetch('t', 1_000_000, { partitions: [1], maxWaitMs: 100 }))
    // Versions of APIs that were not spoken before: their schemas are loaded first, and both turn out to be malformed.
    for (const key of ['0020', '002c'])
      client.sendBytes(Buffer.from(`0000000e${key}000100000009${'ffff'}7fffffff`, 'hex'))
    expect(Buffer.from((await client.frame())!).readInt32BE(0)).toBe(sent)
    await client.closed
  })

  test('a client that sends and never reads is not read from any more, and costs no more than its bounds', async () => {
    const big = await open()
    for (let index = 0; index < 4; index++)
      await big.ask('Produce', 9, produce('t', sampleBatch({ valueBytes: 900_000 }), { partition: 2 }))
    const client = await open()
    client.socket.pause()
    const { bytesOut } = (await counters(broker)) as { bytesOut: number }
    const FETCHES = 2_000
    for (let index = 0; index < FETCHES; index++) await client.send('Fetch', 12, fetch('t', 0, { partitions: [2] }))
    // What went out is what the kernel buffers, 8 MiB unsent and one reply: not 2,000 replies of 3.6 MB, which are 7 GB.
    expect((await big.ask('Metadata', 12, metadata)).clusterId).toBe(broker.clusterId)
    await until(async () => (await counters(broker)).bytesOut! > bytesOut + 8_000_000)
    expect((await counters(broker)).bytesOut! - bytesOut).toBeLessThan(400_000_000)
    client.close()
    big.close()
  })
})

describe('the limits of a listener', () => {
  const withBroker = async (
    options: Parameters<typeof createBroker>[0],
    use: (broker: Broker) => Promise<void>,
  ): Promise<void> => {
    await using broker = await createBroker({ storage: 'memory', topics: { t: 1 }, ...options })
    await use(broker)
  }

  test.each(['maxConnections', 'maxConnectionsPerIp'])(
    'connections beyond %s are refused, and let in again when one left',
    name =>
      withBroker({ config: { [name]: 2 } }, async broker => {
        const [first, second] = [
          await RawClient.open(broker.bootstrapServers),
          await RawClient.open(broker.bootstrapServers),
        ]
        await first.ask('Metadata', 12, metadata)
        const third = await RawClient.open(broker.bootstrapServers)
        await third.closed
        expect((await counters(broker)).refused).toBe(1)
        second.close()
        await until(async () => (await connectionsOf(broker)) === 1)
        const fourth = await RawClient.open(broker.bootstrapServers)
        expect((await fourth.ask('Metadata', 12, metadata)).clusterId).toBe(broker.clusterId)
        first.close()
        fourth.close()
      }),
  )

  test('a connection that says nothing for connections.max.idle.ms is closed, one that waits for its reply is not', () =>
    withBroker({ config: { connectionsMaxIdleMs: 4_000 } }, async broker => {
      const [silent, waiting] = [
        await RawClient.open(broker.bootstrapServers),
        await RawClient.open(broker.bootstrapServers),
      ]
      const sent = await waiting.send('Fetch', 12, fetch('t', 0, { maxWaitMs: 9_000 }))
      await silent.closed
      expect(Buffer.from((await waiting.frame())!).readInt32BE(0)).toBe(sent)
    }))

  test('closing drains: what was asked is answered, then connections end and the port is free', async () => {
    const broker = await createBroker({ storage: 'memory', topics: { t: 1 } })
    const client = await RawClient.open(broker.bootstrapServers)
    await client.ask('Metadata', 12, metadata)
    const sent = await client.send('Produce', 9, produce('t', sampleBatch()))
    await until(async () => (await counters(broker)).requests === 2)
    const closing = broker.close()
    expect(Buffer.from((await client.frame())!).readInt32BE(0)).toBe(sent)
    await Promise.all([closing, client.closed])
    await expect(RawClient.open(broker.bootstrapServers)).rejects.toThrow('ECONNREFUSED')
  })

  test('a TLS listener serves who trusts it, and one who speaks plainly to it only loses its connection', () =>
    withBroker({ listen: { tls: testCertificate } }, async broker => {
      const client = await RawClient.open(broker.bootstrapServers, { ca: testCertificate.cert })
      expect((await client.ask('Metadata', 12, metadata)).clusterId).toBe(broker.clusterId)
      await expect(RawClient.open(broker.bootstrapServers, {})).rejects.toThrow(/self.signed/)
      const plain = await RawClient.open(broker.bootstrapServers)
      await plain.send('Metadata', 12, metadata)
      await plain.closed
      expect((await client.ask('Metadata', 12, metadata)).clusterId).toBe(broker.clusterId)
      client.close()
    }))

  test('a TLS handshake that never comes counts among the connections', () =>
    withBroker({ listen: { tls: testCertificate }, config: { maxConnections: 1 } }, async broker => {
      const mute = await RawClient.open(broker.bootstrapServers)
      await until(async () => (await connectionsOf(broker)) === 1)
      await expect(RawClient.open(broker.bootstrapServers, { ca: testCertificate.cert })).rejects.toThrow()
      mute.close()
      await until(async () => (await connectionsOf(broker)) === 0)
      const client = await RawClient.open(broker.bootstrapServers, { ca: testCertificate.cert })
      client.close()
    }))
})
