import { expect, test } from 'vitest'
import { FakeClock } from './fake-clock.suite.ts'
import { WaitingRoom } from './waiting-room.ts'

function room(max = 3) {
  const clock = new FakeClock()
  const expired: string[] = []
  const waiting = new WaitingRoom<{ name: string; deadline: number }>({
    clock,
    max,
    expire: ({ name }) => expired.push(name),
  })
  return { clock, expired, waiting, enter: (name: string, deadline = 100) => waiting.enter({ name, deadline }) }
}

test('entries leave in order of arrival', () => {
  const { waiting, enter } = room()
  enter('a')
  enter('b')
  expect(waiting.first?.name).toBe('a')
  expect([waiting.leave()?.name, waiting.leave()?.name, waiting.leave()?.name]).toEqual(['a', 'b', undefined])
})

test('a full room takes nobody, and its high-water mark stays', () => {
  const { waiting, enter } = room(2)
  expect([enter('a'), enter('b'), enter('c')]).toEqual([true, true, false])
  waiting.leave()
  waiting.leave()
  expect([waiting.size, waiting.high]).toEqual([0, 2])
})

test('an entry whose time is over is expired, later ones wait on', () => {
  const { clock, waiting, expired, enter } = room()
  enter('a', 100)
  enter('b', 150)
  clock.advance(120)
  expect(expired).toEqual(['a'])
  expect(waiting.size).toBe(1)
  clock.advance(40)
  expect(expired).toEqual(['a', 'b'])
  expect(clock.armed).toBe(0)
})

test('what has no deadline never expires and does not hide those behind it', () => {
  const { clock, waiting, expired, enter } = room()
  enter('own', Number.POSITIVE_INFINITY)
  enter('a', 100)
  clock.advance(1_000)
  expect(expired).toEqual(['a'])
  expect(waiting.first?.name).toBe('own')
})

test('who returns to the front goes first, keeps the order and the deadline, even in a full room', () => {
  const { clock, waiting, expired, enter } = room(2)
  enter('c', 300)
  enter('d', 300)
  waiting.returnToFront([
    { name: 'a', deadline: 100 },
    { name: 'b', deadline: 200 },
  ])
  expect([...waiting].map(({ name }) => name)).toEqual(['a', 'b', 'c', 'd'])
  clock.advance(150)
  expect(expired).toEqual(['a'])
})
