// Our clients against Apache Kafka 4.3.1 behind SASL and TLS, with every mechanism that they have.
import { testCertificate } from '@odradek/broker/wire/test-certificate.suite'
import { createConsumer } from '@odradek/consumer/create-consumer'
import { createProducer } from '@odradek/producer/create-producer'
import { createAdmin } from '@odradek/shared/client/admin'
import type { SaslOption } from '@odradek/shared/client/common-options'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ApacheKafka, apacheKafkaMissing, startApacheKafka } from '../apache-kafka/apache-kafka.ts'

const missing = apacheKafkaMissing()
const username = 'josef'
const password = 'odd-radek'
const mechanisms: readonly SaslOption['mechanism'][] = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512']
const protocols = ['SASL_PLAINTEXT', 'SASL_SSL'] as const
const cases = protocols.flatMap(protocol => mechanisms.map(mechanism => [protocol, mechanism] as const))

function jaas(module: string, ...options: readonly string[]): string {
  return [`org.apache.kafka.common.security.${module}`, 'required', ...options].join(' ').concat(';')
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
      const options = clientOptions(protocol, { mechanism, username, password })
      const topic = `letters-${protocol}-${mechanism}`
      {
        await using admin = createAdmin(options)
        await admin.topics.create({ name: topic, partitions: 3 })
      }
      {
        await using producer = createProducer(options)
        await producer.send(
          topic,
          Array.from({ length: 100 }, (_, index) => ({ key: `${index}`, value: `letter ${index}` })),
        )
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
      expect(received.toSorted()).toEqual(Array.from({ length: 100 }, (_, index) => `letter ${index}`).toSorted())
    },
    120_000,
  )

  test.each(cases)(
    'over %s with %s a wrong password is refused at once, by name, and not told',
    async (protocol, mechanism) => {
      await using admin = createAdmin(clientOptions(protocol, { mechanism, username, password: 'not-the-word' }))
      const refused = await admin.topics.list().catch((error: unknown) => error)
      expect(refused).toMatchObject({ code: 'ODK_SASL_AUTHENTICATION_FAILED', retriable: false })
      expect(String(refused)).not.toContain('not-the-word')
    },
    60_000,
  )

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
