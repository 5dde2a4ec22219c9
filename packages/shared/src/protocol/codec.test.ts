// The rules of reading and writing, by hand-computed bytes. Round trips of all messages are in messages.test.ts.

import { describe, expect, test } from 'vitest'
import { limits } from '../base/limits.ts'
import { ByteWriter } from './byte-writer.ts'
import { codecOf, decode, encode, encodeParts } from './codec.ts'
import { produceRequest } from './messages/00-produce.ts'
import { fetchRequest, fetchResponse } from './messages/01-fetch.ts'
import { metadataRequest } from './messages/03-metadata.ts'
import { heartbeatRequest } from './messages/12-heartbeat.ts'
import { describeTopicPartitionsRequest } from './messages/75-describe-topic-partitions.ts'
import { ProtocolError } from './protocol-error.ts'
import {
  array,
  bool,
  bytes,
  data,
  float64,
  INT64_MAX,
  int8,
  int16,
  int32,
  int64,
  string,
  struct,
  uint16,
  uuid,
} from './schema.ts'
import { consumerGroupMemberMetadataValue } from './stored/consumer-group.records.ts'

const hex = (value: Uint8Array): string => Buffer.from(value).toString('hex')
const fromHex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(/[ |]/g, ''), 'hex'))
const ALL = { versions: '0', flexible: 'none' } as const
const FLEXIBLE = { versions: '0', flexible: '0+' } as const

describe('primitives', () => {
  const numbers = data('Numbers', ALL, {
    bool: bool('0+'),
    int8: int8('0+'),
    int16: int16('0+'),
    uint16: uint16('0+'),
    int32: int32('0+'),
    int64: int64('0+'),
    float64: float64('0+'),
  })

  test('numbers are big-endian', () => {
    const value = { bool: true, int8: -2, int16: -3, uint16: 65534, int32: -5, int64: -6, float64: 1.5 }
    const wire = '01 | fe | fffd | fffe | fffffffb | fffffffffffffffa | 3ff8000000000000'
    expect(hex(encode(numbers, 0, value))).toBe(wire.replaceAll(/[ |]/g, ''))
    expect(decode(numbers, 0, fromHex(wire))).toEqual(value)
  })

  test.each([
    ['int8', 128],
    ['int8', 1.5],
    ['int16', -32769],
    ['uint16', -1],
    ['int32', 2 ** 31],
    ['int64', 2 ** 64],
    ['int64', Number.NaN],
    ['bool', 1],
    ['float64', '1'],
  ])('%s does not take %s, and the error names the field', (field, value) => {
    expect(() => encode(numbers, 0, { [field]: value } as never)).toThrow(`Numbers v0: ${field}: expected `)
  })

  const long = data('Long', ALL, { value: int64('0+') })
  test.each([
    ['001fffffffffffff', 2 ** 53 - 1],
    ['ffe0000000000001', -(2 ** 53) + 1],
    ['7fffffffffffffff', INT64_MAX],
    ['8000000000000000', -INT64_MAX],
    ['00000000ffffffff', 2 ** 32 - 1],
    ['ffffffff00000000', -(2 ** 32)],
  ])('int64 %s is %s, both ways', (wire, value) => {
    expect(decode(long, 0, fromHex(wire)).value).toBe(value)
    expect(hex(encode(long, 0, { value }))).toBe(wire)
  })

  const id = data('Id', ALL, { id: uuid('0+') })
  test('a UUID is 16 bytes, written as 22 characters of base64url', () => {
    const wire = '00112233445566778899aabbccddeeff'
    expect(decode(id, 0, fromHex(wire)).id).toBe('ABEiM0RVZneImaq7zN3u_w')
    expect(hex(encode(id, 0, { id: 'ABEiM0RVZneImaq7zN3u_w' }))).toBe(wire)
  })

  test.each(['', 'ABEiM0RVZneImaq7zN3u_', 'ABEiM0RVZneImaq7zN3u_x', 'ABEiM0RVZneImaq7zN3u/w'])(
    'the UUID %j is refused',
    value => {
      expect(() => encode(id, 0, { id: value })).toThrow('is not a UUID')
    },
  )
})

