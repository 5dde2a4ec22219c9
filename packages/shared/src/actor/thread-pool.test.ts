// Several systems in one process share its threads.
/// <reference lib="es2024.sharedmemory" />
import { afterEach, describe, expect, it } from 'vitest'
import type { Address, Spawned } from './actor.ts'
import { type ActorSystem, type ActorSystemOptions, createActorSystem } from './actor-system.ts'
import { echoModule } from './suite/echo.actor.ts'
import { type EchoContract, echo } from './suite/echo.contract.ts'

const systems: ActorSystem[] = []
afterEach(async () => {
  await Promise.all(systems.splice(0).map(system => system.close()))
})

/** A system with one actor. */
async function withActor(name: string, options: ActorSystemOptions = {}) {
  const system = createActorSystem({ name, threads: 3, ...options })
  systems.push(system)
  const spawned = await system.spawn(echoModule, {}, { name })
  return { system, spawned, link: system.link(echo, spawned.address) }
}

async function threadOf(system: ActorSystem, name: string): Promise<number | null> {
  return (await system.actors()).find(({ address }) => address.name === name)!.thread
}

const nextAddress = (spawned: Spawned<EchoContract>) =>
  new Promise<Address<EchoContract> | null>(resolve => spawned.onChange(resolve))

describe('systems of one process', () => {
  it('start on a thread that runs already, and spread over threads of their own from there', async () => {
    const first = await withActor('first')
    const second = await withActor('second')
    await second.system.spawn(echoModule, {}, { name: 'third' })
    const [one, two, three] = [
      await threadOf(first.system, 'first'),
      await threadOf(second.system, 'second'),
      await threadOf(second.system, 'third'),
    ]
    expect(two).toBe(one)
    expect(three).not.toBe(one)
    expect(await second.link.ask('echo', { n: 2 })).toMatchObject({ n: 2 })
  })

  it('leave the threads of others running when they close', async () => {
    const first = await withActor('first')
    const second = await withActor('second')
    const thread = await threadOf(second.system, 'second')
    await first.system.close()
    expect(await second.link.ask('echo', { n: 1 })).toMatchObject({ n: 1, incarnation: 1 })
    expect(await threadOf(second.system, 'second')).toBe(thread)
  })

  it('end their thread with its last lane: who comes later starts a new one', async () => {
    const first = await withActor('first')
    const thread = await threadOf(first.system, 'first')
    await Promise.all([first.system.close(), (await withActor('second')).system.close()])
    const third = await withActor('third')
    expect(await threadOf(third.system, 'third')).not.toBe(thread)
  })

  it('each restart what they ran on a thread that was ended', async () => {
    const first = await withActor('first')
    const second = await withActor('second')
    const restarted = [nextAddress(first.spawned), nextAddress(second.spawned)]
    const links = [first.link.closed, second.link.closed]
    await first.system.killLane(first.spawned.address.lane)
    expect(await Promise.all(restarted)).toMatchObject([{ incarnation: 2 }, { incarnation: 2 }])
    for (const reason of await Promise.all(links)) expect(reason).toContain('ended')
    const again = second.system.link(echo, second.spawned.address)
    expect(await again.ask('echo', { n: 3 })).toMatchObject({ n: 3, incarnation: 2 })
  })

  it('each restart what they ran on a thread that died of a throw in one of them', async () => {
    const first = await withActor('first')
    const second = await withActor('second')
    const restarted = [nextAddress(first.spawned), nextAddress(second.spawned)]
    first.link.tell('crash', 'a bug in a callback')
    expect(await Promise.all(restarted)).toMatchObject([{ incarnation: 2 }, { incarnation: 2 }])
  })

  it('survive that one of them has an actor which no longer responds', async () => {
    const first = await withActor('first', { limits: { closeDeadlineMs: 50 } })
    const second = await withActor('second')
    const restarted = nextAddress(second.spawned)
    const word = new Int32Array(new SharedArrayBuffer(4))
    first.link.tell('block', word)
    await Atomics.waitAsync(word, 0, 0).value
    await first.system.close()
    expect(await restarted).toMatchObject({ incarnation: 2 })
  })
})
