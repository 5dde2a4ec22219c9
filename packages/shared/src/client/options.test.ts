// Options at the door: names, Java names, suggestions, ranges.
import { describe, expect, test } from 'vitest'
import { commonOptionHints, commonOptions } from './common-options.ts'
import { flag, integer, milliseconds, oneOf, parseOptions } from './options.ts'

const table = {
  lingerMs: milliseconds('linger.ms', 5),
  batchSize: integer('batch.size', 16_384, { unit: 'bytes' }),
  enableIdempotence: flag('enable.idempotence', true),
  compressionType: oneOf('compression.type', ['none', 'lz4'], 'none'),
  isolationLevel: oneOf('isolation.level', ['readUncommitted', 'readCommitted'], 'readUncommitted', {
    read_committed: 'readCommitted',
  }),
}
const parse = (given: object) => parseOptions('createProducer', table, given)

describe('parseOptions', () => {
  test('what is not given has its default, and only what is given counts as given', () => {
    const { options, given } = parse({ lingerMs: 0, batchSize: undefined })
    expect(options).toEqual({
      lingerMs: 0,
      batchSize: 16_384,
      enableIdempotence: true,
      compressionType: 'none',
      isolationLevel: 'readUncommitted',
    })
    expect([...given]).toEqual(['lingerMs'])
  })

  test("Java's names and Java's text values are read", () => {
    const { options } = parse({ 'linger.ms': '20', 'enable.idempotence': 'false', 'isolation.level': 'read_committed' })
    expect(options).toMatchObject({ lingerMs: 20, enableIdempotence: false, isolationLevel: 'readCommitted' })
  })

  test('an unknown option names its nearest relative in the same spelling', () => {
    expect(() => parse({ linger: 5 })).toThrow('createProducer: unknown option linger; did you mean lingerMs?')
    expect(() => parse({ 'linger.mss': 5 })).toThrow('did you mean linger.ms?')
    expect(() => parse({ colour: 'red' })).toThrow(/unknown option colour$/)
    expect(() => parse({ toString: 1 })).toThrow('unknown option toString')
  })

  test('a hint says what to do instead', () => {
    expect(() => parseOptions('x', table, { brokers: [] }, commonOptionHints)).toThrow('it is called bootstrapServers')
  })

  test('a value out of range, of the wrong type or unit is refused with what would be right', () => {
    expect(() => parse({ lingerMs: -1 })).toThrow(
      'lingerMs must be an integer of milliseconds from 0 to 2147483647, got -1',
    )
    expect(() => parse({ lingerMs: '5s' })).toThrow("got '5s'")
    expect(() => parse({ lingerMs: 1.5 })).toThrow('got 1.5')
    expect(() => parse({ lingerMs: Number.NaN })).toThrow('got NaN')
    expect(() => parse({ enableIdempotence: 1 })).toThrow('must be true or false')
    expect(() => parse({ compressionType: 'brotli' })).toThrow("must be one of 'none', 'lz4', got 'brotli'")
  })

  test('one option under both names is a conflict', () => {
    expect(() => parse({ lingerMs: 1, 'linger.ms': 1 })).toThrow("lingerMs is given twice, also as 'linger.ms'")
  })

  test('errors carry a stable code', () => {
    expect(() => parse({ linger: 5 })).toThrow(expect.objectContaining({ code: 'ODK_OPTION_UNKNOWN' }))
    expect(() => parse({ lingerMs: -5 })).toThrow(expect.objectContaining({ code: 'ODK_OPTION_INVALID' }))
  })
})

describe('common client options', () => {
  const read = (given: object) => parseOptions('createAdmin', commonOptions('odradek-admin'), given).options

  test('bootstrap servers are text, a list, or a broker', () => {
    expect(read({ bootstrapServers: 'a:9092, b:9093' }).bootstrapServers).toEqual(['a:9092', 'b:9093'])
    expect(read({ bootstrapServers: ['[::1]:9092'] }).bootstrapServers).toEqual(['[::1]:9092'])
    const broker = { embedded: true }
    expect(read({ bootstrapServers: broker }).bootstrapServers).toBe(broker)
  })

  test.each(['', 'a', 'a:0', 'a:99999', 'http://a:9092', ['a:1', 5]])('%j is not an address', bootstrapServers => {
    expect(() => read({ bootstrapServers })).toThrow('bootstrapServers must be a broker')
  })

  test('credentials that reach other threads are plain data', () => {
    const secret = { mechanism: 'SCRAM-SHA-256', username: 'ada', password: 'x' }
    expect(read({ sasl: secret }).sasl).toEqual(secret)
    const module = new URL('file:///app/token.js')
    const extensions = { logicalCluster: 'lkc-1' }
    expect(read({ sasl: { mechanism: 'OAUTHBEARER', token: module, extensions } }).sasl).toEqual({
      mechanism: 'OAUTHBEARER',
      token: { module: 'file:///app/token.js' },
      extensions,
    })
    expect(read({ sasl: { mechanism: 'OAUTHBEARER', token: 'abc' } }).sasl).toEqual({
      mechanism: 'OAUTHBEARER',
      token: 'abc',
      extensions: {},
    })
  })

  test.each([
    { mechanism: 'OAUTHBEARER' },
    { mechanism: 'OAUTHBEARER', token: () => 'secret' },
    { mechanism: 'OAUTHBEARER', token: 'secret', extensions: { auth: 'x' } },
    { mechanism: 'OAUTHBEARER', token: 'secret', extensions: { 'a-b': 'x' } },
    { mechanism: 'OAUTHBEARER', token: 'secret', extensions: { a: 'ä' } },
  ])('a bearer of a wrong shape is refused (%#)', sasl => {
    expect(() => read({ sasl })).toThrow(/sasl must be .*module that exports the function token, got an object$/)
  })

  test('credentials of a wrong shape are refused without being shown', () => {
    const sasl = { mechanism: 'PLAIN', username: 'ada', passwort: 'secret' }
    expect(() => read({ sasl })).toThrow(/sasl must be .* got an object$/)
  })
})
