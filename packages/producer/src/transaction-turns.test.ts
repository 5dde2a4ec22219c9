import { describe, expect, test } from 'vitest'
import { TransactionTurns } from './transaction-turns.ts'

describe('what is asked of a transactional sender', () => {
  test('is done at once while nothing waits, and returns what it returns', () => {
    const turns = new TransactionTurns()
    expect(turns.inTurn(() => 7)).toBe(7)
    expect(() => turns.inTurn(() => error())).toThrow('no')
  })

  test('waits behind a step that cannot be taken yet, in order, also what comes while others are done', async () => {
    const log: string[] = []
    let isOpen = false
    let rests = 0
    const turns = new TransactionTurns(() => rests++)
    turns.add(() => {
      if (isOpen) log.push('begun')
      return isOpen
    })
    const first = turns.inTurn(() => {
      log.push('first')
      void turns.inTurn(() => log.push('third'))
      return 1
    })
    const second = turns.inTurn(() => {
      log.push('second')
      return error()
    })
    turns.goOn()
    expect(log).toEqual([])
    isOpen = true
    turns.goOn()
    expect(log).toEqual(['begun', 'first', 'second', 'third'])
    await expect(first).resolves.toBe(1)
    await expect(second).rejects.toThrow('no')
    expect(turns.inTurn(() => 'at once')).toBe('at once')
    expect(rests).toBeGreaterThan(0)
  })

  test('stops at the next step that cannot be taken', () => {
    const log: string[] = []
    const turns = new TransactionTurns()
    let [first, second] = [false, false]
    turns.add(() => first)
    void turns.inTurn(() => log.push('of the first'))
    turns.add(() => second)
    void turns.inTurn(() => log.push('of the second'))
    first = true
    turns.goOn()
    expect(log).toEqual(['of the first'])
    second = true
    turns.goOn()
    expect(log).toEqual(['of the first', 'of the second'])
  })
})

function error(): never {
  throw new Error('no')
}
