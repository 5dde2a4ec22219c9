import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CorruptRecordError } from '../corrupt-record-error.ts'
import { compress, decompress } from './compression.ts'
import { COMPRESSION_TYPES, compressionId, compressionTypeOf } from './compression-type.ts'

const MIB = 1024 * 1024
const CODECS = ['gzip', 'snappy', 'lz4', 'zstd'] as const

/** Text-like bytes: compressible, with literals and matches of many lengths. */
function textOf(size: number): Uint8Array {
  const words = Array.from({ length: 97 }, (_, index) => `word-${(index * 7919) % 1009}`)
  let text = ''
  for (let index = 0; text.length < size; index++) text += `${words[(index * index) % 97]} ${index} `
  return new TextEncoder().encode(text.slice(0, size))
}

function refusal(act: () => unknown): string {
  try {
    act()
  } catch (error) {
    if (error instanceof CorruptRecordError) return error.kafkaName
    throw error
  }
  return 'no refusal'
}

test('ids are those of batch attributes, and 5 to 7 name nothing', () => {
  expect(COMPRESSION_TYPES.map(compressionId)).toEqual([0, 1, 2, 3, 4])
  expect([0, 1, 2, 3, 4, 5, 6, 7].map(compressionTypeOf)).toEqual([
    ...COMPRESSION_TYPES,
    undefined,
    undefined,
    undefined,
  ])
})

test('none hands back the same bytes, within the cap', () => {
  const bytes = textOf(100)
  expect(compress('none', bytes)).toBe(bytes)
  expect(decompress('none', bytes, 100)).toBe(bytes)
  expect(refusal(() => decompress('none', bytes, 99))).toBe('MESSAGE_TOO_LARGE')
})

describe.each(CODECS)('%s', codec => {
  test.each([0, 1, 13, 65_535, 65_536, 65_537, 300_000])('%d text-like bytes come back', size => {
    const bytes = textOf(size)
    const compressed = compress(codec, bytes)
    expect(Buffer.compare(decompress(codec, compressed, size), bytes)).toBe(0)
  })

  test('any bytes come back, and results are own exact buffers', () => {
    const anyBytes = fc.oneof(
      fc.uint8Array({ maxLength: 5000 }),
      fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 9 }), fc.nat(3000)).map(([unit, times]) => {
        return new Uint8Array(Buffer.alloc(unit.length * times, unit))
      }),
    )
    fc.assert(
      fc.property(anyBytes, given => {
        const bytes = new Uint8Array(given)
        const compressed = compress(codec, bytes)
        const back = decompress(codec, compressed, bytes.length)
        expect(back).toEqual(bytes)
        expect(compressed.byteLength).toBe(compressed.buffer.byteLength)
        expect(back.byteLength).toBe(back.buffer.byteLength)
      }),
      { numRuns: 60 },
    )
  })

  test('one byte over the cap is refused, wherever the cap is', () => {
    expect(refusal(() => decompress(codec, compress(codec, textOf(1)), 0))).toBe('MESSAGE_TOO_LARGE')
    for (const size of [2, 1000, 65_536, 65_537, 200_000]) {
      const compressed = compress(codec, textOf(size))
      expect(refusal(() => decompress(codec, compressed, size - 1))).toBe('MESSAGE_TOO_LARGE')
      expect(refusal(() => decompress(codec, compressed, 1))).toBe('MESSAGE_TOO_LARGE')
      expect(refusal(() => decompress(codec, compressed, 0))).toBe('MESSAGE_TOO_LARGE')
    }
  })

  test('data cut off anywhere is refused', () => {
    const compressed = compress(codec, textOf(400))
    for (let cut = 0; cut < compressed.length; cut++) {
      // A framed snappy header alone says "no bytes", as in Java: the record count is what misses them then.
      if (codec === 'snappy' && cut === 16) continue
      expect(refusal(() => decompress(codec, compressed.subarray(0, cut), MIB))).toBe('CORRUPT_MESSAGE')
    }
  })

  test('mutated data is refused or decompresses within the cap, and never anything else', () => {
    const cap = 100_000
    const compressed = compress(codec, textOf(70_000))
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(compressed.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }),
        edits => {
          const mutated = new Uint8Array(compressed)
          for (const [at, byte] of edits) mutated[at] = byte
          try {
            expect(decompress(codec, mutated, cap).length).toBeLessThanOrEqual(cap)
          } catch (error) {
            expect(error).toBeInstanceOf(CorruptRecordError)
          }
        },
      ),
      { numRuns: 300 },
    )
  })

  test('noise is refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), bytes => {
        try {
          expect(decompress(codec, bytes, MIB).length).toBeLessThanOrEqual(300 * 255)
        } catch (error) {
          expect(error).toBeInstanceOf(CorruptRecordError)
        }
      }),
    )
  })
})

