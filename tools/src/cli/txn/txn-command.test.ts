// `odradek txn` against a broker: what is open is told, and ended by id or by place.

import { expect, test } from 'vitest'
import { createBroker, createProducer } from '../../index.ts'
import { capturedTerminal } from '../terminal/captured-terminal.suite.ts'
import { txnCommand } from './txn-command.ts'

async function txn(address: string, ...args: string[]): Promise<string> {
  const terminal = capturedTerminal({ columns: 200 })
  await txnCommand(terminal).parseAsync([...args, '-b', address], { from: 'user' })
  return terminal.out
}

test('an open transaction is listed and described, and ended by its id', async () => {
  await using broker = await createBroker({ storage: 'memory', topics: { orders: 1 } })
  const { bootstrapServers } = broker
  await using producer = createProducer({ bootstrapServers: broker, transactionalId: 'billing' })
  const ended = producer.transaction(async transaction => {
    await transaction.send('orders', { value: 'x' })
    expect(await txn(bootstrapServers, 'list', '--state', 'ongoing,empty')).toMatch(/^billing +\d+ {2}Ongoing$/m)
    expect(await txn(bootstrapServers, 'describe', 'billing')).toMatch(/billing +Ongoing .* orders-0$/m)
    // Its coordinator knows it: it does not hang.
    expect(await txn(bootstrapServers, 'find-hanging', '--max-transaction-timeout', '0', '-o', 'json')).toBe('[]\n')
    expect(await txn(bootstrapServers, 'abort', '--id', 'billing')).toContain('Ended what billing had open')
  })
  await expect(ended).rejects.toMatchObject({ fatal: true })
})

test('an open transaction is ended in its partition, where it begins; nothing else is', async () => {
  await using broker = await createBroker({ storage: 'memory', topics: { orders: 1 } })
  const at = (offset: string) => ['abort', '--topic', 'orders', '--partition', '0', '--start-offset', offset]
  await using producer = createProducer({ bootstrapServers: broker, transactionalId: 'billing' })
  const ended = producer.transaction(async transaction => {
    await transaction.send('orders', { value: 'x' })
    await expect(txn(broker.bootstrapServers, ...at('5'))).rejects.toThrow('no open transaction that begins at 5')
    expect(await txn(broker.bootstrapServers, ...at('0'))).toContain('in orders-0')
    throw new Error('enough')
  })
  await expect(ended).rejects.toThrow('enough')
})

test('an id that is not there is not made; flags that do not go together are refused', async () => {
  await using broker = await createBroker({ storage: 'memory' })
  const { bootstrapServers } = broker
  await expect(txn(bootstrapServers, 'abort', '--id', 'nobody')).rejects.toMatchObject({
    kafkaName: 'TRANSACTIONAL_ID_NOT_FOUND',
  })
  await expect(txn(bootstrapServers, 'abort', '--id', 'x', '--topic', 'y')).rejects.toThrow('it takes --id')
  await expect(txn(bootstrapServers, 'find-hanging', '--partition', '1')).rejects.toThrow('--partition needs --topic')
})
