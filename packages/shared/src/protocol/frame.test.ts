// Headers and frames by hand-computed bytes, and the frame splitter under every way of cutting a stream.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { apiTable } from './api-table.ts'
import {
  decodeRequest,
  decodeResponse,
  encodeRequest,
  encodeResponse,
  peekCorrelationId,
  peekRequestHeader,
  requestHeaderVersion,
  responseHeaderVersion,
} from './frame.ts'
import { FrameSplitter } from './frame-splitter.ts'
import { fetchResponse } from './messages/01-fetch.ts'
import { metadataRequest } from './messages/03-metadata.ts'
import { heartbeatResponse } from './messages/12-heartbeat.ts'
import { apiVersionsRequest, apiVersionsResponse } from './messages/18-api-versions.ts'
import { ProtocolError } from './protocol-error.ts'

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'))
const hexOf = (parts: Uint8Array[]): string => Buffer.concat(parts).toString('hex')

describe('headers', () => {
  test('a request of a version that is not flexible has header v1', () => {
    const frame = encodeRequest(metadataRequest, 1, { correlationId: 7, clientId: 'me' }, { topics: [{ name: 't' }] })
    //          size       | key   | version | correlation | client id      | topics: count, name
    expect(hexOf(frame)).toBe('00000013' + '0003' + '0001' + '00000007' + '0002' + '6d65' + '00000001' + '0001' + '74')
  })

  test('a request of a flexible version has header v2, whose client id is not compact', () => {
    const frame = encodeRequest(
      apiVersionsRequest,
      3,
      { correlationId: 1, clientId: null },
      { clientSoftwareName: 'x' },
    )
    //          size       | key   | version | correlation | null    | tags | name        | version | tags
    expect(hexOf(frame)).toBe('0000000f' + '0012' + '0003' + '00000001' + 'ffff' + '00' + '0278' + '01' + '00')
  })

  test('a flexible response has tags after its correlation id', () => {
    const frame = encodeResponse(heartbeatResponse, 4, 9, { throttleTimeMs: 1, errorCode: 27 })
    //          size       | correlation | tags | throttle   | error | tags
    expect(hexOf(frame)).toBe('0000000c' + '00000009' + '00' + '00000001' + '001b' + '00')
    expect(decodeResponse(heartbeatResponse, 4, Buffer.concat(frame).subarray(4))).toEqual({
      throttleTimeMs: 1,
      errorCode: 27,
    })
  })

  test('ApiVersions is answered with header v0 in every version', () => {
    expect([0, 3, 4, 99].map(version => responseHeaderVersion(18, version))).toEqual([0, 0, 0, 0])
    const frame = encodeResponse(apiVersionsResponse, 3, 9, { errorCode: 35 })
    //          size       | correlation | error | no keys | throttle  | tags
    expect(hexOf(frame)).toBe('0000000c' + '00000009' + '0023' + '01' + '00000000' + '00')
  })

  test('ControlledShutdown v0 is the only request without a client id', () => {
    expect(requestHeaderVersion(7, 0)).toBe(0)
    expect(requestHeaderVersion(7, 1)).toBe(1)
    expect(peekRequestHeader(bytes('0007' + '0000' + '00000005' + '00000001'))).toEqual({
      apiKey: 7,
      apiVersion: 0,
      correlationId: 5,
      clientId: null,
      bodyOffset: 8,
    })
  })

  test('the header of an API or version that nobody knows can still be read', () => {
    const header = peekRequestHeader(bytes('03e7' + '0005' + '0000002a' + '0002' + '6d65' + 'ffffff'))
    expect(header).toEqual({ apiKey: 999, apiVersion: 5, correlationId: 42, clientId: 'me', bodyOffset: 12 })
    expect(peekRequestHeader(bytes('0012' + '0063' + '00000001' + 'ffff' + '00')).clientId).toBe(null)
  })

  test('a header cut off at any byte is malformed', () => {
    const whole = bytes('0012' + '0003' + '00000001' + '0002' + '6d65' + '00')
    expect(peekRequestHeader(whole).bodyOffset).toBe(whole.length)
    for (let length = 0; length < whole.length; length++) {
      expect(() => peekRequestHeader(whole.subarray(0, length))).toThrow(ProtocolError)
    }
  })

  test('a body is read from where its header ends', () => {
    const frame = Buffer.concat(
      encodeRequest(metadataRequest, 12, { correlationId: 3, clientId: 'c' }, { topics: null }),
    ).subarray(4)
    const header = peekRequestHeader(frame)
    expect(decodeRequest(metadataRequest, header, frame).topics).toBe(null)
    expect(peekCorrelationId(frame.subarray(4))).toBe(3)
  })
})

