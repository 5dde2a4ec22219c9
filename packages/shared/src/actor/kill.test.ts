// Random deaths under write load. `ODRADEK_KILLS=2000` makes it the soak; `ODRADEK_SEED` repeats a run's choices.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { seededRandom } from '../base/random.ts'
import type { Spawned } from './actor.ts'
import { type ActorSystem, createActorSystem } from './actor-system.ts'
import { lmdbWriterModule } from './suite/lmdb-writer.actor.ts'
import { type LmdbWriterContract, lmdbWriter } from './suite/lmdb-writer.contract.ts'

const kills = Number(process.env.ODRADEK_KILLS ?? 100)
const seed = Number(process.env.ODRADEK_SEED ?? 7)

let dir = ''
afterEach(() => rmSync(dir, { recursive: true, force: true }))

/** Appends between two kills, so that a soak does not fill the disk. */
const APPENDS_PER_KILL = 60

/** Appends 0, 1, 2, ... to one writer through all its deaths; whether a number whose ask failed was stored is not known. */
class Load {
  readonly spawned: Spawned<LmdbWriterContract>
  readonly acknowledged: number[] = []
  readonly #system: ActorSystem
  #next = 0
  #stopped = false
  #allowed = 0
  #allow: () => void = () => {}
  #more!: Promise<void>
  #changed!: Promise<unknown>

  constructor(system: ActorSystem, spawned: Spawned<LmdbWriterContract>) {
    this.#system = system
    this.spawned = spawned
    this.allow(APPENDS_PER_KILL)
    this.#expectChange()
  }

  #expectChange(): void {
    this.#changed = new Promise(resolve => this.spawned.onChange(resolve))
  }

  async run(): Promise<void> {
    while (!this.#stopped) {
      const link = this.#system.link(lmdbWriter, this.spawned.address)
      const streams = Array.from({ length: 8 }, async () => {
        while (!this.#stopped && !link.isClosed) {
          while (this.#next >= this.#allowed) await this.#more
          const n = this.#next++
          const done = await link.ask('append', { n }).catch(() => null)
          if (done !== null) this.acknowledged.push(n)
        }
      })
      await Promise.all(streams)
      if (this.#stopped) return link.close()
      await this.#changed
      this.#expectChange()
    }
  }

  /** Lets so many more appends be asked. */
  allow(appends: number): void {
    this.#allowed = this.#next + appends
    this.#allow()
    this.#more = new Promise(resolve => {
      this.#allow = resolve
    })
  }

  stop(): void {
    this.#stopped = true
    this.allow(Number.POSITIVE_INFINITY)
  }

  /** Resolves when that many more appends were acknowledged. */
  async progress(count: number): Promise<void> {
    const goal = this.acknowledged.length + count
    while (this.acknowledged.length < goal) {
      // Asks that failed used some of it up.
      if (this.#next >= this.#allowed) this.allow(APPENDS_PER_KILL)
      await new Promise(resolve => setImmediate(resolve))
    }
  }
}

describe('random kills under write load', () => {
  it(`lose no acknowledged record in ${kills} deaths of actors and threads, and leave no thread behind`, async () => {
    dir = mkdtempSync(join(tmpdir(), 'odradek-kill-'))
    const random = seededRandom(seed)
    const system = createActorSystem({ threads: 3, seed, limits: { restartsMax: kills * 4, restartDelayMaxMs: 10 } })
    const loads: Load[] = []
    for (let n = 0; n < 4; n++) {
      const input = { path: join(dir, String(n)), valueBytes: [100, 1_000, 4_000, 16_000][n]! }
      loads.push(new Load(system, await system.spawn(lmdbWriterModule, input, { name: `writer-${n}` })))
    }
    const running = loads.map(load => load.run())
    for (let n = 0; n < kills; n++) {
      for (const each of loads) each.allow(APPENDS_PER_KILL)
      const load = loads[random.int(loads.length)]!
      await load.progress(random.int(20))
      if (random.int(2) === 0) await load.spawned.kill(`kill ${n}`)
      else await system.killLane(load.spawned.address.lane, `kill ${n}`)
    }
    for (const each of loads) each.allow(APPENDS_PER_KILL)
    for (const load of loads) await load.progress(1)
    for (const load of loads) load.stop()
    await Promise.all(running)
    for (const load of loads) {
      const { numbers } = await system.link(lmdbWriter, load.spawned.address).ask('all', {}, { deadlineMs: 300_000 })
      const stored = new Set(numbers)
      expect(load.acknowledged.filter(each => !stored.has(each))).toEqual([])
      expect(stored.size).toBe(numbers.length)
      expect(load.acknowledged.length).toBeGreaterThan(0)
    }
    await system.close()
    expect(process.getActiveResourcesInfo().filter(kind => kind === 'Worker' || kind === 'MessagePort')).toEqual([])
  }, 600_000)
})
