import { describe, expect, it } from 'vitest'
import type { Link } from './actor.ts'
import { actor, echoModule } from './echo.suite.actor.ts'
import { type EchoContract, echo } from './echo.suite.contract.ts'
import { hostSuite } from './host.suite.ts'
import { simulate } from './simulated-host.ts'

describe('the simulated host', () => {
  it('runs an actor and answers an ask', async () => {
    const world = simulate({ seed: 1 })
    const reply = await world.run(async () => {
      const spawned = await world.spawn(actor, {}, { name: 'a' })
      return world.link(echo, spawned.address).ask('echo', { n: 7 })
    })
    expect(reply).toEqual({ n: 7, lane: 1, incarnation: 1 })
  })

  it('loads a module by url while the world stands still', async () => {
    const world = simulate({ seed: 1 })
    await world.run(() => world.spawn(echoModule, {}, { name: 'a' }))
    expect(world.elapsedMs).toBeLessThan(1)
  })

  async function busyWorld(seed: number) {
    const world = simulate({ seed })
    await world.run(async () => {
      const links: Link<EchoContract>[] = []
      for (const name of ['a', 'b', 'c']) links.push(world.link(echo, (await world.spawn(actor, {}, { name })).address))
      await Promise.all(
        Array.from({ length: 200 }, (_, n) =>
          n % 7 === 0 ? links[n % 3]!.ask('late', { ms: n % 11 }) : links[n % 3]!.ask('echo', { n }),
        ),
      )
    })
    return { fingerprint: world.fingerprint, at: world.elapsedMs }
  }

  it('repeats a run exactly from its seed, and differs for another seed', async () => {
    const first = await busyWorld(42)
    expect(await busyWorld(42)).toEqual(first)
    expect((await busyWorld(43)).fingerprint).not.toBe(first.fingerprint)
  })

  it('names the seed when the work cannot finish', async () => {
    const world = simulate({ seed: 99 })
    await expect(world.run(() => new Promise(() => {}))).rejects.toThrow(/nothing is left.*seed 99/)
  })
})

hostSuite('the simulated host as a host', {
  lanes: 3,
  movesBuffers: true,
  make: limits => {
    const world = simulate({ seed: 20_240_101, threads: 3, limits })
    return {
      spawn: (input, options) => world.spawn(actor, input, options),
      link: address => world.link(echo, address),
      actors: () => world.actors(),
      killLane: async lane => world.killLane(lane),
      run: work => world.run(work),
      close: () => world.close(),
    }
  },
})
