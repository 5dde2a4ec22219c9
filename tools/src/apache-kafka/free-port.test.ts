import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { type Random, systemRandom } from '@odradek/shared/base/random'
import { describe, expect, test } from 'vitest'
import { freePort } from './free-port.ts'

/** Draws this port first, then as chance has it. */
function drawingFirst(port: number): Random {
  const random = systemRandom()
  const draws = [port - 20_000]
  return { ...random, int: below => draws.shift() ?? random.int(below) }
}

describe('a free port', () => {
  test('is given once, though nobody listens there yet', async () => {
    const port = await freePort()
    expect(await freePort(drawingFirst(port))).not.toBe(port)
  })

  test('is none where somebody listens', async () => {
    const server = createServer()
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const { port } = server.address() as AddressInfo
    try {
      expect(await freePort(drawingFirst(port))).not.toBe(port)
    } finally {
      server.close()
    }
  })

  test('is none that the system gives by itself', async () => {
    const ports = await Promise.all(Array.from({ length: 50 }, () => freePort()))
    expect(new Set(ports).size).toBe(50)
    for (const port of ports) expect(port).toBeLessThan(32_768)
  })
})
