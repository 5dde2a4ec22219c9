// The memory log: the common suite, and what only it can do: forget what was not flushed.
import { expect, test } from 'vitest'
import { describeCompactionModel } from './compaction-model.suite.ts'
import { appendMany, config, groupOf, identity, noState, readAll, stamped } from './log-fixtures.suite.ts'
import { describeLogModel } from './log-model.suite.ts'
import { memoryLogStore } from './memory-log-store.ts'
import { describePartitionLog } from './partition-log.suite.ts'

describePartitionLog('memory partition log', () => {
  const store = memoryLogStore()
  return {
    open: () => store.open(identity),
    stop: () => store.crash({ keepUnflushed: true }),
    dispose: () => store.close(),
  }
})

test('a crash of the machine takes what was not flushed, with the state that followed from it', () => {
  const store = memoryLogStore({ forgetful: true })
  const { log } = store.open(identity)
  const derived = noState()
  log.append({ ...groupOf([stamped(0, { producerId: 1 })], derived), durable: true }, config)
  const kept = log.producerStates()
  log.append(groupOf([stamped(1, { producerId: 1, sequence: 1 }), stamped(2, { producerId: 2 })], derived), config)
  log.roll(1)
  appendMany(log, 2)
  store.crash({ keepUnflushed: false })
  const reopened = store.open(identity)
  expect(reopened.recovered.clean).toBe(false)
  expect([reopened.log.logEndOffset, reopened.log.highWatermark]).toEqual([1, 1])
  expect(readAll(reopened.log)).toEqual([0])
  expect(reopened.log.producerStates()).toEqual(kept)
})

test('a crash of the actor keeps everything', () => {
  const store = memoryLogStore({ forgetful: true })
  appendMany(store.open(identity).log, 5)
  store.crash({ keepUnflushed: true })
  expect(readAll(store.open(identity).log)).toEqual([0, 1, 2, 3, 4])
})

test('a store lists its logs and forgets deleted ones', () => {
  const store = memoryLogStore()
  appendMany(store.open(identity).log, 1)
  expect(store.list()).toEqual([identity])
  store.delete(identity)
  expect(store.list()).toEqual([])
  expect(store.open(identity).log.logEndOffset).toBe(0)
})

describeLogModel(
  'memory partition log in random histories',
  () => {
    const store = memoryLogStore()
    return {
      open: () => store.open(identity),
      stop: () => store.crash({ keepUnflushed: true }),
      dispose: () => store.close(),
    }
  },
  200,
)

describeCompactionModel(
  'memory partition log',
  () => {
    const store = memoryLogStore()
    return {
      open: () => store.open(identity),
      stop: () => store.crash({ keepUnflushed: true }),
      dispose: () => store.close(),
    }
  },
  150,
)
