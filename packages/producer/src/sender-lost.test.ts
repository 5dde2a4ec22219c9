import { systemClock } from '@odradek/shared/base/clock'
import { KafkaError } from '@odradek/shared/base/errors'
import { limits } from '@odradek/shared/base/limits'
import { systemRandom } from '@odradek/shared/base/random'
import { expect, test } from 'vitest'
import { readProducerOptions } from './options.ts'
import { Producer } from './producer.ts'
import { errorOfAsk } from './producer-errors.ts'
import type { SenderConnection } from './sender-connection.ts'

const noLog = { debug() {}, info() {}, warn() {}, error() {} }

/** A connection whose senders cannot start, and how often one was asked for. */
function withoutSenders(options: { transactionalId?: string } = {}) {
  let asked = 0
  const connection: SenderConnection = {
    host: { clock: systemClock, random: systemRandom(), log: noLog, limits },
    open(events) {
      const error = new KafkaError('ODK_SENDER_DIED', `sender ${++asked} could not start`)
      setImmediate(() => events.lost(error))
    },
    failureOf: errorOfAsk,
    close: async () => {},
  }
  const producer = new Producer(readProducerOptions({ bootstrapServers: '127.0.0.1:9', ...options }), connection)
  return { producer, asked: () => asked }
}

test('a transaction whose sender cannot start fails with the reason, and the next asks for another', async () => {
  const { producer, asked } = withoutSenders({ transactionalId: 't' })
  for (const n of [1, 2]) {
    const attempt = producer.transaction(async () => {})
    await expect(attempt).rejects.toMatchObject({ code: 'ODK_SENDER_DIED', message: `sender ${n} could not start` })
    expect(asked()).toBe(n)
  }
  await producer.close()
})

test('a record whose sender cannot start fails with the reason, and the next asks for another', async () => {
  const { producer, asked } = withoutSenders()
  for (const n of [1, 2]) {
    const sent = producer.send('orders', { value: Buffer.from('x') })
    await expect(sent).rejects.toMatchObject({ message: `sender ${n} could not start` })
    expect(asked()).toBe(n)
  }
  await producer.close()
})
