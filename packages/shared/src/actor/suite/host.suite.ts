// What every host owes its actors and their peers. Run by the thread host (threads and one lane) and by the simulated host.
import { afterEach, describe, expect, it } from 'vitest'
import type { PortError } from '../../base/errors.ts'
import type { Limits } from '../../base/limits.ts'
import type { Address, Link, Spawned, SpawnOptions } from '../actor.ts'
import type { ActorListing } from '../system-core.ts'
import type { EchoContract, EchoInput } from './echo.contract.ts'

/** A host under test. */
export interface SuiteHost {
  spawn(input: EchoInput, options: SpawnOptions): Promise<Spawned<EchoContract>>
  link(address: Address<EchoContract>): Link<EchoContract>
  actors(): Promise<ActorListing[]>
  killLane(lane: number): Promise<void>
  /** Drives the work to its end (the simulated host needs to be driven). */
  run<T>(work: () => Promise<T>): Promise<T>
  close(): Promise<void>
}

export interface SuiteOptions {
  /** How many lanes there may be. */
  readonly lanes: number
  /** False when large buffers stay with their sender (one lane: they are shared, not moved). */
  readonly movesBuffers: boolean
  make(limits: Partial<Limits>): SuiteHost
}

const few: Partial<Limits> = { linkMessagesMax: 4, linkQueueMessagesMax: 6, linkBytesMax: 100_000 }

/** One actor, a link to it, and the host they live in. */
interface Scene {
  readonly host: SuiteHost
  readonly spawned: Spawned<EchoContract>
  readonly link: Link<EchoContract>
}
type WithEcho = (story: (scene: Scene) => Promise<void>, limits?: Partial<Limits>) => Promise<void>

export function hostSuite(name: string, { lanes, movesBuffers, make }: SuiteOptions): void {
  describe(name, () => {
    let host: SuiteHost
    const withEcho: WithEcho = (story, limits = {}) => {
      host = make(limits)
      return host.run(async () => {
        const spawned = await host.spawn({}, { name: 'echo' })
        await story({ host, spawned, link: host.link(spawned.address) })
      })
    }
    afterEach(() => host.close())

    linkRules(withEcho)
    bufferRules(withEcho, movesBuffers)
    creditRules(withEcho)
    deathRules(withEcho)
    placementRules(withEcho, lanes)
  })
}

/** The code with which the promise rejects. */
const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'no error',
    (error: PortError) => error.code,
  )

