// When what is said leaves a lane: counted here, because on threads a turn too many is only slow.
import { expect, test } from 'vitest'
import { systemClock } from '../base/clock.ts'
import { limits } from '../base/limits.ts'
import { seededRandom } from '../base/random.ts'
import { type ActorContext, type Address, defineActor } from './actor.ts'
import type { Channel, ChannelListener } from './channel.ts'
import { ask, defineContract } from './contract.ts'
import { ASK, type Entries, OPEN, REPLY } from './entries.ts'
import { Lane, type LaneHost } from './lane.ts'
import { Lookout } from './lookout.ts'
import { LoopChannel } from './loop-channel.ts'
import { MemoryResources } from './memory-resources.ts'
import { TraceRing } from './trace-ring.ts'

const contract = defineContract({
  kind: 'clerk',
  asks: {
    now: ask<number, number>(),
    atEnd: ask<number, number>(),
    behindPromises: ask<number, number>(),
    nested: ask<number, number>(),
  },
  tells: {},
  news: {},
})
type Clerk = typeof contract

/** Answers at once, with the turn's deferred work, and some promises behind that; or asks itself. Tells `heard` what it handles. */
const clerk = defineActor<Clerk, string[]>({
  kind: 'clerk',
  contract,
  start(context: ActorContext, heard: string[]) {
    const atEnd = (n: number) => new Promise<number>(resolve => context.defer(() => resolve(n)))
    return {
      ask: {
        now: n => {
          heard.push(`now ${n}`)
          return n
        },
        nested: n => {
          heard.push('nested begins')
          const answer = context.link(contract, address).ask('now', 10 * n)
          heard.push('nested ends')
          return answer
        },
        atEnd,
        behindPromises: async n => {
          await atEnd(n)
          await Promise.resolve()
          return n
        },
      },
      tell: {},
      close: () => {},
    }
  },
})

const address: Address<Clerk> = { system: 'test', actor: 7, lane: 1, kind: 'clerk', name: 'clerk', incarnation: 1 }

/** A lane whose turns the test takes, as a thread does: promises go first after each call. `goOn` as a thread gives it, or none. */
async function laneWithClerk(goOn: LaneHost['goOn'] = null, lookout: Lookout | null = null) {
  let asked: (() => void)[] = []
  const lane = new Lane({
    system: 'test',
    lane: 1,
    clock: systemClock,
    random: seededRandom(1),
    limits,
    gate: { run: section => section() },
    resources: new MemoryResources(),
    trace: new TraceRing(1, () => {}),
    uplink: { spawn: () => Promise.reject(new Error('nobody is spawned')), died: () => {}, log: () => {} },
    soon: turn => void asked.push(turn),
    goOn,
    lookout,
    connect: () => {
      const [near, far] = LoopChannel.pair()
      lane.accept(1, far, false)
      return { channel: near, leavesThread: false }
    },
    channelPerLink: false,
    copiesMessages: false,
    loopDelay: null,
    logLevel: null,
  })
  const posted: Entries[] = []
  let listener!: ChannelListener
  const channel: Channel = {
    attach: to => (listener = to),
    post: entries => void posted.push(entries),
    close: () => {},
  }
  lane.accept(2, channel, true)
  const heard: string[] = []
  await lane.start(clerk, address, heard)
  listener.received([OPEN, 0, 7, 1, 'clerk', 'test'])
  const takeTurns = async () => {
    const turns = asked
    asked = []
    for (const turn of turns) {
      turn()
      await new Promise(resolve => setImmediate(resolve))
    }
    return turns.length
  }
  await takeTurns()
  return { lane, posted, heard, takeTurns, receive: (entries: Entries) => listener.received(entries) }
}

