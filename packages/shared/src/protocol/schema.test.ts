// Version ranges, and the types that are inferred from schemas.

import { describe, expect, expectTypeOf, test } from 'vitest'
import type { FetchResponse } from './messages/01-fetch.ts'
import { type Draft, inVersions, parseVersions, VERSION_MAX } from './schema.ts'

describe('version ranges', () => {
  test('an open range reaches the newest version there can be', () => {
    expect(parseVersions('3+')).toEqual({ low: 3, high: VERSION_MAX })
  })

  test('a closed range includes both ends', () => {
    expect([2, 3, 7, 8].map(version => inVersions('3-7', version))).toEqual([false, true, true, false])
  })

  test('one number is a range of one version', () => {
    expect(parseVersions('4')).toEqual({ low: 4, high: 4 })
  })

  test('`none`, and no range at all, contain no version', () => {
    expect(inVersions('none', 0)).toBe(false)
    expect(inVersions(undefined, 0)).toBe(false)
  })

  test('anything else is refused', () => {
    expect(() => parseVersions('3-' as '3+')).toThrow('not a version range: 3-')
  })
})

describe('inferred types', () => {
  type Partition = FetchResponse['responses'][number]['partitions'][number]

  test('a field is nullable in its type when it is nullable in any version', () => {
    expectTypeOf<Partition['records']>().toEqualTypeOf<Uint8Array | null>()
    expectTypeOf<Partition['highWatermark']>().toEqualTypeOf<number>()
    expectTypeOf<FetchResponse['responses'][number]['topicId']>().toEqualTypeOf<string>()
  })

  test('a draft may leave out any field at any depth, but not mistype one', () => {
    expectTypeOf<{ responses: { partitions: { errorCode: number }[] }[] }>().toExtend<Draft<FetchResponse>>()
    expectTypeOf<{ sessionId: string }>().not.toExtend<Draft<FetchResponse>>()
    expectTypeOf<Draft<FetchResponse>>().toHaveProperty('sessionId')
  })
})
