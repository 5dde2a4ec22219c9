// Clusters that cannot be reached, over real sockets: what producers, consumers and admins are told, and that they are told soon.
import { type Broker, createBroker } from '@odradek/broker/create-broker'
import { testCertificate } from '@odradek/broker/wire/test-certificate.suite'
import { createConsumer } from '@odradek/consumer/create-consumer'
import { createProducer } from '@odradek/producer/create-producer'
import { createAdmin } from '@odradek/shared/client/admin'
import type { CommonClientOptions } from '@odradek/shared/client/common-options'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freePort } from '../apache-kafka/free-port.ts'

/** Each kind of client asks for the first time. */
const asks: readonly (readonly [kind: string, ask: (options: CommonClientOptions) => Promise<unknown>])[] = [
  [
    'an admin',
    async options => {
      await using admin = createAdmin(options)
      return await admin.topics.list()
    },
  ],
  [
    'a producer',
    async options => {
      await using producer = createProducer(options)
      return await producer.send('words', { value: 'x' })
    },
  ],
  [
    'a consumer of a group',
    async options => {
      await using consumer = createConsumer({ ...options, groupId: 'readers' })
      await consumer.subscribe(['words'])
      for (;;) await consumer.poll(1_000)
    },
  ],
]

describe('a cluster that cannot be reached', () => {
  let secured: Broker
  let plain: Broker
  let refused: string
  beforeAll(async () => {
    secured = await createBroker({ storage: 'memory', listen: { port: 0, tls: testCertificate } })
    plain = await createBroker({ storage: 'memory' })
    refused = `127.0.0.1:${await freePort()}`
  })
  afterAll(async () => {
    await secured?.close()
    await plain?.close()
  })

  test.each(asks)('%s is told of a certificate that it does not trust', async (_, ask) => {
    const told = ask({ bootstrapServers: secured.bootstrapServers, tls: true })
    await expect(told).rejects.toMatchObject({
      code: 'ODK_TLS_FAILED',
      message: expect.stringContaining(secured.bootstrapServers),
    })
  })

  test.each(asks)('%s is told of a port that does not speak TLS', async (_, ask) => {
    const told = ask({ bootstrapServers: plain.bootstrapServers, tls: true, bootstrapTimeoutMs: 100 })
    await expect(told).rejects.toMatchObject({
      code: 'ODK_BOOTSTRAP_FAILED',
      message: expect.stringContaining('does this port speak TLS?'),
    })
  })

  test.each(asks)(
    '%s is told of addresses that refuse, each by name, when bootstrapTimeoutMs has passed',
    async (_, ask) => {
      const told = ask({ bootstrapServers: refused, bootstrapTimeoutMs: 100 })
      await expect(told).rejects.toMatchObject({
        code: 'ODK_BOOTSTRAP_FAILED',
        message: expect.stringContaining(`connect ECONNREFUSED ${refused}`),
      })
    },
  )

  test('a bootstrap server that is gone does not hold up the others', async () => {
    await using admin = createAdmin({ bootstrapServers: `${refused},${plain.bootstrapServers}` })
    expect((await admin.cluster.describe()).clusterId).toBe(plain.clusterId)
  })

  test('a certificate that is trusted lets in', async () => {
    await using admin = createAdmin({
      bootstrapServers: secured.bootstrapServers,
      tls: { ca: testCertificate.cert },
    })
    expect((await admin.cluster.describe()).clusterId).toBe(secured.clusterId)
  })
})