describe('strings, bytes and arrays', () => {
  const fields = {
    text: string('0+', { nullable: '0+' }),
    raw: bytes('0+', { nullable: '0+' }),
    list: array('0+', 'int16', { nullable: '0+' }),
  }
  const plain = data('Plain', ALL, fields)
  const compact = data('Compact', FLEXIBLE, fields)

  test('plain lengths are int16 for strings and int32 for the rest', () => {
    const value = { text: 'é', raw: Uint8Array.of(9), list: [1, 2] }
    expect(hex(encode(plain, 0, value))).toBe('0002c3a9' + '0000000109' + '0000000200010002')
  })

  test('compact lengths are one more than the length, as a varint', () => {
    const value = { text: 'é', raw: Uint8Array.of(9), list: [1, 2] }
    expect(hex(encode(compact, 0, value))).toBe('03c3a9' + '0209' + '0300010002' + '00')
  })

  test('null is -1, or 0 where compact', () => {
    const nothing = { text: null, raw: null, list: null }
    expect(hex(encode(plain, 0, nothing))).toBe('ffff' + 'ffffffff' + 'ffffffff')
    expect(hex(encode(compact, 0, nothing))).toBe('00' + '00' + '00' + '00')
    expect(decode(compact, 0, fromHex('00000000'))).toEqual(nothing)
  })

  test.each([
    ['fffe', 'text: string length -2 (at byte 2)'],
    ['0003 6162', 'text: needs 3 bytes, 2 left (at byte 2)'],
    ['0000 fffffffe', 'raw: length -2 (at byte 6)'],
    ['0000 7fffffff 00', 'raw: needs 2147483647 bytes, 1 left (at byte 6)'],
    ['0000 00000000 7fffffff 0001', 'list: count 2147483647 needs more than the 2 bytes left (at byte 10)'],
    ['0000 00000000 80000000', 'list: negative count -2147483648 (at byte 10)'],
    ['0000 00000000 00000000 00', '1 bytes left over (at byte 10)'],
  ])('the plain bytes %s are malformed', (wire, message) => {
    expect(() => decode(plain, 0, fromHex(wire))).toThrow(`Plain v0: ${message}`)
  })

  test.each([
    ['00 00', 'text: null string (at byte 1)'],
    ['ffffffff7f', 'text: varint is longer than 32 bits (at byte 5)'],
    ['8080808080 01', 'text: varint is longer than 32 bits (at byte 5)'],
    ['ff', 'text: ends inside a varint (at byte 1)'],
    ['ffffffff0f', 'text: string length 4294967294 (at byte 5)'],
  ])('the compact bytes %s are malformed', (wire, message) => {
    const strict = data('Strict', FLEXIBLE, { text: string('0+') })
    expect(() => decode(strict, 0, fromHex(wire))).toThrow(`Strict v0: ${message}`)
  })

  test('a string is at most 32767 bytes long, on both sides', () => {
    expect(() => encode(plain, 0, { text: 'x'.repeat(32768) })).toThrow('string of 32768 bytes')
    const wire = Buffer.concat([fromHex('818002'), Buffer.alloc(32768)])
    expect(() => decode(compact, 0, wire)).toThrow('string length 32768')
  })

  test('byte fields are views of what was read', () => {
    const wire = fromHex('0000 00000002 0102 00000000')
    const { raw } = decode(plain, 0, wire)
    expect(raw).toEqual(Uint8Array.of(1, 2))
    expect(raw!.buffer).toBe(wire.buffer)
  })

  test('the path of an error leads to the element', () => {
    const wire = encode(produceRequest, 3, {
      topicData: [{ name: 'a', partitionData: [{ index: 0, records: Uint8Array.of(1, 2, 3) }] }],
    })
    expect(() => decode(produceRequest, 3, wire.subarray(0, wire.length - 1))).toThrow(
      'ProduceRequest v3: topicData[0].partitionData[0].records: needs 3 bytes, 2 left',
    )
    expect(() => encode(produceRequest, 3, { topicData: [{ partitionData: [{}, { index: 2 ** 40 }] }] })).toThrow(
      'topicData[0].partitionData[1].index: expected an integer from -2147483648 to 2147483647, got 1099511627776',
    )
  })

  test.each([
    ['structs', limits.messageElementsMax / 8, array('0+', { list: array('0+', 'int8') }), [1, 0]],
    ['strings', limits.messageElementsMax, array('0+', 'string'), [1]],
  ])('a frame of minimal %s is bounded by their number', (_, elementsMax, list, element) => {
    const many = data('Many', FLEXIBLE, { list })
    const frameOf = (count: number) => {
      const writer = new ByteWriter(false)
      writer.unsignedVarint(count + 1)
      return Buffer.concat([writer.bytes(), Buffer.alloc(element.length * count, Buffer.from(element)), Buffer.of(0)])
    }
    expect(() => decode(many, 0, frameOf(elementsMax + 1))).toThrow('more than 8000000 array elements in one message')
    expect(decode(many, 0, frameOf(1000)).list.length).toBe(1000)
  })
})