describe('bombs', () => {
  const CAP = MIB
  const ROUNDS = 8

  // Bytes outside the JavaScript heap, garbage included: what is asserted holds even if nothing is ever collected.
  const externalBytes = () => process.memoryUsage().external

  test.each(CODECS)('%s: 64 MiB of one byte are refused at a cost of a few times the cap', codec => {
    const bomb = compress(codec, new Uint8Array(64 * MIB))
    const before = externalBytes()
    for (let round = 0; round < ROUNDS; round++) {
      expect(refusal(() => decompress(codec, bomb, CAP))).toBe('MESSAGE_TOO_LARGE')
    }
    expect(externalBytes() - before).toBeLessThan(ROUNDS * 4 * CAP)
  })

  test('zstd: a chain of repeated-byte blocks without a content size is refused at the cap', () => {
    const frame = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58]
    for (let block = 1; block <= 10_000; block++) {
      const header = (128 * 1024 * 8) | 2 | (block === 10_000 ? 1 : 0)
      frame.push(header & 0xff, (header >> 8) & 0xff, header >> 16, 0x41)
    }
    expect(refusal(() => decompress('zstd', Uint8Array.from(frame), CAP))).toBe('MESSAGE_TOO_LARGE')
  })

  test('zstd: a declared size that its blocks cannot hold is refused', () => {
    const empty = [0x01, 0x00, 0x00]
    const declared = [0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0x00, 0x00, 0x00, 0x30, ...empty]
    expect(refusal(() => decompress('zstd', Uint8Array.from(declared), 2 ** 31))).toBe('CORRUPT_MESSAGE')
  })

  test('snappy: a declared length that its elements cannot hold is refused', () => {
    const declared = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x07, 0x00, 0x41)
    expect(refusal(() => decompress('snappy', declared, 2 ** 31))).toBe('CORRUPT_MESSAGE')
  })
})

describe('frames of other compressors', () => {
  const frames: Record<string, string> = JSON.parse(
    readFileSync(new URL('../fixtures/foreign-frames.json', import.meta.url), 'utf8'),
  )
  const lines = Array.from({ length: 3000 }, (_, index) => `line ${index % 7} of a text that repeats itself\n`)
  const text = new TextEncoder().encode(lines.join(''))

  test.each(Object.entries(frames))('%s: all of it, up to the cap and not past it', (name, base64) => {
    const codec = name.startsWith('lz4') ? 'lz4' : 'zstd'
    const compressed = new Uint8Array(Buffer.from(base64, 'base64'))
    for (const cap of [text.length, MIB]) {
      expect(Buffer.compare(decompress(codec, compressed, cap), text)).toBe(0)
    }
    expect(refusal(() => decompress(codec, compressed, text.length - 1))).toBe('MESSAGE_TOO_LARGE')
    expect(refusal(() => decompress(codec, compressed.subarray(0, -1), MIB))).toBe('CORRUPT_MESSAGE')
  })

  test('a damaged lz4 checksum is noticed', () => {
    const checked = Object.keys(frames).filter(name => name.includes('content checksum'))
    expect(checked).toHaveLength(2)
    for (const name of checked) {
      const compressed = new Uint8Array(Buffer.from(frames[name], 'base64'))
      compressed[compressed.length - 1] ^= 1
      expect(refusal(() => decompress('lz4', compressed, MIB))).toBe('CORRUPT_MESSAGE')
    }
  })
})
