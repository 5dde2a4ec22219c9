// Our clients against Apache Kafka 4.3.1 behind SASL and TLS, with every mechanism that they have.
import { testCertificate } from '@odradek/broker/wire/test-certificate.suite'
import { consume } from '@odradek/consumer/consume'
import { createConsumer } from '@odradek/consumer/create-consumer'
import { createProducer } from '@odradek/producer/create-producer'
import { systemClock } from '@odradek/shared/base/clock'
import { createAdmin } from '@odradek/shared/client/admin'
import type { ClusterOptions } from '@odradek/shared/client/common-options'
import type { SaslOption } from '@odradek/shared/client/sasl-option'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type ApacheKafka, apacheKafkaMissing, startApacheKafka } from '../apache-kafka/apache-kafka.ts'
import { pipeline } from '../pipeline/pipeline.ts'

const missing = apacheKafkaMissing()
const username = 'josef'
const password = 'odd-radek'
const mechanisms = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER'] as const
const protocols = ['SASL_PLAINTEXT', 'SASL_SSL'] as const
const cases = protocols.flatMap(protocol => mechanisms.map(mechanism => [protocol, mechanism] as const))

function jaas(module: string, ...options: readonly string[]): string {
  return [`org.apache.kafka.common.security.${module}`, 'required', ...options].join(' ').concat(';')
}

/** A JWT without a signature, as Kafka's own login for development makes them. */
function unsecuredToken(): string {
  const now = Math.floor(systemClock.now() / 1_000)
  const parts = [{ alg: 'none' }, { sub: username, iat: now, exp: now + 3_600 }]
  return parts.map(part => `${Buffer.from(JSON.stringify(part)).toString('base64url')}.`).join('')
}

const tokenModule = new URL(`data:text/javascript,export const token = async () => '${unsecuredToken()}'`)

/** Of who is let in, and of who is not. */
function credentials(mechanism: (typeof mechanisms)[number]): {
  readonly right: SaslOption
  readonly wrong: SaslOption
} {
  if (mechanism === 'OAUTHBEARER')
    return { right: { mechanism, token: tokenModule }, wrong: { mechanism, token: 'not-the-word' } }
  return { right: { mechanism, username, password }, wrong: { mechanism, username, password: 'not-the-word' } }
}

function letters(count: number) {
  return Array.from({ length: count }, (_, index) => ({ key: `${index}`, value: `letter ${index}` }))
}

/** Makes both topics, and fills the first. */
async function fedTopics(
  security: ClusterOptions,
  names: readonly [from: string, to: string],
  { partitions, records }: { readonly partitions: number; readonly records: number },
): Promise<void> {
  await using admin = createAdmin(security)
  for (const name of names) await admin.topics.create({ name, partitions })
  await using producer = createProducer(security)
  await producer.send(names[0], letters(records))
}

/** Configs of a node that knows one user, under each mechanism, on each listener. */
function securedNode(): { [name: string]: string } {
  const configs: { [name: string]: string } = {
    'sasl.enabled.mechanisms': mechanisms.join(),
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.certificate.chain': testCertificate.cert,
    'ssl.keystore.key': testCertificate.key,
  }
  for (const protocol of protocols) {
    const listener = `listener.name.${protocol.toLowerCase()}`
    configs[`${listener}.plain.sasl.jaas.config`] = jaas('plain.PlainLoginModule', `user_${username}="${password}"`)
    for (const mechanism of ['scram-sha-256', 'scram-sha-512'])
      configs[`${listener}.${mechanism}.sasl.jaas.config`] = jaas('scram.ScramLoginModule')
    const asItself = `unsecuredLoginStringClaim_sub="${username}"`
    configs[`${listener}.oauthbearer.sasl.jaas.config`] = jaas('oauthbearer.OAuthBearerLoginModule', asItself)
  }
  return configs
}