function linkRules(withEcho: WithEcho): void {
  it('answers an ask with its reply', () =>
    withEcho(async ({ link }) => {
      expect(await link.ask('echo', { n: 5 })).toMatchObject({ n: 5, incarnation: 1 })
    }))

  it('delivers the messages of a link in the order in which they were sent', () =>
    withEcho(async ({ link }) => {
      const numbers = Array.from({ length: 3_000 }, (_, n) => n)
      for (const n of numbers) expect(link.tell('note', n)).toBe(true)
      expect((await link.ask('told', {})).notes).toEqual(numbers)
    }))

  it('runs deferred work once for the messages that arrived together', () =>
    withEcho(async ({ link }) => {
      for (let n = 0; n < 50; n++) link.tell('note', n)
      let turns: readonly number[] = []
      // Inside a lane answers do not wait for the loop, deferred work does: asking again and again must let it run.
      while (turns.length === 0) turns = (await link.ask('told', {})).turns
      expect(turns).toEqual([50])
    }))

  it('carries an error as code, message and detail', () =>
    withEcho(async ({ link }) => {
      const error = await link.ask('refuse', { code: 'NOT_TODAY', detail: { until: 'monday' } }).catch(each => each)
      expect(error).toMatchObject({ name: 'PortError', code: 'NOT_TODAY', detail: { until: 'monday' } })
    }))

  it('fails an ask that is not answered by its deadline, and only that', () =>
    withEcho(async ({ link }) => {
      const parked = codeOf(link.ask('park', {}, { deadlineMs: 20 }))
      const late = link.ask('late', { ms: 60 })
      expect(await parked).toBe('DEADLINE')
      expect(await late).toEqual({ n: 60 })
    }))

  it('gives an ask up when its signal fires, before or after it was sent', () =>
    withEcho(async ({ link }) => {
      expect(await codeOf(link.ask('park', {}, { signal: AbortSignal.abort() }))).toBe('ABORTED')
      const controller = new AbortController()
      const parked = codeOf(link.ask('park', {}, { signal: controller.signal }))
      await link.ask('echo', { n: 0 })
      controller.abort()
      expect(await parked).toBe('ABORTED')
    }))

  it('tells news to whoever listens, in order', () =>
    withEcho(async ({ link }) => {
      const heard: number[] = []
      link.on('progress', n => heard.push(n))
      link.tell('report', 2_500)
      await link.ask('echo', { n: 0 })
      while (heard.length < 2_500) await link.ask('echo', { n: 0 })
      expect(heard).toEqual(Array.from({ length: 2_500 }, (_, n) => n))
    }))

  it('counts news that nobody listens for', () =>
    withEcho(async ({ link }) => {
      link.tell('report', 3)
      await link.ask('echo', { n: 0 })
      expect(link.stats().newsUnheard).toBe(3)
    }))

  it('tells the actor when a peer comes and goes', () =>
    withEcho(async ({ link, spawned, host }) => {
      const other = host.link(spawned.address)
      await link.ask('echo', { n: 0 })
      expect(await other.ask('peers', {})).toEqual({ open: 2, gone: 0 })
      link.close()
      expect(link.isClosed).toBe(true)
      expect(await codeOf(link.ask('echo', { n: 1 }))).toBe('LINK_CLOSED')
      expect(link.tell('note', 1)).toBe(false)
      while ((await other.ask('peers', {})).gone === 0);
      expect(await other.ask('peers', {})).toEqual({ open: 1, gone: 1 })
    }))
}

function bufferRules(withEcho: WithEcho, movesBuffers: boolean): void {
  it('moves large buffers and copies small ones', () =>
    withEcho(async ({ link }) => {
      const large = new Uint8Array(64 * 1024).fill(7)
      const small = new Uint8Array(100).fill(8)
      const [largeBack, smallBack] = await Promise.all([
        link.ask('bytes', { label: 'large', bytes: large }),
        link.ask('bytes', { label: 'small', bytes: small }),
      ])
      expect([largeBack.bufferBytes, smallBack.bufferBytes]).toEqual([64 * 1024, 100])
      expect(largeBack.bytes.every(byte => byte === 7)).toBe(true)
      expect(smallBack.bytes.every(byte => byte === 8)).toBe(true)
      expect(large.byteLength).toBe(movesBuffers ? 0 : 64 * 1024)
      expect(small.byteLength).toBe(100)
    }))

  it('never takes the neighbours of a pooled or partial buffer along', () =>
    withEcho(async ({ link }) => {
      const pooled = Buffer.from('a pooled buffer')
      const part = new Uint8Array(1024 * 1024).fill(3).subarray(10, 10 + 20_000)
      const replies = await Promise.all([
        link.ask('bytes', { label: 'pooled', bytes: pooled }),
        link.ask('bytes', { label: 'part', bytes: part }),
      ])
      expect(replies.map(reply => reply.bufferBytes)).toEqual([pooled.byteLength, 20_000])
      expect(Buffer.from(replies[0]!.bytes).toString()).toBe('a pooled buffer')
      expect(part.byteLength).toBe(20_000)
    }))
}

