import { expect, test } from 'vitest'
import { ProducerIdBlock } from './producer-id-block.ts'

test('ids are unique over blocks, also when many ask at once, and one block is asked for at a time', async () => {
  let blocks = 0
  const ids = new ProducerIdBlock(async () => ({ firstProducerId: 1000 * blocks++, length: 10 }))
  const given = await Promise.all(Array.from({ length: 25 }, () => ids.next()))
  expect(new Set(given).size).toBe(25)
  expect(blocks).toBe(3)
  expect(Math.max(...given)).toBe(2004)
})

test('a failed allocation fails who asked and is tried again for the next', async () => {
  let fail = true
  const ids = new ProducerIdBlock(async () => {
    if (fail) throw new Error('no log')
    return { firstProducerId: 7, length: 1 }
  })
  await expect(ids.next()).rejects.toThrow('no log')
  fail = false
  expect(await ids.next()).toBe(7)
})
