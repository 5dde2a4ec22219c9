import { createServer } from 'node:net'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openSocket } from './open-socket.ts'
import { ReplyReader } from './reply-reader.ts'

const sized = (reply: Uint8Array) => {
  const size = Buffer.alloc(4)
  size.writeInt32BE(reply.length)
  return Buffer.concat([size, reply])
}
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

/** As a socket reads: no more than there is room for. */
function read(reader: ReplyReader, bytes: Uint8Array, reply: (frame: Uint8Array) => void): void {
  for (let at = 0; at < bytes.length; ) {
    const room = reader.room()
    const part = bytes.subarray(at, at + room.length)
    room.set(part)
    at += part.length
    reader.filled(part.length, reply)
  }
}

const replies = fc.array(
  fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 40 }),
    fc.uint8Array({ minLength: 1_000, maxLength: 9_000 }),
    fc.nat(255).map(byte => new Uint8Array(40_000).fill(byte)),
  ),
  { maxLength: 8 },
)
const cuts = fc.array(fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 30_000 })), { minLength: 1 })

test.each(['filled', 'push'] as const)(
  'finds the same replies however the stream is cut, each in a buffer of its own (%s)',
  how => {
    fc.assert(
      fc.property(replies, cuts, (sent, sizes) => {
        const stream = Buffer.concat(sent.map(sized))
        const reader = new ReplyReader(40_000)
        const found: Uint8Array[] = []
        for (let at = 0, turn = 0; at < stream.length; turn++) {
          const chunk = stream.subarray(at, at + sizes[turn % sizes.length]!)
          if (how === 'push') reader.push(chunk, frame => found.push(frame))
          else read(reader, chunk, frame => found.push(frame))
          at += chunk.length
        }
        expect(found.map(hex)).toEqual(sent.map(hex))
        for (const frame of found) expect(frame.byteLength).toBe(frame.buffer.byteLength)
      }),
      { seed: 1, numRuns: 200, endOnFailure: true },
    )
  },
)

test('a reply larger than the room that it gets at first is whole, and exact', () => {
  const reply = Buffer.alloc(9 * 2 ** 20 + 7, 'abcdefg')
  const reader = new ReplyReader(2 ** 31 - 1)
  const found: Uint8Array[] = []
  read(reader, Buffer.concat([sized(reply), sized(Buffer.from('next'))]), frame => found.push(frame))
  expect(found.length).toBe(2)
  expect(reply.equals(found[0]!)).toBe(true)
  expect(found[0]!.buffer.byteLength).toBe(reply.length)
  expect(Buffer.from(found[1]!).toString()).toBe('next')
})

test('of a gigabyte that was only declared, a few megabytes are made room for', () => {
  const reader = new ReplyReader(2 ** 31 - 1)
  read(reader, Buffer.from('7fffffff01', 'hex'), () => expect.unreachable())
  expect(reader.room().buffer.byteLength).toBeLessThanOrEqual(4 * 2 ** 20)
})

test.each([
  ['00000000', 'frame of 0 bytes, allowed are 1 to 100'],
  ['00000065', 'frame of 101 bytes, allowed are 1 to 100'],
  ['48545450', 'frame of 1213486160 bytes, allowed are 1 to 100 (this looks like HTTP)'],
])('refuses the size %s', (size, message) => {
  expect(() => new ReplyReader(100).push(Buffer.from(size, 'hex'), () => expect.unreachable())).toThrow(message)
})

test('a socket without TLS reads into the reader, and says when it ends', async () => {
  const reply = Buffer.alloc(300_000, 'abcdefg')
  const server = createServer(socket => socket.end(Buffer.concat([sized(reply), sized(Buffer.from('last'))])))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const reader = new ReplyReader(2 ** 20)
  const found: Uint8Array[] = []
  const socket = openSocket(
    { host: '127.0.0.1', port },
    {},
    {
      room: () => reader.room(),
      filled: bytes => reader.filled(bytes, frame => found.push(frame)),
    },
  )
  socket.on('data', () => expect.unreachable())
  await new Promise(resolve => socket.once('close', resolve))
  expect(reply.equals(found[0]!)).toBe(true)
  expect(Buffer.from(found[1]!).toString()).toBe('last')
  await new Promise(resolve => server.close(resolve))
})