function creditRules(withEcho: WithEcho): void {
  it('queues asks beyond the credits, refuses them with LINK_FULL beyond the queue, and recovers', () =>
    withEcho(async ({ link }) => {
      const asks = Array.from({ length: 12 }, () => codeOf(link.ask('late', { ms: 5 })))
      expect(link.stats()).toMatchObject({ inFlightMessages: 4, queuedMessages: 6 })
      expect(link.tell('note', 1)).toBe(false)
      expect(await Promise.all(asks)).toEqual([...Array(10).fill('no error'), 'LINK_FULL', 'LINK_FULL'])
      expect(link.stats()).toMatchObject({
        inFlightMessages: 0,
        queuedMessages: 0,
        inFlightMessagesHigh: 4,
        queuedMessagesHigh: 6,
      })
    }, few))

  it('returns the credit of a tell when it was handled', () =>
    withEcho(async ({ link }) => {
      for (let round = 0; round < 5; round++) {
        for (let n = 0; n < 10; n++) expect(link.tell('note', n)).toBe(true)
        await link.writable()
        await link.ask('echo', { n: round })
      }
      expect((await link.ask('told', {})).notes).toHaveLength(50)
    }, few))

  it('counts bytes as credit, and lets one message through that is larger than all of it', () =>
    withEcho(async ({ link }) => {
      const parcel = (size: number) => ({ label: 'parcel', bytes: new Uint8Array(size) })
      const replies = [60_000, 60_000, 250_000].map(size => link.ask('bytes', parcel(size)))
      expect(link.stats()).toMatchObject({ inFlightMessages: 1, inFlightBytes: 60_000, queuedMessages: 2 })
      expect(link.isFull).toBe(true)
      expect((await Promise.all(replies)).map(reply => reply.bufferBytes)).toEqual([60_000, 60_000, 250_000])
      expect(link.stats()).toMatchObject({ inFlightBytes: 0, inFlightBytesHigh: 250_000 })
    }, few))

  it('keeps the credit of an ask that was given up until its reply comes', () =>
    withEcho(async ({ host, spawned, link }) => {
      expect(await codeOf(link.ask('park', {}, { deadlineMs: 10 }))).toBe('DEADLINE')
      expect(link.stats().inFlightMessages).toBe(1)
      host.link(spawned.address).tell('release', {})
      while (link.stats().inFlightMessages > 0) await link.ask('echo', { n: 0 })
    }, few))

  it('fails an ask by its deadline also while it waits for credit, and does not send it then', () =>
    withEcho(async ({ host, spawned, link }) => {
      const parked = Array.from({ length: 4 }, () => link.ask('park', {}))
      expect(await codeOf(link.ask('fail', { message: 'must not arrive' }, { deadlineMs: 5 }))).toBe('DEADLINE')
      host.link(spawned.address).tell('release', {})
      await Promise.all(parked)
      expect(await link.ask('echo', { n: 1 })).toMatchObject({ incarnation: 1 })
    }, few))

  it('refuses news beyond the credits and the queue of the peer, without growing', () =>
    withEcho(async ({ link }) => {
      const heard: number[] = []
      link.on('progress', n => heard.push(n))
      link.tell('report', 100)
      await link.ask('echo', { n: 0 })
      for (let n = 0; n < 20; n++) await link.ask('echo', { n })
      expect(heard).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    }, few))

  it('ends the link of a peer that has no room for news that it may not miss', () =>
    withEcho(async ({ link, host, spawned }) => {
      const other = host.link(spawned.address)
      link.tell('proclaim', 10)
      await link.ask('echo', { n: 0 })
      expect(link.isClosed).toBe(false)
      link.tell('proclaim', 100)
      expect(await link.closed).toContain("had no room for 'law'")
      expect(await other.ask('peers', {})).toEqual({ open: 1, gone: 1 })
    }, few))
}

/** The next address that the spawner learns. */
const nextAddress = (spawned: Spawned<EchoContract>) =>
  new Promise<Address<EchoContract> | null>(resolve => spawned.onChange(resolve))

