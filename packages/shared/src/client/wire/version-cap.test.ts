// Which version a request goes out in: the newest common one, but never one that has no place for what it says.
import { describe, expect, test } from 'vitest'
import { abilitiesOf, chooseVersion } from './negotiation.rules.ts'
import { versionCap } from './translation.rules.ts'

const known = 'AAAAAAAAAAAAAAAAAAAAAQ'
const unknown = 'AAAAAAAAAAAAAAAAAAAAAA'
const apiKeys = [0, 1, 8, 9, 24].map(apiKey => ({ apiKey, minVersion: 0, maxVersion: 99 }))
const abilities = abilitiesOf({ apiKeys } as never, new Map([['transaction.version', 2]]))

describe('the version of a request', () => {
  test.each([
    ['OffsetCommit', { topics: [{ topicId: known }, { topicId: unknown }] }, 9],
    ['OffsetFetch', { groups: [{ topics: [{ topicId: unknown }] }] }, 9],
    ['OffsetFetch', { groups: [{ topics: [{ topicId: known }] }, { topics: null }] }, 9],
    ['Fetch', { topics: [{ topicId: unknown }] }, 12],
    ['Produce', { topicData: [{ topicId: unknown }] }, 12],
  ] as const)('%s with a topic whose id is not known goes by name', (api, request, version) => {
    expect(chooseVersion(api, abilities, versionCap(api, request as never))).toBe(version)
  })

  test.each([
    ['OffsetCommit', { topics: [{ topicId: known }] }],
    ['OffsetFetch', { groups: [{ topics: [{ topicId: known }] }] }],
    ['Fetch', { topics: [] }],
  ] as const)('%s is the newest otherwise', (api, request) => {
    expect(chooseVersion(api, abilities, versionCap(api, request as never))).toBe(chooseVersion(api, abilities))
  })

  test('a client speaks AddPartitionsToTxn up to version 3: newer ones are between brokers', () => {
    expect(chooseVersion('AddPartitionsToTxn', abilities)).toBe(3)
  })
})