describe.skipIf(missing !== null)(missing ?? 'our clients against Apache Kafka behind SASL and TLS', () => {
  let kafka: ApacheKafka
  beforeAll(async () => {
    const scram = ['SCRAM-SHA-256', 'SCRAM-SHA-512'].map(name => `${name}=[name=${username},password=${password}]`)
    kafka = await startApacheKafka({ configs: securedNode(), listeners: { protocols, scram } })
  }, 180_000)
  afterAll(() => kafka?.stop())

  const clientOptions = (protocol: (typeof protocols)[number], sasl: SaslOption) => ({
    bootstrapServers: kafka.secured[protocol]!,
    sasl,
    ...(protocol === 'SASL_SSL' ? { tls: { ca: testCertificate.cert } } : {}),
  })

  test.each(cases)(
    'over %s with %s topics are created, and what is produced is consumed by a group',
    async (protocol, mechanism) => {
      const options = clientOptions(protocol, credentials(mechanism).right)
      const topic = `letters-${protocol}-${mechanism}`
      {
        await using admin = createAdmin(options)
        await admin.topics.create({ name: topic, partitions: 3 })
      }
      {
        await using producer = createProducer(options)
        await producer.send(topic, letters(100))
      }
      await using consumer = createConsumer({ ...options, groupId: `group-${topic}`, autoOffsetReset: 'earliest' })
      const received: string[] = []
      const stop = new AbortController()
      await consumer.each(
        topic,
        record => {
          received.push(Buffer.from(record.value!).toString())
          if (received.length === 100) stop.abort()
        },
        { signal: stop.signal },
      )
      expect(received.toSorted()).toEqual(
        letters(100)
          .map(({ value }) => value)
          .toSorted(),
      )
    },
    120_000,
  )

  test.each(cases)(
    'over %s with %s a wrong password or token is refused at once, by name, and not told',
    async (protocol, mechanism) => {
      await using admin = createAdmin(clientOptions(protocol, credentials(mechanism).wrong))
      const refused = await admin.topics.list().catch((error: unknown) => error)
      expect(refused).toMatchObject({ code: 'ODK_SASL_AUTHENTICATION_FAILED', retriable: false })
      expect(String(refused)).not.toContain('not-the-word')
    },
    60_000,
  )

  test('threads of a module log in as their caller does, and are told no secret', async () => {
    const security = clientOptions('SASL_SSL', credentials('OAUTHBEARER').right)
    await fedTopics(security, ['threads-in', 'threads-out'], { partitions: 2, records: 40 })
    const copying = new URL(
      "data:text/javascript,export const from = 'threads-in', to = 'threads-out', transform = ({ key, value }) => ({ key, value })",
    )
    await using _pipeline = pipeline(copying, {
      ...security,
      transactionalId: 'threads',
      groupId: 'threads-copying',
      threads: 2,
    })
    await using reading = consume(new URL('data:text/javascript,export const each = () => {}'), {
      ...security,
      groupId: 'threads-reading',
      topics: 'threads-out',
      threads: 2,
      autoOffsetReset: 'earliest',
    })
    const handled = () => reading.metrics().reduce((sum, metrics) => sum + (metrics?.handled ?? 0), 0)
    await vi.waitFor(() => expect(handled()).toBe(40), { timeout: 100_000, interval: 100 })
  }, 120_000)

  test('a pipeline logs in with both its clients', async () => {
    const security = clientOptions('SASL_PLAINTEXT', credentials('SCRAM-SHA-512').right)
    await fedTopics(security, ['lane-in', 'lane-out'], { partitions: 1, records: 10 })
    const options = { ...security, transactionalId: 'lane', groupId: 'lane', commitEvery: 10 }
    await using running = pipeline('lane-in', 'lane-out', ({ key, value }) => ({ key, value }), options)
    const isCopied = () => running.metrics().outputs === 10 && running.metrics().transactions > 0
    await vi.waitFor(() => expect(isCopied()).toBe(true), { timeout: 100_000, interval: 100 })
  }, 120_000)

  test('over TLS a certificate that nobody vouches for is refused', async () => {
    const sasl = { mechanism: 'PLAIN', username, password } as const
    await using admin = createAdmin({
      ...clientOptions('SASL_PLAINTEXT', sasl),
      bootstrapServers: kafka.secured.SASL_SSL!,
      tls: true,
      bootstrapTimeoutMs: 1,
    })
    await expect(admin.topics.list()).rejects.toThrow(/self.signed/)
  }, 60_000)
})