function deathRules(withEcho: WithEcho): void {
  it('answers FAILED to the ask that threw, closes the links, and restarts as the next incarnation', () =>
    withEcho(async ({ host, spawned, link }) => {
      const restarted = nextAddress(spawned)
      const parked = codeOf(link.ask('park', {}))
      expect(await codeOf(link.ask('fail', { message: 'a bug' }))).toBe('FAILED')
      expect(await parked).toBe('LINK_CLOSED')
      expect(await link.closed).toContain('a bug')
      const address = await restarted
      expect(address).toEqual({ ...link.address, incarnation: 2 })
      expect(spawned.address).toEqual(address)
      expect(await host.link(address!).ask('echo', { n: 1 })).toMatchObject({ incarnation: 2 })
    }))

  it('ends an actor whose tell threw', () =>
    withEcho(async ({ spawned, link }) => {
      const restarted = nextAddress(spawned)
      link.tell('die', 'as it was told')
      expect(await link.closed).toContain('as it was told')
      expect((await restarted)?.incarnation).toBe(2)
    }))

  it('fails what was in flight when the actor is killed', () =>
    withEcho(async ({ spawned, link }) => {
      const parked = codeOf(link.ask('park', {}))
      await link.ask('echo', { n: 0 })
      const restarted = nextAddress(spawned)
      await spawned.kill('for study')
      expect(await parked).toBe('LINK_CLOSED')
      expect((await restarted)?.incarnation).toBe(2)
    }))

  it('closes a link to an incarnation that is gone', () =>
    withEcho(async ({ host, spawned, link }) => {
      const restarted = nextAddress(spawned)
      await spawned.kill('for study')
      await restarted
      expect(await codeOf(host.link(link.address).ask('echo', { n: 1 }))).toBe('UNREACHABLE')
    }))

  it('ends an actor in order, tells its spawner, and does not restart it', () =>
    withEcho(async ({ host, spawned, link }) => {
      await link.ask('echo', { n: 0 })
      const change = nextAddress(spawned)
      await spawned.close()
      expect(await change).toBeNull()
      expect(await link.closed).toContain('was closed')
      expect(await codeOf(host.link(spawned.address).ask('echo', { n: 1 }))).toBe('UNREACHABLE')
      expect(await host.actors()).toEqual([])
      await spawned.close()
    }))

  it('rejects the spawn of an actor whose first start fails', () =>
    withEcho(async ({ host }) => {
      expect(await codeOf(host.spawn({ failingStarts: 1 }, { name: 'stillborn' }))).toBe('FAILED')
      expect((await host.actors()).map(actor => actor.address.name)).toEqual(['echo'])
    }))

  it('tries again, later and later, when a restart fails', () =>
    withEcho(async ({ host }) => {
      const spawned = await host.spawn({ failingRestarts: 2 }, { name: 'weak', lane: 'own' })
      const restarted = nextAddress(spawned)
      await spawned.kill('for study')
      expect((await restarted)?.incarnation).toBe(4)
    }))

  it('does not restart an actor whose spawner wants it to stop', () =>
    withEcho(async ({ host }) => {
      const spawned = await host.spawn({}, { name: 'once', onDeath: 'stop' })
      const change = nextAddress(spawned)
      await spawned.kill('for study')
      expect(await change).toBeNull()
    }))

  it('lets nothing of a dead actor write any more', () =>
    withEcho(async ({ host, spawned, link }) => {
      link.tell('haunt', {})
      await link.ask('echo', { n: 0 })
      const restarted = nextAddress(spawned)
      await spawned.kill('for study')
      expect(await host.link((await restarted)!).ask('haunted', {})).toEqual({ runs: 0, refused: 1 })
    }))

  it('ends what an actor spawned together with it', () =>
    withEcho(async ({ host, spawned, link }) => {
      const { address } = await link.ask('spawn', { name: 'child', lane: 'self' })
      const toChild = host.link(address)
      expect(await toChild.ask('echo', { n: 1 })).toMatchObject({ n: 1 })
      const restarted = nextAddress(spawned)
      await spawned.kill('for study')
      await restarted
      expect(await toChild.closed).toContain('was closed')
      expect((await host.actors()).map(actor => actor.address.name)).toEqual(['echo'])
    }))
}

