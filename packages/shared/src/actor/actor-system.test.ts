/// <reference lib="es2024.sharedmemory" />
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { afterEach, describe, expect, it } from 'vitest'
import type { Address, Link } from './actor.ts'
import type { LogLine } from './actor-report.ts'
import { type ActorSystem, type ActorSystemOptions, createActorSystem } from './actor-system.ts'
import { builtUrl } from './built-url.ts'
import { echoModule } from './suite/echo.actor.ts'
import { type EchoContract, echo } from './suite/echo.contract.ts'
import { hostSuite, type SuiteOptions } from './suite/host.suite.ts'
import type { TraceEvent } from './trace.ts'

const threads =
  (count: number): SuiteOptions['make'] =>
  limits => {
    const system = createActorSystem({ threads: count, limits, seed: 1 })
    return {
      spawn: (input, options) => system.spawn(echoModule, input, options),
      link: address => system.link(echo, address),
      actors: () => system.actors(),
      killLane: lane => system.killLane(lane),
      run: work => work(),
      close: () => system.close(),
    }
  }

hostSuite('the thread host, three threads', { lanes: 3, movesBuffers: true, make: threads(3) })
hostSuite('the thread host, everything in the embedding thread', { lanes: 1, movesBuffers: false, make: threads(0) })

/** Blocks the actor's thread; resolves when it does. */
async function block(link: Link<EchoContract>): Promise<Int32Array> {
  const word = new Int32Array(new SharedArrayBuffer(4))
  link.tell('block', word)
  await Atomics.waitAsync(word, 0, 0).value
  return word
}

