// Makes frames that no client would send out of frames that clients did send: flipped bits, cut ends, grown lengths, spliced halves, plain noise. Seeded: a
// failing seed is a bug report.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Random } from '@odradek/shared/base/random'

const FIXTURES = new URL('../../../packages/shared/src/protocol/fixtures/', import.meta.url)
const CAPTURES = ['java-kafka-clients-4.3.1', 'librdkafka-2.16.0', 'kafkajs-2.2.4', 'platformatic-kafka-1.35.0']

/** Frames without their size, as real clients sent them. */
export function capturedFrames(): readonly Uint8Array[] {
  return CAPTURES.flatMap(name => {
    const lines = readFileSync(fileURLToPath(new URL(`${name}.hex`, FIXTURES)), 'utf8')
      .trim()
      .split('\n')
    return lines
      .filter(line => !line.startsWith('#'))
      .map(line => new Uint8Array(Buffer.from(line.split(' ')[2]!, 'hex')))
  })
}

const NOISE_BYTES_MAX = 512
/** Values that counts and lengths are most likely to be wrong about. */
const EDGES = [0x00, 0x01, 0x7f, 0x80, 0xff]

type Mutation = (frame: Uint8Array, random: Random, frames: readonly Uint8Array[]) => Uint8Array

const mutations: readonly Mutation[] = [
  function flipBits(frame, random) {
    const mutated = new Uint8Array(frame)
    for (let times = 1 + random.int(4); times > 0; times--) mutated[random.int(mutated.length)]! ^= 1 << random.int(8)
    return mutated
  },
  function setEdges(frame, random) {
    const mutated = new Uint8Array(frame)
    const at = random.int(mutated.length)
    mutated.fill(EDGES[random.int(EDGES.length)]!, at, at + 1 + random.int(5))
    return mutated
  },
  function cutEnd(frame, random) {
    return frame.slice(0, 1 + random.int(frame.length))
  },
  function growEnd(frame, random) {
    return Buffer.concat([frame, noise(random)])
  },
  function splice(frame, random, frames) {
    const other = frames[random.int(frames.length)]!
    return Buffer.concat([frame.subarray(0, 1 + random.int(frame.length)), other.subarray(random.int(other.length))])
  },
  function anotherVersion(frame, random) {
    const mutated = new Uint8Array(frame)
    mutated[3] = random.int(20)
    return mutated
  },
  function onlyNoise(_frame, random) {
    return noise(random)
  },
]

function noise(random: Random): Uint8Array {
  return Uint8Array.from({ length: 1 + random.int(NOISE_BYTES_MAX) }, () => random.int(256))
}

/** The next bytes to send: mostly a whole mutated frame with its true size, sometimes a false size, sometimes no frame at all. */
export function hostileBytes(random: Random, frames: readonly Uint8Array[]): Uint8Array {
  const frame = frames[random.int(frames.length)]!
  const mutated = mutations[random.int(mutations.length)]!(frame, random, frames)
  if (random.int(20) === 0) return mutated
  const sized = Buffer.alloc(4 + mutated.byteLength)
  sized.writeInt32BE(random.int(20) === 0 ? random.int(2 ** 31) - 2 ** 30 : mutated.byteLength)
  sized.set(mutated, 4)
  return sized
}