describe('nullable structs', () => {
  test('stand behind a byte: 1, or -1 for null', () => {
    const message = describeTopicPartitionsRequest
    expect(hex(encode(message, 0, { responsePartitionLimit: 1, cursor: null }))).toBe('01' + '00000001' + 'ff' + '00')
    const cursor = { topicName: 't', partitionIndex: 2 }
    expect(hex(encode(message, 0, { responsePartitionLimit: 1, cursor }))).toBe(
      `01${'00000001'}${'01' + '0274' + '00000002' + '00'}00`,
    )
  })
})

describe('nullable structs that are tagged', () => {
  test('stand behind a varint: 1, or 0 for null (bytes from the Java client)', () => {
    const message = consumerGroupMemberMetadataValue
    const given = { instanceId: '', rackId: '', subscribedTopicRegex: '', serverAssignor: '' }
    const plain = '010101010101ffffffff01'
    expect(hex(encode(message, 0, { ...given, classicMemberMetadata: null }))).toBe(`${plain}01000100`)
    const classicMemberMetadata = { sessionTimeoutMs: 5 }
    expect(hex(encode(message, 0, { ...given, classicMemberMetadata }))).toBe(`${plain}01000701000000050100`)
    expect(decode(message, 0, fromHex(`${plain}01000100`)).classicMemberMetadata).toBe(null)
  })
})

describe('tagged fields', () => {
  const message = data('Tagged', FLEXIBLE, {
    plain: int8('0+'),
    ten: int32('0+', { tag: 10, default: -1 }),
    five: string('0+', { tag: 5 }),
    maybe: array('0+', 'int8', { tag: 7, nullable: '0+' }),
    inner: struct('0+', { value: int8('0+', { default: 3 }) }, { tag: 2 }),
  })
  const defaults = { plain: 1, ten: -1, five: '', maybe: [], inner: { value: 3 } }

  test('that have their default are not written', () => {
    expect(hex(encode(message, 0, defaults))).toBe('01' + '00')
    expect(decode(message, 0, fromHex('0100'))).toEqual(defaults)
  })

  test('are written by ascending tag, each behind its size', () => {
    const value = { plain: 1, ten: 1, five: 'x', maybe: null, inner: { value: 4 } }
    const wire = '01 | 04 | 02 02 0400 | 05 02 0278 | 07 01 00 | 0a 04 00000001'
    expect(hex(encode(message, 0, value))).toBe(wire.replaceAll(/[ |]/g, ''))
    expect(decode(message, 0, fromHex(wire))).toEqual(value)
  })

  test('that are larger than a one-byte size are written whole', () => {
    const five = 'y'.repeat(500)
    expect(decode(message, 0, encode(message, 0, { ...defaults, five })).five).toBe(five)
  })

  test('that the schema does not know are kept, and written back between those it knows', () => {
    const wire = fromHex('01 | 03 | 05 02 0278 | 06 01 aa | 0a 04 00000001')
    const value = decode(message, 0, wire, { unknownTags: 'keep' })
    expect(value.unknownTags).toEqual([{ tag: 6, bytes: Uint8Array.of(0xaa) }])
    expect(encode(message, 0, value)).toEqual(wire)
  })

  test('that the schema does not know are dropped unless asked for', () => {
    const value = decode(message, 0, fromHex('01 | 01 | 06 01 aa'))
    expect(value).toEqual(defaults)
  })

  test.each([
    ['01 | 02 | 05 02 0278 | 05 02 0279', 'tag 5 after tag 5'],
    ['01 | 02 | 0a 04 00000001 | 05 02 0278', 'tag 5 after tag 10'],
    ['01 | 01 | 05 03 0278', 'tag 5 needs 3 bytes, 2 left'],
    ['01 | 01 | 05 03 0278 00', 'five: 1 bytes left over in tag 5'],
    ['01 | 01 | 0a 02 00000001', 'ten: needs 4 bytes, 2 left'],
    ['01 | 7f | 05', 'count 127 needs more than the 1 bytes left'],
  ])('the bytes %s are malformed', (wire, message_) => {
    expect(() => decode(message, 0, fromHex(wire))).toThrow(message_)
  })

  test('an unknown tag that the schema knows cannot be written twice', () => {
    const unknownTags = [{ tag: 5, bytes: Uint8Array.of(1) }]
    expect(() => encode(message, 0, { ...defaults, five: 'x', unknownTags })).toThrow('tag 5 twice')
  })
})

