// How well a client is served while others attack: acknowledged single records, in windows that alternate between quiet and attacked. The attack is that of the
// hostile suite: mutated frames of real clients over connections that come and go, at a fixed rate.
import { connect } from 'node:net'
import { createProducer } from '@odradek/producer/create-producer'
import { type Random, seededRandom } from '@odradek/shared/base/random'
import { median } from '../bench/median.rules.ts'
import { capturedFrames, hostileBytes } from '../hostile/hostile-frames.ts'
import { Latencies } from '../load/latencies.ts'

const SENDS_PER_WINDOW = 300
const SEND_INTERVAL_MS = 5
const ATTACK_INTERVAL_MS = 20
/** Connections that are opened in each interval: 200 a second. */
const ATTACKERS = 4
const SEED = 20_260_101

export interface AttackFigures {
  /** Median of the windows' 99th percentiles, milliseconds. */
  readonly quietP99: number
  readonly attackedP99: number
}

export async function measureAttack(servers: string, topic: string, windows: number): Promise<AttackFigures> {
  await using producer = createProducer({ bootstrapServers: servers, lingerMs: 0 })
  const send = () => producer.send(topic, { value: 'x' })
  await window(send)
  const quiet: number[] = []
  const attacked: number[] = []
  const random = seededRandom(SEED)
  for (let index = 0; index < windows; index++) {
    quiet.push(await window(send))
    const stop = attack(servers, random)
    attacked.push(await window(send))
    stop()
  }
  return { quietP99: median(quiet), attackedP99: median(attacked) }
}

async function window(send: () => Promise<unknown>): Promise<number> {
  const latencies = new Latencies()
  for (let index = 0; index < SENDS_PER_WINDOW; index++) {
    const begun = performance.now()
    await send()
    latencies.record(performance.now() - begun)
    await new Promise(resolve => setTimeout(resolve, SEND_INTERVAL_MS))
  }
  return latencies.figures().p99
}

/** Attacks until the returned function is called. */
function attack(servers: string, random: Random): () => void {
  const frames = capturedFrames()
  const [host, port] = servers.split(':') as [string, string]
  const timer = setInterval(() => {
    for (let index = 0; index < ATTACKERS; index++) {
      const socket = connect({ host, port: Number(port) })
      socket.on('error', () => undefined).resume()
      for (let count = 1 + random.int(8); count > 0; count--) socket.write(hostileBytes(random, frames))
      setTimeout(() => socket.destroy(), ATTACK_INTERVAL_MS * 5)
    }
  }, ATTACK_INTERVAL_MS)
  return () => clearInterval(timer)
}