function placementRules(withEcho: WithEcho, lanes: number): void {
  it('lets an actor ask another, wherever it runs', () =>
    withEcho(async ({ host, link }) => {
      const other = await host.spawn({}, { name: 'other' })
      expect(await link.ask('through', { address: other.address, n: 9 })).toEqual({ n: 9 })
    }))

  it('lists actors with state, supervisor, links and peers', () =>
    withEcho(async ({ host, link }) => {
      await link.ask('spawn', { name: 'child', lane: 'self' })
      const listed = await host.actors()
      expect(listed).toMatchObject([
        {
          address: { name: 'echo' },
          state: 'Echoing',
          supervisor: 'Running',
          parent: null,
          peers: [{ inFlightMessages: 0 }],
        },
        { address: { name: 'child' }, state: 'Echoing', supervisor: 'Running', parent: 'echo', peers: [] },
      ])
    }))

  if (lanes < 2) return

  it("gives actors lanes of their own, the spawner's, or the one that was named", () =>
    withEcho(async ({ host, spawned, link }) => {
      const own = await host.spawn({}, { name: 'own' })
      const named = await host.spawn({}, { name: 'named', lane: spawned.address.lane })
      const { address: child } = await link.ask('spawn', { name: 'child', lane: 'self' })
      expect(own.address.lane).not.toBe(spawned.address.lane)
      expect(named.address.lane).toBe(spawned.address.lane)
      expect(child.lane).toBe(spawned.address.lane)
      expect(await host.link(named.address).ask('echo', { n: 1 })).toMatchObject({ lane: spawned.address.lane })
    }))

  it('puts an actor near another, and has it end with their lane', () =>
    withEcho(async ({ host, spawned }) => {
      const near = await host.spawn({}, { name: 'near', near: spawned.address.lane })
      const astray = await host.spawn({}, { name: 'astray', near: 1_000 })
      expect(near.address.lane).toBe(spawned.address.lane)
      expect(astray.address.lane).not.toBe(1_000)
      const restarted = nextAddress(near)
      // Whichever comes first: both mean that it has ended.
      await Promise.all([near.kill('a test'), host.killLane(near.address.lane)])
      expect((await restarted)?.lane).toBe(spawned.address.lane)
    }))

  it('spreads actors evenly when the budget is spent', () =>
    withEcho(async ({ host }) => {
      const spawned = []
      for (let n = 1; n < lanes * 2; n++) spawned.push(await host.spawn({}, { name: `actor-${n}` }))
      const perLane = new Map<number, number>()
      for (const { address } of await host.actors()) perLane.set(address.lane, (perLane.get(address.lane) ?? 0) + 1)
      expect([...perLane.values()]).toEqual(Array(lanes).fill(2))
    }))

  it('restarts every actor of a lane that died, on the same lane', () =>
    withEcho(async ({ host, spawned, link }) => {
      const second = await host.spawn({}, { name: 'second', lane: spawned.address.lane })
      const apart = await host.spawn({}, { name: 'apart' })
      const parked = codeOf(link.ask('park', {}))
      await link.ask('echo', { n: 0 })
      const restarted = Promise.all([nextAddress(spawned), nextAddress(second)])
      await host.killLane(spawned.address.lane)
      expect(await parked).toBe('LINK_CLOSED')
      expect((await restarted).map(address => address?.incarnation)).toEqual([2, 2])
      expect(spawned.address.lane).toBe(link.address.lane)
      for (const { address } of [spawned, second]) {
        expect(await host.link(address).ask('echo', { n: 1 })).toMatchObject({ incarnation: 2 })
      }
      expect(apart.address.incarnation).toBe(1)
    }))
}