describe('versions', () => {
  test('fields that were left out, and fields that the version lacks, have their default', () => {
    const wire = encode(fetchRequest, 4, { minBytes: 5 })
    expect(decode(fetchRequest, 4, wire)).toMatchObject({
      replicaId: -1,
      minBytes: 5,
      maxBytes: 0x7fffffff,
      rackId: '',
    })
    expect(decode(fetchRequest, 4, wire).sessionEpoch).toBe(-1)
  })

  test('an ignorable value that the version has no place for is dropped', () => {
    expect(encode(fetchRequest, 4, { rackId: 'r' })).toEqual(encode(fetchRequest, 4, {}))
  })

  test('a value that the version has no place for is refused unless it is the default', () => {
    expect(encode(heartbeatRequest, 0, { groupInstanceId: null })).toEqual(encode(heartbeatRequest, 0, {}))
    const attempt = () => encode(heartbeatRequest, 0, { groupInstanceId: 'i' })
    expect(attempt).toThrow('HeartbeatRequest v0: groupInstanceId: this version has no place for a value here')
    expect(attempt).toThrow(expect.objectContaining({ code: 'UNSUPPORTED_VERSION', path: 'groupInstanceId' }))
  })

  test('null where the version allows none is refused', () => {
    expect(() => encode(metadataRequest, 0, { topics: null })).toThrow('topics: expected an array, got null')
  })

  test('unknown tags cannot be written where there are no tags', () => {
    const unknownTags = [{ tag: 99, bytes: Uint8Array.of(1) }]
    expect(() => encode(heartbeatRequest, 0, { unknownTags })).toThrow('unknownTags: this version has no place')
  })

  test('a version outside the range is refused', () => {
    expect(() => codecOf(produceRequest, 2)).toThrow('ProduceRequest v2: only versions 3-13 are known')
    expect(() => decode(produceRequest, 14, Uint8Array.of())).toThrow(ProtocolError)
  })

  test('a codec is compiled once', () => {
    expect(codecOf(produceRequest, 9)).toBe(codecOf(produceRequest, 9))
  })

  test('arrays and structs of defaults are not shared between values', () => {
    const wire = encode(fetchResponse, 4, { responses: [{ partitions: [{}, {}] }] })
    const { partitions } = decode(fetchResponse, 4, wire).responses[0]!
    expect(partitions[0]!.currentLeader).toEqual({ leaderId: -1, leaderEpoch: -1 })
    expect(partitions[0]!.currentLeader).not.toBe(partitions[1]!.currentLeader)
  })
})

describe('the list of buffers', () => {
  const records = new Uint8Array(4096)

  test('refers to byte fields of 4 KiB and more', () => {
    const draft = (given: Uint8Array) => ({ topicData: [{ partitionData: [{ records: given }] }] })
    expect(encodeParts(produceRequest, 3, draft(records))).toContain(records)
    expect(encodeParts(produceRequest, 3, draft(records.subarray(1))).length).toBe(1)
  })

  test('keeps what was written before while other messages are written', () => {
    const first = encodeParts(heartbeatRequest, 4, { groupId: 'first', memberId: 'm' })
    const before = first.map(hex)
    for (let i = 0; i < 5000; i++) encodeParts(heartbeatRequest, 4, { groupId: `group-${i}`, memberId: 'another' })
    expect(first.map(hex)).toEqual(before)
  })

  test('is whole when a message outgrows the slab, before, between and after what it refers to', () => {
    const partitionData = Array.from({ length: 40 }, (_, index) => ({
      index,
      records: index % 10 === 0 ? records : new Uint8Array(4000).fill(index),
    }))
    const draft = { transactionalId: 'é'.repeat(5000), topicData: [{ name: 't'.repeat(20_000), partitionData }] }
    const parts = encodeParts(produceRequest, 9, draft)
    expect(parts.filter(part => part === records).length).toBe(4)
    const whole = Uint8Array.from(Buffer.concat(parts))
    expect(decode(produceRequest, 9, whole)).toMatchObject(draft)
    expect(encode(produceRequest, 9, draft)).toEqual(whole)
  })

  test('an error while writing leaves the next message whole', () => {
    const before = encode(heartbeatRequest, 0, { groupId: 'g' })
    expect(() => encode(heartbeatRequest, 0, { groupId: 'gggg', memberId: 5 as never })).toThrow(ProtocolError)
    expect(encode(heartbeatRequest, 0, { groupId: 'g' })).toEqual(before)
  })
})
