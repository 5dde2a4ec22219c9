// Typed topics: what goes in, what comes out, and names that Kafka refuses.
import { describe, expect, expectTypeOf, test } from 'vitest'
import { limits } from '../base/limits.ts'
import { json, string } from './codecs.ts'
import { type KeyFor, type KeyOf, topic, topicNameProblem, topicOf, type ValueFor, type ValueOf } from './topic.ts'

describe('topic', () => {
  test('types follow the codecs', () => {
    const orders = topic('orders', { key: string(), value: json<{ id: number }>() })
    expectTypeOf<KeyOf<typeof orders>>().toEqualTypeOf<string>()
    expectTypeOf<ValueOf<typeof orders>>().toEqualTypeOf<{ id: number }>()
    expect(orders.name).toBe('orders')
  })

  test('without codecs text and bytes go in and bytes come out', () => {
    const raw = topic('raw')
    expectTypeOf<KeyFor<typeof raw>>().toEqualTypeOf<string | Uint8Array>()
    expectTypeOf<ValueFor<typeof raw>>().toEqualTypeOf<string | Uint8Array>()
    expectTypeOf<ValueOf<typeof raw>>().toEqualTypeOf<Uint8Array>()
    expect(topicOf('raw').value).toBe(raw.value)
    expect(topicOf(raw)).toBe(raw)
  })

  test('what is neither a name nor a topic is refused, also when it has a name', () => {
    for (const given of [
      undefined,
      5,
      {},
      [],
      { name: 'orders' },
      function named() {},
      { topic: 'orders', messages: [] },
    ])
      expect(() => topicOf(given as never)).toThrow(
        /a topic is its name, or what topic\(name, \{ key, value \}\) gives, got /,
      )
  })

  test('a name is checked once: who sends by name gets the same topic each time', () => {
    expect(topicOf('by-name')).toBe(topicOf('by-name'))
    const before = topicOf('by-name')
    for (let n = 0; n < limits.rawTopicsKnownMax; n++) topicOf(`another-${n}`)
    expect(topicOf('by-name')).not.toBe(before)
    expect(topicOf('by-name')).toEqual(before)
  })

  test.each(['', '.', '..', 'a b', 'a/b', 'ä', 'x'.repeat(250)])('%j is refused as a name', name => {
    expect(topicNameProblem(name)).toMatch(/topic name/)
    expect(() => topic(name)).toThrow(expect.objectContaining({ code: 'ODK_TOPIC_INVALID' }))
  })

  test('codecs that are none, or under another name, are refused', () => {
    const wrong = { code: 'ODK_OPTION_INVALID', message: expect.stringContaining('value must be a codec') }
    expect(() => topic('a', { value: 5 as never })).toThrow(expect.objectContaining(wrong))
    const unknown = { code: 'ODK_OPTION_UNKNOWN', message: expect.stringContaining('did you mean value?') }
    expect(() => topic('a', { valu: json() } as never)).toThrow(expect.objectContaining(unknown))
  })

  test.each(['a', '...', 'x'.repeat(249), 'a.b_c-D9'])('%j is a name', name => {
    expect(topicNameProblem(name)).toBeNull()
  })
})