describe('bytes that nobody vouches for', () => {
  test('are read or refused with a ProtocolError, whatever they are', async () => {
    const requests = await Promise.all(apiTable.filter(api => api.known).map(async api => (await api.load()).request))
    const frame = fc.uint8Array({ maxLength: 300 })
    let refused = 0
    fc.assert(
      fc.property(fc.constantFrom(...requests), fc.nat(20), frame, (request, version, body) => {
        const start = Uint8Array.of(0, request.apiKey!, 0, version, 0, 0, 0, 1, 0xff, 0xff)
        const whole = Uint8Array.from([...start, ...body])
        try {
          decodeRequest(request, peekRequestHeader(whole), whole)
        } catch (cause) {
          expect(cause).toBeInstanceOf(ProtocolError)
          refused++
        }
      }),
      { numRuns: 2000, seed: 1 },
    )
    expect(refused).toBeGreaterThan(1000)
  })
})

describe('a response with records', () => {
  const records = new Uint8Array(5000).fill(7)
  const partition = (partitionIndex: number, given: Uint8Array) => ({ partitionIndex, records: given })
  const value = {
    responses: [
      { topic: 't', partitions: [partition(0, records), partition(1, Uint8Array.of(1)), partition(2, records)] },
    ],
  }

  test('refers to large records instead of copying them', () => {
    const parts = encodeResponse(fetchResponse, 12, 1, value)
    expect(parts.filter(part => part === records).length).toBe(2)
    expect(parts.length).toBe(5)
  })

  test('has a size that counts what is referred to', () => {
    const frame = Buffer.concat(encodeResponse(fetchResponse, 12, 1, value))
    expect(frame.readInt32BE(0)).toBe(frame.length - 4)
    const read = decodeResponse(fetchResponse, 12, frame.subarray(4))
    expect(read.responses[0]!.partitions.map(one => one.records!.length)).toEqual([5000, 1, 5000])
  })
})