test('everything that a turn settles leaves with that turn, as one array', async () => {
  const { posted, takeTurns, receive } = await laneWithClerk()
  receive([ASK, 0, 0, 0, 10, ASK, 0, 1, 1, 11, ASK, 0, 2, 2, 12])
  expect(posted).toEqual([])
  await takeTurns()
  expect(posted).toEqual([
    [REPLY, 0, 0, 10],
    [REPLY, 0, 1, 11, REPLY, 0, 2, 12],
  ])
  expect(await takeTurns()).toBe(0)
})

test('deferred work that promises of a turn ask for has a turn of its own, and its answer leaves with it', async () => {
  const { posted, takeTurns, receive } = await laneWithClerk()
  receive([ASK, 0, 0, 1, 1])
  receive([ASK, 0, 1, 1, 2])
  await takeTurns()
  expect(posted).toEqual([[REPLY, 0, 0, 1, REPLY, 0, 1, 2]])
  receive([ASK, 0, 2, 1, 3])
  await takeTurns()
  expect(posted).toHaveLength(2)
  expect(await takeTurns()).toBe(0)
})

const goOn: LaneHost['goOn'] = {
  behindHandler: queueMicrotask,
  behindPromises: work => queueMicrotask(() => process.nextTick(work)),
}

/** Asks the clerk so often over a link inside the lane, each time when the answer before has come; resolves with the loop's turns that it took. */
async function loopTurnsOf(
  asks: number,
  goOn: LaneHost['goOn'],
  word: 'now' | 'behindPromises' = 'behindPromises',
): Promise<number> {
  const { lane, takeTurns } = await laneWithClerk(goOn)
  const link = lane.link(contract, address)
  let answered = 0
  const talk = async () => {
    for (; answered < asks; ) if ((await link.ask(word, answered)) === answered) answered++
  }
  const talked = talk()
  let turns = 0
  while (answered < asks) {
    if ((await takeTurns()) > 0) turns++
  }
  await talked
  return turns
}

test('actors of one lane speak with each other without waiting for the loop', async () => {
  expect(await loopTurnsOf(3, null)).toBeGreaterThan(5)
  expect(await loopTurnsOf(3, goOn)).toBe(1)
})

test('what is answered without deferred work takes no turn at all', async () => {
  expect(await loopTurnsOf(3, null, 'now')).toBeGreaterThan(2)
  expect(await loopTurnsOf(3, goOn, 'now')).toBe(0)
})

test('but not for ever: the loop gets its turn', async () => {
  const asks = 4 * limits.turnsInRowMax
  const turns = await loopTurnsOf(asks, goOn)
  expect(turns).toBeGreaterThan(3)
  expect(turns).toBeLessThan(asks)
  // A question and its answer are two messages.
  expect(await loopTurnsOf(2 * limits.turnMessagesMax, goOn, 'now')).toBeGreaterThanOrEqual(3)
})

test('no handler runs within another, nor within whoever asks', async () => {
  const { lane, heard } = await laneWithClerk(goOn)
  const link = lane.link(contract, address)
  const answers = [link.ask('nested', 1), link.ask('now', 2)]
  expect(heard).toEqual([])
  await Promise.all(answers)
  expect(heard).toEqual(['nested begins', 'nested ends', 'now 2', 'now 10'])
})

test('a lane looks out from when everything is said until something comes, whoever brings it', async () => {
  const heard: string[] = []
  const lookout = new Lookout({ clock: systemClock, maxMs: 1, again: () => {} })
  lookout.idle = () => void heard.push('idle')
  lookout.awake = () => void heard.push('awake')
  const { lane, posted, takeTurns, receive } = await laneWithClerk(goOn, lookout)
  heard.length = 0
  receive([ASK, 0, 0, 1, 1])
  expect(new Set(heard)).toEqual(new Set(['awake']))
  await takeTurns()
  expect(posted).toHaveLength(1)
  expect(heard.lastIndexOf('idle')).toBe(heard.length - 1)
  expect(heard.filter(each => each === 'idle')).toHaveLength(1)
  heard.length = 0
  void lane.link(contract, address).ask('now', 1)
  expect(heard[0]).toBe('awake')
})
