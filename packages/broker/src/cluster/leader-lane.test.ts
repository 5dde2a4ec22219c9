import { expect, test } from 'vitest'
import { leaderLane } from './leader-lane.rules.ts'

test('a broker that listens on a small machine leads on the thread of its sockets', () => {
  expect(leaderLane({ listens: true, threads: 'auto', cores: 2 })).toBe('self')
})

test.each([
  ['more cores than clients and one thread can use', { listens: true, threads: 'auto', cores: 3 }],
  ['no clients over TCP', { listens: false, threads: 'auto', cores: 2 }],
  ['threads that were asked for', { listens: true, threads: 8, cores: 2 }],
] as const)('leaders spread over threads with %s', (_, given) => {
  expect(leaderLane(given)).toBe('own')
})