describe('the frame splitter', () => {
  const framed = (frames: readonly Uint8Array[]): Buffer =>
    Buffer.concat(
      frames.flatMap(frame => {
        const size = Buffer.alloc(4)
        size.writeInt32BE(frame.length)
        return [size, frame]
      }),
    )
  const drain = (splitter: FrameSplitter): Uint8Array[] => {
    const frames: Uint8Array[] = []
    for (let frame = splitter.next(); frame !== undefined; frame = splitter.next()) frames.push(frame)
    return frames
  }

  test('finds the same frames however the stream is cut', () => {
    const frame = fc.uint8Array({ minLength: 1, maxLength: 3000 })
    const cuts = fc.array(fc.integer({ min: 1, max: 1500 }), { minLength: 1 })
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 8 }), cuts, (frames, sizes) => {
        const stream = framed(frames)
        const splitter = new FrameSplitter({ frameBytesMax: 3000 })
        const found: Uint8Array[] = []
        let turn = 0
        for (let at = 0; at < stream.length; turn++) {
          const size = sizes[turn % sizes.length]!
          splitter.push(Uint8Array.from(stream.subarray(at, at + size)))
          at += size
          // Every third chunk waits, so that frames are also taken from several chunks at once.
          if (turn % 3 !== 0) found.push(...drain(splitter))
        }
        found.push(...drain(splitter))
        expect(found.map(one => Buffer.from(one).toString('hex'))).toEqual(
          frames.map(one => Buffer.from(one).toString('hex')),
        )
        expect(splitter.bufferedBytes).toBe(0)
      }),
      { seed: 1 },
    )
  })

  test('finds the same frames in chunks that are only lent, however the stream is cut and whenever frames are taken', () => {
    const frame = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 40 }),
      fc.uint8Array({ minLength: 1500, maxLength: 9000 }),
    )
    const cuts = fc.array(fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 6000 })), { minLength: 1 })
    const pauses = fc.array(fc.boolean(), { minLength: 1 })
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 8 }), cuts, pauses, (frames, sizes, taken) => {
        const stream = framed(frames)
        const splitter = new FrameSplitter({ frameBytesMax: 9000 })
        const room = new Uint8Array(6000)
        const found: Uint8Array[] = []
        for (let at = 0, turn = 0; at < stream.length; turn++) {
          const chunk = stream.subarray(at, at + sizes[turn % sizes.length]!)
          room.set(chunk)
          splitter.pushLent(room.subarray(0, chunk.length))
          at += chunk.length
          if (taken[turn % taken.length]) {
            for (const one of drain(splitter)) found.push(splitter.isLentChunk(one) ? one.slice() : one)
          }
          splitter.keepRest()
          room.fill(0xee)
        }
        found.push(...drain(splitter))
        expect(found.map(one => Buffer.from(one).toString('hex'))).toEqual(
          frames.map(one => Buffer.from(one).toString('hex')),
        )
        expect(splitter.bufferedBytes).toBe(0)
      }),
      { seed: 1, numRuns: 300, endOnFailure: true },
    )
  })

  test('room for a frame in lent chunks follows the bytes that came, not the size that was declared', () => {
    const splitter = new FrameSplitter({ frameBytesMax: 2 ** 31 - 1 })
    const before = process.memoryUsage().arrayBuffers
    const splitters = Array.from({ length: 200 }, () => new FrameSplitter({ frameBytesMax: 2 ** 31 - 1 }))
    for (const one of [splitter, ...splitters]) {
      one.pushLent(bytes('7fffffff' + '01'))
      expect(one.next()).toBe(undefined)
      one.keepRest()
      expect(one.bufferedBytes).toBe(1)
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(200 * 8192)
  })

  test('hands out a view of a frame that lies in one chunk, and an own buffer of one that does not', () => {
    const splitter = new FrameSplitter({ frameBytesMax: 2000 })
    const stream = Uint8Array.from(framed([new Uint8Array(1000).fill(1), new Uint8Array(1000).fill(2)]))
    const [first, second] = [stream.slice(0, 1500), stream.slice(1500)]
    splitter.push(first)
    expect(splitter.next()!.buffer).toBe(first.buffer)
    expect(splitter.next()).toBe(undefined)
    splitter.push(second)
    const frame = splitter.next()!
    expect(frame).toEqual(Buffer.alloc(1000, 2))
    expect(frame.buffer.byteLength).toBe(1000)
  })

  test('allocates nothing for a size that was only declared', () => {
    const splitter = new FrameSplitter({ frameBytesMax: 2 ** 31 - 1 })
    splitter.push(bytes('7fffffff' + '01'))
    expect(splitter.next()).toBe(undefined)
    expect(splitter.bufferedBytes).toBe(1)
  })

  test.each([
    ['00000000', 'frame of 0 bytes, allowed are 1 to 100'],
    ['ffffffff', 'frame of -1 bytes, allowed are 1 to 100'],
    ['00000065', 'frame of 101 bytes, allowed are 1 to 100'],
    ['16030100', 'frame of 369295616 bytes, allowed are 1 to 100 (this looks like a TLS hello)'],
    ['47455420', 'frame of 1195725856 bytes, allowed are 1 to 100 (this looks like HTTP)'],
  ])('refuses the size %s, now and later', (size, message) => {
    const splitter = new FrameSplitter({ frameBytesMax: 100 })
    splitter.push(bytes(size))
    expect(() => splitter.next()).toThrow(message)
    splitter.push(Uint8Array.from(framed([Uint8Array.of(1)])))
    expect(() => splitter.next()).toThrow(message)
  })
})

describe('bytes after the end of a request', () => {
  // librdkafka 2.16.1, all topics: its null array has four bytes where the flexible version has one (librdkafka #5049).
  const frame = bytes('0003000d00000003000772646b61666b610000000000010000')
  const header = peekRequestHeader(frame)

  test('are malformed where nobody wants to hear of them', () => {
    expect(() => decodeRequest(metadataRequest, header, frame)).toThrow('3 bytes left over')
  })

  test('are passed over, and counted, where Kafka passes over them', () => {
    const leftOver: number[] = []
    const request = decodeRequest(metadataRequest, header, frame, { onLeftOver: size => leftOver.push(size) })
    expect(request).toMatchObject({ topics: null, allowAutoTopicCreation: false })
    expect(leftOver).toEqual([3])
  })
})
