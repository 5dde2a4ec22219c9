import { describe, expect, it } from 'vitest'
import { defineActor, type Link } from './actor.ts'
import { simulate } from './simulated-host.ts'
import { actor, echoModule } from './suite/echo.actor.ts'
import { type EchoContract, echo } from './suite/echo.contract.ts'
import { hostSuite } from './suite/host.suite.ts'

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

  it('lets time pass also for who arms what is left of its time, however little that is', async () => {
    const world = simulate({ seed: 1 })
    await world.advance(30_000)
    const { clock } = world
    // At this time the next number is further away than the delay.
    const fired = new Promise<void>(resolve => void clock.after(1e-12, resolve))
    const armedAt = clock.monotonic()
    await world.run(() => fired)
    expect(clock.monotonic()).toBeGreaterThan(armedAt)
  })

  it('lets virtual time pass, and timers of actors with it', async () => {
    const world = simulate({ seed: 1 })
    const { address } = await world.run(() => world.spawn(actor, {}, { name: 'a' }))
    let done = false
    void world
      .link(echo, address)
      .ask('late', { ms: 1_000 })
      .then(() => {
        done = true
      })
    await world.advance(900)
    expect([done, Math.round(world.elapsedMs)]).toEqual([false, 900])
    await world.advance(200)
    expect(done).toBe(true)
  })

  it('settles when no message is under way, without waiting for timers', async () => {
    const world = simulate({ seed: 1 })
    const { address } = await world.run(() => world.spawn(actor, {}, { name: 'a' }))
    const link = world.link(echo, address)
    void link.ask('late', { ms: 10_000 })
    const reply = link.ask('echo', { n: 1 })
    await world.settle()
    expect(await reply).toMatchObject({ n: 1 })
    expect(world.elapsedMs).toBeLessThan(10)
  })

  it('does what is due on a paused lane after the pause', async () => {
    const world = simulate({ seed: 1 })
    const { address } = await world.run(() => world.spawn(actor, {}, { name: 'a' }))
    world.pause(address.lane, 500)
    await world.run(() => world.link(echo, address).ask('echo', { n: 1 }))
    expect(world.elapsedMs).toBeGreaterThanOrEqual(500)
  })

  it('does not fire a timer that another one cancelled first after a pause', async () => {
    const fired: string[] = []
    const alarm = defineActor<EchoContract, object>({
      ...actor,
      start: (context, input) => {
        context.clock.after(200, () => {
          fired.push('first')
          second.cancel()
        })
        const second = context.clock.after(300, () => fired.push('second'))
        return actor.start(context, input)
      },
    })
    const world = simulate({ seed: 1 })
    const { address } = await world.run(() => world.spawn(alarm, {}, { name: 'a' }))
    world.pause(address.lane, 500)
    await world.advance(1_000)
    expect(fired).toEqual(['first'])
  })

  it('keeps the order of a link when a pause is made longer while messages wait for its end', async () => {
    const world = simulate({ seed: 1 })
    const { address } = await world.run(() => world.spawn(actor, {}, { name: 'a' }))
    const link = world.link(echo, address)
    world.pause(address.lane, 100)
    link.tell('note', 1)
    await world.advance(50)
    world.pause(address.lane, 200)
    link.tell('note', 2)
    await world.advance(500)
    expect((await world.run(() => link.ask('told', {}))).notes).toEqual([1, 2])
  })

  it('reorders messages of different links, and never those of one', async () => {
    const orders = new Set<string>()
    for (let seed = 0; seed < 20; seed++) {
      const world = simulate({ seed })
      const { address } = await world.run(() => world.spawn(actor, {}, { name: 'a' }))
      const [first, second] = [world.link(echo, address), world.link(echo, address)]
      for (const n of [1, 2, 3]) first.tell('note', n)
      await world.advance(0.1)
      for (const n of [11, 12, 13]) second.tell('note', n)
      await world.settle()
      const { notes } = await world.run(() => first.ask('told', {}))
      expect(notes.filter(n => n < 10)).toEqual([1, 2, 3])
      expect(notes.filter(n => n > 10)).toEqual([11, 12, 13])
      orders.add(notes.join())
    }
    expect(orders.size).toBeGreaterThan(1)
  })

  it('catches what a real port would mangle: byte arrays that the contract does not list', async () => {
    const world = simulate({ seed: 1 })
    const { address } = await world.run(() => world.spawn(actor, {}, { name: 'a' }))
    const ask = world.link(echo, address).ask('echo', { n: new Uint8Array(10_000) as never })
    await expect(ask).rejects.toThrow(/not listed/)
  })

  it('survives any mixture of faults: every ask settles, every actor comes back', async () => {
    let failed = 0
    for (let seed = 0; seed < 30; seed++) failed += await surviveFaults(seed)
    expect(failed).toBeGreaterThan(100)
  })
})

/** Asks through faults until they end; returns how many asks failed. */
async function surviveFaults(seed: number): Promise<number> {
  const world = simulate({ seed, threads: 3, limits: { restartsMax: 10_000 } })
  const spawned = await world.run(() => Promise.all(['a', 'b', 'c', 'd'].map(name => world.spawn(actor, {}, { name }))))
  world.faults = { ...world.faults, close: 0.02, actorDeath: 0.02, laneDeath: 0.01, delayMaxMs: 5 }
  const outcome = (n: number): Promise<string> =>
    world
      .link(echo, spawned[n % 4]!.address)
      .ask('late', { ms: n % 50 })
      .then(
        () => 'answered',
        error => error.code,
      )
  const outcomes = await world.run(() => Promise.all(Array.from({ length: 300 }, (_, n) => outcome(n))))
  world.faults = { ...world.faults, close: 0, actorDeath: 0, laneDeath: 0 }
  await world.advance(60_000)
  for (const code of outcomes) expect(['answered', 'LINK_CLOSED', 'UNREACHABLE']).toContain(code)
  for (const { address } of spawned) {
    expect(await world.run(() => world.link(echo, address).ask('echo', { n: seed }))).toMatchObject({ n: seed })
  }
  await world.close()
  return outcomes.filter(code => code !== 'answered').length
}

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
