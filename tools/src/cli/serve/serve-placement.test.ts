import { createBroker } from '@odradek/broker'
import { createProducer } from '@odradek/producer'
import { expect, test } from 'vitest'
import { servePlacement } from './serve-placement.rules.ts'

test.each([
  ['on two cores', { threads: 'auto', cores: 2 }, 'sockets'],
  ['on more cores', { threads: 'auto', cores: 3 }, undefined],
  ['with threads that were asked for', { threads: 8, cores: 2 }, undefined],
] as const)(
  '%s leaders run where the rule says, senders and consumers always on threads of their own',
  (_, machine, expected) => {
    const { placement } = servePlacement(machine)
    const named = (kind: string) => placement?.({ kind, name: 'any' })
    expect(['broker', 'partition-leader', 'sender', 'consumer'].map(named)).toEqual([
      expected,
      expected,
      undefined,
      undefined,
    ])
  },
)

test('a small machine has its sockets and all leaders on one thread', async () => {
  const { placement } = servePlacement({ threads: 'auto', cores: 2 })
  await using broker = await createBroker({ storage: 'memory', threads: 4, placement: placement!, topics: { t: 3 } })
  await using producer = createProducer({ bootstrapServers: broker.bootstrapServers })
  await Promise.all([0, 1, 2].map(partition => producer.send('t', { value: 'x', partition })))
  const actors = await broker.actors()
  const threadsOf = (kind: string) =>
    new Set(actors.filter(({ address }) => address.kind === kind).map(({ thread }) => thread))
  expect(actors.filter(({ address }) => address.kind === 'partition-leader').length).toBeGreaterThan(3)
  expect(threadsOf('partition-leader')).toEqual(threadsOf('listener'))
})