describe('an actor system', () => {
  let system: ActorSystem
  afterEach(() => system.close())
  const withEcho = async (options: ActorSystemOptions = {}) => {
    system = createActorSystem({ threads: 3, ...options })
    const spawned = await system.spawn(echoModule, {}, { name: 'echo' })
    return { spawned, link: system.link(echo, spawned.address) }
  }
  const nextAddress = (spawned: Awaited<ReturnType<typeof withEcho>>['spawned']) =>
    new Promise<Address<EchoContract> | null>(resolve => spawned.onChange(resolve))

  it('starts no thread before an actor needs one', async () => {
    system = createActorSystem()
    expect(process.getActiveResourcesInfo()).not.toContain('Worker')
    expect(await system.actors()).toEqual([])
  })

  it('restarts the actors of a thread that died of a throw outside of any handler', async () => {
    const { spawned, link } = await withEcho()
    const restarted = nextAddress(spawned)
    const before = (await system.actors())[0]!.thread
    link.tell('crash', 'a bug in a callback')
    expect((await restarted)?.incarnation).toBe(2)
    expect(await link.closed).toContain('ended')
    const after = (await system.actors())[0]!
    expect(after).toMatchObject({ state: 'Echoing', address: { lane: link.address.lane } })
    expect(after.thread).not.toBe(before)
  })

  it('gives one buffer that was said to two threads in one turn to both', async () => {
    const { link } = await withEcho()
    const second = system.link(echo, (await system.spawn(echoModule, {}, { name: 'second' })).address)
    const bytes = new Uint8Array(16_384).fill(1)
    const replies = await Promise.all([link, second].map(to => to.ask('bytes', { label: 'twice', bytes })))
    expect(replies.map(reply => reply.bufferBytes)).toEqual([16_384, 16_384])
  })

  it('fails only the ask whose message cannot cross, and sends the rest of its turn', async () => {
    const { link } = await withEcho()
    const asks = [link.ask('echo', { n: 1 }), link.ask('echo', { n: (() => {}) as never }), link.ask('echo', { n: 3 })]
    const [first, bad, third] = await Promise.allSettled(asks)
    expect([first, third]).toMatchObject([{ value: { n: 1 } }, { value: { n: 3 } }])
    expect(bad).toMatchObject({ reason: { code: 'FAILED', message: expect.stringContaining('cannot cross') } })
  })

  it('answers FAILED when a reply cannot cross', async () => {
    const { link } = await withEcho()
    link.tell('spoil', {})
    await expect(link.ask('echo', { n: 1 })).rejects.toMatchObject({ code: 'FAILED' })
    expect(await link.ask('peers', {})).toMatchObject({ open: 1 })
  })

  it('lets another thread of the application join: spawn, link, leave', async () => {
    const { spawned } = await withEcho()
    const door = system.door()
    const url = new URL(builtUrl(new URL('./suite/door-guest.worker.ts', import.meta.url).href))
    const guest = new Worker(url, { workerData: { door, address: spawned.address }, transferList: [door] })
    const [said] = await once(guest, 'message')
    expect(said).toMatchObject({ own: { n: 1, incarnation: 1 }, other: { n: 2 } })
    const ofGuest = (await system.actors()).find(({ address }) => address.name === 'of-the-guest')!
    await system.kill(ofGuest.address)
    expect((await once(guest, 'message'))[0]).toMatchObject({ changed: { incarnation: 2 } })
    guest.postMessage('leave')
    await once(guest, 'exit')
    while ((await system.actors()).length > 1);
    expect((await system.actors()).map(({ address }) => address.name)).toEqual(['echo'])
  })

  it('brings log lines to the logger, and only from its level on', async () => {
    const lines: Omit<LogLine, 'level'>[] = []
    const keep = (fields: object, message: string) => void lines.push({ fields, message })
    const logger = { debug: keep, info: keep, warn: keep, error: keep }
    const { link, spawned } = await withEcho({ logger, logLevel: 'info' })
    link.tell('log', 'hello')
    await link.ask('echo', { n: 1 })
    await spawned.kill('for the log')
    await system.close()
    expect(lines[0]).toEqual({ fields: { actor: 'echo echo', lane: spawned.address.lane, size: 5 }, message: 'hello' })
    expect(lines[1]).toMatchObject({ fields: { error: 'Error: killed: for the log' }, message: 'the actor died' })
  })

  it('traces transitions while somebody watches, and no longer', async () => {
    const { spawned } = await withEcho()
    const seen: TraceEvent[] = []
    let stop = () => {}
    await new Promise<void>(resolve => {
      stop = system.trace({ machines: ['supervisor'] }, event => {
        seen.push(event)
        if (event.to === 'Running') resolve()
      })
      void spawned.kill('for study')
    })
    stop()
    expect(seen.map(({ from, to, event }) => `${from} ${event} ${to}`)).toEqual([
      'Running actor.died BackingOff',
      'BackingOff backoff.elapsed Starting',
      'Starting actor.started Running',
    ])
    const restarted = nextAddress(spawned)
    await spawned.kill('unseen')
    await restarted
    await system.close()
    expect(seen).toHaveLength(3)
  })

  it('lists an actor whose thread does not respond', async () => {
    const { link } = await withEcho({ limits: { describeDeadlineMs: 20 } })
    await system.spawn(echoModule, {}, { name: 'other' })
    const word = await block(link)
    // The other one may be late as well; it is not for ever.
    let states: string[]
    do states = (await system.actors()).map(({ state }) => state)
    while (states[1] === 'Unresponsive')
    expect(states).toEqual(['Unresponsive', 'Echoing'])
    Atomics.store(word, 0, 2)
    Atomics.notify(word, 0)
    expect(await link.ask('echo', { n: 1 })).toMatchObject({ incarnation: 1 })
  })

  it('ends a thread that does not let its actor close in time', async () => {
    const { link, spawned } = await withEcho({ limits: { closeDeadlineMs: 50 } })
    await block(link)
    await spawned.close()
    expect(await system.actors()).toEqual([])
  })

  it('tells of every thread how late its event loop is, and nothing of one that it does not measure', async () => {
    await withEcho()
    await system.spawn(echoModule, {}, { name: 'here', lane: 0 })
    const [there, here] = await system.actors()
    const { p50Ms, p99Ms, maxMs, utilization } = there!.loop!
    expect([p50Ms <= p99Ms, p99Ms <= maxMs, utilization > 0, utilization <= 1]).toEqual([true, true, true, true])
    expect(here!.loop).toBeNull()
  })

  it('holds a paused actor up, and only that: what was said to it is handled in order when it is resumed', async () => {
    const { link, spawned } = await withEcho()
    const neighbour = await system.spawn(echoModule, {}, { name: 'neighbour', lane: spawned.address.lane })
    await system.pause(spawned.address)
    for (const note of [1, 2, 3]) link.tell('note', note)
    const waiting = link.ask('told', {})
    await expect(link.ask('echo', { n: 4 }, { deadlineMs: 20 })).rejects.toMatchObject({ code: 'DEADLINE' })
    expect(await system.link(echo, neighbour.address).ask('echo', { n: 5 })).toMatchObject({ n: 5 })
    expect((await system.actors()).map(({ state }) => state)).toEqual(['Paused', 'Echoing'])
    await system.resume(spawned.address)
    expect(await waiting).toMatchObject({ notes: [1, 2, 3] })
    expect((await system.actors()).map(({ state }) => state)).toEqual(['Echoing', 'Echoing'])
  })

  it('does not pause the next life of an actor that was killed while it was paused', async () => {
    const { link, spawned } = await withEcho()
    await system.pause(spawned.address)
    const lost = expect(link.ask('echo', { n: 1 })).rejects.toThrow('echo')
    const restarted = nextAddress(spawned)
    await spawned.kill('while paused')
    await lost
    expect(await system.link(echo, (await restarted)!).ask('echo', { n: 2 })).toMatchObject({ incarnation: 2 })
  })

  it('lets a paused actor handle what waited before it closes', async () => {
    const { link, spawned } = await withEcho()
    await system.pause(spawned.address)
    const waiting = link.ask('echo', { n: 1 })
    // By then both have arrived.
    await expect(link.ask('echo', { n: 2 }, { deadlineMs: 20 })).rejects.toMatchObject({ code: 'DEADLINE' })
    await spawned.close()
    expect(await waiting).toMatchObject({ n: 1 })
  })

  it('puts actors of one name of the placement on one thread, and no others', async () => {
    const placement = ({ name }: { readonly name: string }) => (name.startsWith('hot') ? 'hot' : undefined)
    const { spawned } = await withEcho({ placement })
    const spawn = (name: string) => system.spawn(echoModule, {}, { name })
    const hot = [await spawn('hot-1'), await spawn('hot-2')]
    const rest = [spawned, await spawn('cold-1'), await spawn('cold-2'), await spawn('cold-3')]
    const lanes = (of: readonly { readonly address: Address }[]) => new Set(of.map(({ address }) => address.lane))
    expect(lanes(hot).size).toBe(1)
    expect(lanes(rest).size).toBe(2)
    for (const lane of lanes(rest)) expect(lanes(hot)).not.toContain(lane)
  })

  it('refuses to spawn on a lane that does not exist, and after it was closed', async () => {
    await withEcho()
    await expect(system.spawn(echoModule, {}, { name: 'lost', lane: 99 })).rejects.toMatchObject({
      code: 'UNREACHABLE',
    })
    await system.close()
    await expect(system.spawn(echoModule, {}, { name: 'late' })).rejects.toMatchObject({ code: 'UNREACHABLE' })
  })
})
