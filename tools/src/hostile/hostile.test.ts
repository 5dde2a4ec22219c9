// A broker under clients that mean no good: it answers others meanwhile, forgets them when they are gone, and its memory stays flat.
import { connect, type Socket } from 'node:net'
import { type Broker, createBroker } from '@odradek/broker/create-broker'
import { createProducer } from '@odradek/producer/create-producer'
import { seededRandom } from '@odradek/shared/base/random'
import { createAdmin } from '@odradek/shared/client/admin'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { capturedFrames, hostileBytes } from './hostile-frames.ts'

const MIB = 1024 * 1024
/** What a process of this size may drift by itself: collected late, not lost. */
const DRIFT_BYTES_MAX = 96 * MIB

describe('a broker among hostile clients', () => {
  let broker: Broker
  beforeAll(async () => {
    broker = await createBroker({ storage: 'memory', topics: { t: 1 }, config: { autoCreateTopicsEnable: false } })
  })
  afterAll(() => broker?.close())

  /** What the listener says of itself; a thread that is too busy to say it in time is asked again. */
  const listener = async () => {
    for (;;) {
      const found = (await broker.actors()).find(({ address }) => address.kind === 'listener')
      const connections = found?.queues?.find(({ name }) => name === 'connections')
      if (connections)
        return { connections: connections.size, counters: found!.detail as { readonly [name: string]: number } }
    }
  }
  const until = async (holds: () => Promise<boolean>) => {
    while (!(await holds())) await new Promise(resolve => setTimeout(resolve, 20))
  }
  const open = () =>
    new Promise<Socket>((resolve, reject) => {
      const [host, port] = broker.bootstrapServers.split(':') as [string, string]
      const socket = connect({ host, port: Number(port) }, () => resolve(socket))
      socket.on('error', reject)
    })
  /** Opens, lets `use` do its worst, and forgets errors: the other side may close at any time. */
  const badClient = async (use: (socket: Socket) => void) => {
    const socket = await open()
    socket.on('error', () => undefined).resume()
    use(socket)
    return socket
  }
  /** What others need: a record is taken and the cluster answers. */
  const serves = async () => {
    await using producer = createProducer({ bootstrapServers: broker.bootstrapServers })
    const { offset } = await producer.send('t', { value: 'still here' })
    await using admin = createAdmin({ bootstrapServers: broker.bootstrapServers })
    const [end] = await admin.records.offsets([{ topic: 't', partition: 0 }], 'latest')
    return end!.offset! > offset - 1n
  }
  const alone = () => until(async () => (await listener()).connections === 0)
  /**
   * By how much the process has grown while `work` is done, before what it returns ends it. Done again, a few times, when that was too much: memory that is
   * collected late is not held each time. Counted from the beginning (what connections cost), or from each time anew (what leaks, grows each time).
   */
  const growthOf = async (
    work: () => Promise<() => Promise<void>>,
    from: 'the beginning' | 'each time',
    tooMuch: number,
  ) => {
    let before = process.memoryUsage().rss
    let growth = Number.POSITIVE_INFINITY
    for (let tries = 0; tries < 4 && growth >= tooMuch; tries++) {
      if (from === 'each time') before = process.memoryUsage().rss
      const end = await work()
      growth = process.memoryUsage().rss - before
      await end()
    }
    return growth
  }

  test('mutated frames of real clients crash nothing, leak nothing, and keep nobody from being served', async () => {
    const frames = capturedFrames()
    expect(frames.length).toBeGreaterThan(100)
    const seed = 20_260_101
    const random = seededRandom(seed)
    const round = async (clients: number) => {
      const sockets = await Promise.all(
        Array.from({ length: clients }, () =>
          badClient(socket => {
            for (let count = 1 + random.int(8); count > 0; count--) socket.write(hostileBytes(random, frames))
          }),
        ),
      )
      expect(await serves()).toBe(true)
      for (const socket of sockets) socket.destroy()
      await alone()
    }
    for (let index = 0; index < 5; index++) await round(50)
    const rounds = async () => {
      for (let index = 0; index < 20; index++) await round(50)
      return async () => undefined
    }
    expect(await growthOf(rounds, 'each time', DRIFT_BYTES_MAX)).toBeLessThan(DRIFT_BYTES_MAX)
    const { counters } = await listener()
    expect(counters.requests, `seed ${seed}`).toBeGreaterThan(1_000)
    expect(counters.malformed, `seed ${seed}`).toBeGreaterThan(100)
    expect((await broker.health()).ok).toBe(true)
  }, 300_000)

  test('two thousand idle connections are held, listed, and cost little', async () => {
    // Both ends live in this process.
    const tooMuch = 2_000 * 64 * 1024
    const held = async () => {
      const sockets: Socket[] = []
      for (let index = 0; index < 20; index++)
        sockets.push(...(await Promise.all(Array.from({ length: 100 }, () => badClient(() => undefined)))))
      await until(async () => (await listener()).connections === 2_000)
      expect(await serves()).toBe(true)
      return async () => {
        for (const socket of sockets) socket.destroy()
        await alone()
      }
    }
    expect(await growthOf(held, 'the beginning', tooMuch)).toBeLessThan(tooMuch)
    expect((await listener()).connections).toBe(0)
  })

  test('a storm of connections that come and go leaves nothing behind', async () => {
    const { counters: before } = await listener()
    for (let index = 0; index < 30; index++) {
      const sockets = await Promise.all(Array.from({ length: 50 }, () => badClient(socket => socket.write('\0'))))
      for (const [number, socket] of sockets.entries())
        if (number % 2) socket.resetAndDestroy()
        else socket.destroy()
    }
    await alone()
    const { counters } = await listener()
    expect(counters.accepted! - before.accepted!).toBeGreaterThanOrEqual(1_500)
    expect(await serves()).toBe(true)
  })

  test('requests that come byte by byte, or promise 100 MB and never send it, cost what was received', async () => {
    const promise = Buffer.alloc(4)
    promise.writeInt32BE(100 * MIB)
    const frames = capturedFrames()
    const pending = async () => {
      const sockets = await Promise.all(
        Array.from({ length: 200 }, (_, index) =>
          badClient(socket => {
            if (index % 2) socket.write(promise)
            else
              for (const byte of frames[index % frames.length]!.subarray(0, 20))
                socket.write(Uint8Array.of(byte & 0x0f))
          }),
        ),
      )
      expect(await serves()).toBe(true)
      return async () => {
        for (const socket of sockets) socket.destroy()
        await alone()
      }
    }
    expect(await growthOf(pending, 'the beginning', DRIFT_BYTES_MAX)).toBeLessThan(DRIFT_BYTES_MAX)
  })
})
