import { expect, test } from 'vitest'
import { TopicView } from './topic-view.ts'

const orders = { topic: 'orders', topicId: 'o', partitions: 3 }
const bills = { topic: 'bills', topicId: 'b', partitions: 1 }

const whole = (topics: (typeof orders)[]) => ({ isWhole: true, topics, gone: [] })
const delta = (topics: (typeof orders)[], gone: (typeof orders)[] = []) => ({ isWhole: false, topics, gone })

/** A view that knows both. */
function known(): TopicView {
  const view = new TopicView(1)
  view.take(whole([orders, bills]))
  return view
}

test('whole news tell what is another than before, and which topics are gone', () => {
  const view = known()
  expect(view.take(whole([{ ...orders, partitions: 4 }]))).toEqual({ isChanged: true, gone: [bills] })
  expect([...view.all()]).toEqual([{ ...orders, partitions: 4 }])
})

test('news of what is known already change nothing', () => {
  const view = known()
  const { version } = view
  expect(view.take(whole([orders, bills]))).toEqual({ isChanged: false, gone: [] })
  expect(view.take(delta([orders]))).toEqual({ isChanged: false, gone: [] })
  expect(view.version).toBe(version)
})

test('other news leave alone what they do not name', () => {
  const view = known()
  const created = { topic: 'new', topicId: 'n', partitions: 1 }
  expect(view.take(delta([{ ...orders, partitions: 5 }, created]))).toEqual({ isChanged: true, gone: [] })
  expect([...view.all()]).toEqual([{ ...orders, partitions: 5 }, bills, created])
  expect(view.take(delta([], [bills]))).toEqual({ isChanged: true, gone: [bills] })
  expect([...view.all()]).toEqual([{ ...orders, partitions: 5 }, created])
})

test('a topic that was deleted and created anew meanwhile is the new one under its name', () => {
  const view = known()
  const again = { ...orders, topicId: 'o2' }
  expect(view.take(whole([again, bills]))).toEqual({ isChanged: true, gone: [orders] })
  expect(view.byName('orders')).toEqual(again)
  expect(view.byId('o')).toBeUndefined()
})
