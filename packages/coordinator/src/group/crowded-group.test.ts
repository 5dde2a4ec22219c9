// Groups of thousands: what waits is answered or refused with Kafka's codes, and nothing is kept of what is over.
import { errors } from '@odradek/shared/protocol/error-codes'
import { expect, test } from 'vitest'
import type { GroupSettings } from './group-settings.ts'
import { GroupWorld } from './group-world.suite.ts'

/** Its version: the member id is given with the answer. */
const V3 = { apiVersion: 3 }

const crowd = (settings: Partial<GroupSettings> = {}) =>
  new GroupWorld({ settings: { initialRebalanceDelayMs: 3_000, ...settings } })
const join = (groups: GroupWorld) => groups.request('joinGroup', {}, V3)

test('ten thousand joins that wait are all answered, one generation for all', () => {
  const groups = crowd()
  const joins = Array.from({ length: 10_000 }, () => join(groups))
  expect(joins.every(join => join.reply === null)).toBe(true)
  groups.advance(60_000)
  expect(joins.every(join => join.reply?.generationId === 1)).toBe(true)
  expect(groups.armed).toBeLessThan(10_010)
})

test('beyond group.max.size joins are refused with GROUP_MAX_SIZE_REACHED, and nothing is kept of them', () => {
  const groups = crowd({ classicSizeMax: 100 })
  const joins = Array.from({ length: 10_000 }, () => join(groups))
  const refused = joins.filter(join => join.reply?.errorCode === errors.GROUP_MAX_SIZE_REACHED.code)
  expect(refused.length).toBe(9_900)
  expect(groups.classic('g').members.size).toBe(100)
  expect(groups.armed).toBeLessThan(110)
})

test('ten thousand ids that are given out and not used are forgotten with their sessions', () => {
  const groups = crowd()
  const ids = Array.from({ length: 10_000 }, () => groups.answer(groups.request('joinGroup', {})).memberId)
  expect(new Set(ids).size).toBe(10_000)
  expect(groups.classic('g').pendingJoin.size).toBe(10_000)
  groups.advance(10_000)
  expect(groups.classic('g').pendingJoin.size).toBe(0)
  expect(groups.answer(groups.request('joinGroup', { memberId: ids[0]! })).errorCode).toBe(
    errors.UNKNOWN_MEMBER_ID.code,
  )
})
