import { describe, expect, it } from 'vitest'
import { usualPlacement } from './usual-placement.rules.ts'

describe('the placement of a broker whose user named none', () => {
  const leader = (name: string) => ({ kind: 'partition-leader', name })

  it.each([
    ['its own actor', { kind: 'broker', name: 'broker' }],
    ["leaders of groups' partitions", leader('__consumer_offsets-3')],
    ["leaders of transactions' partitions", leader('__transaction_state-0')],
  ])('puts %s on one lane when threads are few', (_, actor) => {
    expect([1, 4].map(threads => usualPlacement(threads)(actor))).toEqual(['broker', 'broker'])
    expect(usualPlacement(5)(actor)).toBeUndefined()
  })

  it.each([
    ['leaders of topics', leader('orders-0')],
    ['leaders of topics that are called much like internal ones', leader('__consumer_offsets-old-0')],
    ['senders', { kind: 'sender', name: '__consumer_offsets-0' }],
    ['consumers', { kind: 'consumer', name: 'billing/odradek' }],
  ])('leaves %s to the emptiest thread', (_, actor) => {
    expect(usualPlacement(2)(actor)).toBeUndefined()
  })
})
