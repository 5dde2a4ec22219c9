// What happens to a new partition while the caller's onAssigned runs: where to begin is looked up and records are fetched meanwhile, none is handed out
// before, and what the hook says of the position holds.
import { expect, test } from 'vitest'
import type { Consumer } from './consumer-client.ts'
import type { ConsumerOptions } from './consumer-options.ts'
import { consumerWorld } from './consumer-world.suite.ts'
import { FakeGroup } from './fake-group.suite.ts'

const HOOK_MS = 500
const zero = { topic: 'words', partition: 0 }

/** One member of a group that reads `words-0`, whose values are `0` to `9`, and whose hook takes its time after `early`. */
function slowHook(early: (consumer: Consumer) => unknown, options: Partial<ConsumerOptions> = {}) {
  const { world, cluster, create } = consumerWorld()
  cluster.addTopic('words', 1)
  cluster.append(
    'words',
    0,
    Array.from({ length: 10 }, (_, value) => String(value)),
  )
  const coordinator = new FakeGroup(cluster, world.clock)
  const seen: { values: string[]; error: unknown; hookSaw: unknown } = { values: [], error: null, hookSaw: undefined }
  const consumer = create({
    groupId: 'g',
    enableAutoCommit: false,
    onAssigned: async () => {
      seen.hookSaw = await early(consumer)
      await new Promise<void>(resolve => world.clock.after(HOOK_MS, resolve))
    },
    ...options,
  })
  const read = async () => {
    for await (const { value } of consumer.stream('words')) seen.values.push(new TextDecoder().decode(value as never))
  }
  read().catch(error => {
    seen.error = error
  })
  return { world, cluster, coordinator, seen }
}

test('the committed offset and the records are asked for while the hook runs, and read when it is done', async () => {
  const { world, cluster, coordinator, seen } = slowHook(() => {})
  coordinator.committed.set('words-0', 7)
  await world.advance(HOOK_MS / 2)
  const apis = cluster.requests.map(({ api }) => api)
  expect(apis).toContain('OffsetFetch')
  expect(apis).toContain('Fetch')
  expect(seen.values).toEqual([])
  const asked = apis.filter(api => api === 'OffsetFetch').length
  await world.advance(HOOK_MS)
  expect(seen.values).toEqual(['7', '8', '9'])
  expect(cluster.requests.filter(({ api }) => api === 'OffsetFetch')).toHaveLength(asked)
})

test('the position is known to the hook', async () => {
  const { world, coordinator, seen } = slowHook(consumer => consumer.position(zero))
  coordinator.committed.set('words-0', 4)
  await world.advance(2 * HOOK_MS)
  expect(seen).toMatchObject({ hookSaw: 4n, values: ['4', '5', '6', '7', '8', '9'] })
})

test('a hook that seeks is obeyed, also when records from elsewhere were fetched meanwhile', async () => {
  const { world, seen } = slowHook(async consumer => {
    await consumer.position(zero)
    consumer.seek(zero, 8n)
  })
  await world.advance(2 * HOOK_MS)
  expect(seen.values).toEqual(['8', '9'])
})

test.each([
  ['waits for the answer', (consumer: Consumer) => consumer.commit([{ ...zero, offset: 6 }])],
  ['does not', (consumer: Consumer) => consumer.commitAsync([{ ...zero, offset: 6 }])],
])('reading begins where the hook committed, when it %s', async (_, commit) => {
  const { world, seen } = slowHook(async consumer => {
    await consumer.position(zero)
    await commit(consumer)
  })
  await world.advance(3 * HOOK_MS)
  expect(seen.values).toEqual(['6', '7', '8', '9'])
})

test('a commit that is answered after the hook is waited for: nothing is handed out twice', async () => {
  const { world, cluster, seen } = slowHook(async consumer => {
    await consumer.position(zero)
    const committed = cluster.answers.OffsetCommit!
    cluster.answers.OffsetCommit = async (...asked) => {
      await new Promise<void>(resolve => world.clock.after(2 * HOOK_MS, resolve))
      return committed(...asked)
    }
    consumer.commitAsync([{ ...zero, offset: 6 }])
  })
  await world.advance(2 * HOOK_MS)
  expect(seen.values).toEqual([])
  await world.advance(2 * HOOK_MS)
  expect(seen.values).toEqual(['6', '7', '8', '9'])
})

test('a hook that seeks and commits reads where it sought', async () => {
  const { world, seen } = slowHook(async consumer => {
    consumer.seek(zero, 9n)
    await consumer.commit([{ ...zero, offset: 2 }])
  })
  await world.advance(2 * HOOK_MS)
  expect(seen.values).toEqual(['9'])
})

test('that there is nowhere to begin is told only when the hook had its chance to seek', async () => {
  const none = { autoOffsetReset: 'none' as const }
  const sought = slowHook(async consumer => {
    await consumer.position(zero).catch(() => undefined)
    consumer.seek(zero, 9n)
  }, none)
  await sought.world.advance(2 * HOOK_MS)
  expect(sought.seen).toMatchObject({ error: null, values: ['9'] })

  const idle = slowHook(() => {}, none)
  await idle.world.advance(HOOK_MS / 2)
  expect(idle.seen.error).toBeNull()
  await idle.world.advance(HOOK_MS)
  expect(idle.seen.error).toMatchObject({ code: 'ODK_NO_OFFSET' })
})
