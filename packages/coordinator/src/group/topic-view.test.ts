import { expect, test } from 'vitest'
import { TopicView } from './topic-view.ts'

const orders = { topic: 'orders', topicId: 'o', partitions: 3 }
const bills = { topic: 'bills', topicId: 'b', partitions: 1 }

/** A view that knows both. */
function known(): TopicView {
  const view = new TopicView(1)
  view.expectSnapshot()
  view.snapshot([orders, bills])
  return view
}

test('a snapshot tells what is another than before, and which topics are gone', () => {
  const view = known()
  view.expectSnapshot()
  expect(view.snapshot([{ ...orders, partitions: 4 }])).toEqual({ isChanged: true, gone: [bills] })
  expect([...view.all()]).toEqual([{ ...orders, partitions: 4 }])
})

test('a snapshot of what is known already changes nothing', () => {
  const view = known()
  const { version } = view
  view.expectSnapshot()
  expect(view.snapshot([orders, bills])).toEqual({ isChanged: false, gone: [] })
  expect(view.version).toBe(version)
})

test('news that come before the snapshot are newer than it', () => {
  const view = known()
  view.expectSnapshot()
  const created = { topic: 'new', topicId: 'n', partitions: 1 }
  view.changed([{ ...orders, partitions: 5 }, created], [bills])
  expect(view.snapshot([orders, bills])).toEqual({ isChanged: false, gone: [] })
  expect([...view.all()]).toEqual([{ ...orders, partitions: 5 }, created])
})

test('a topic that was deleted and created anew meanwhile is the new one under its name', () => {
  const view = known()
  const again = { ...orders, topicId: 'o2' }
  view.expectSnapshot()
  expect(view.snapshot([again, bills])).toEqual({ isChanged: true, gone: [orders] })
  expect(view.byName('orders')).toEqual(again)
  expect(view.byId('o')).toBeUndefined()
})
