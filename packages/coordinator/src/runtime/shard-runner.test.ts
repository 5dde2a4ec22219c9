import { limits } from '@odradek/shared/base/limits'
import { seededRandom } from '@odradek/shared/base/random'
import { errors } from '@odradek/shared/protocol/error-codes'
import { afterEach, expect, test } from 'vitest'
import { FakeClock } from './fake-clock.suite.ts'
import { LeaderDouble } from './leader-double.suite.ts'
import { settle, shardContext } from './shard-context.suite.ts'
import { ShardRunner } from './shard-runner.ts'
import { type TallyShard, tallyShard } from './tally-shard.suite.ts'

const bugs: unknown[] = []
afterEach(() => expect(bugs.splice(0)).toEqual([]))

function shard({ leader = new LeaderDouble(), limits: changed = {}, maxBatchBytes = 1_048_588 } = {}) {
  const clock = new FakeClock()
  const notices: string[] = []
  const runner = new ShardRunner<TallyShard>({
    definition: tallyShard,
    name: 'tally-0',
    maxBatchBytes,
    hands: { notify: notice => notices.push(notice) },
    context: shardContext(clock, reason => bugs.push(reason), changed),
  })
  return { runner, leader, clock, notices, state: () => runner.describe().state }
}

async function loaded(options: Parameters<typeof shard>[0] = {}) {
  const all = shard(options)
  all.runner.lead(all.leader.link())
  await settle()
  expect(all.state()).toBe('Active.idle')
  return all
}

/** Resolves with 'open' while the promise is not settled. */
async function now<R>(promise: Promise<R>): Promise<R | 'open'> {
  await settle()
  return Promise.race([promise, Promise.resolve('open' as const)])
}

const MARKER = {
  producerId: 7,
  producerEpoch: 0,
  coordinatorEpoch: 0,
  transactionVersion: 2,
  transactionResult: true,
}

const refusedWith = (name: keyof typeof errors) => ({
  refused: expect.objectContaining({ errorCode: errors[name].code }),
})

test('a reply leaves when its records are committed, not before', async () => {
  const { runner, leader, notices } = await loaded()
  leader.holding = true
  const reply = runner.submit('add', { key: 'a', by: 2 })
  expect(await now(reply)).toBe('open')
  expect(notices).toEqual(['loaded 0'])
  leader.commit()
  expect(await now(reply)).toEqual({ value: 2 })
  expect(notices).toEqual(['loaded 0', 'a=2'])
})

test('all decisions of one turn share one append, and each sees those before it', async () => {
  const { runner, leader } = await loaded()
  const replies = Promise.all([1, 2, 3].map(by => runner.submit('add', { key: 'a', by })))
  expect(await now(replies)).toEqual([{ value: 1 }, { value: 3 }, { value: 6 }])
  expect(leader.appends).toBe(1)
  expect(leader.batches.length).toBe(1)
})

test('what is decided while an append is in flight goes with the next one', async () => {
  const { runner, leader } = await loaded()
  leader.holding = true
  const first = runner.submit('add', { key: 'a', by: 1 })
  await settle()
  const second = runner.submit('add', { key: 'a', by: 1 })
  const third = runner.submit('add', { key: 'b', by: 1 })
  await settle()
  expect(leader.held.length).toBe(1)
  leader.commit()
  expect(await now(first)).toEqual({ value: 1 })
  expect(await now(second)).toBe('open')
  leader.commit()
  expect(await now(second)).toEqual({ value: 2 })
  expect(await now(third)).toEqual({ value: 1 })
  expect(leader.appends).toBe(2)
})

test('what can wait goes with the next append, in order, or alone when its time is over', async () => {
  const { runner, leader, clock } = await loaded()
  const patient = runner.submit('add', { key: 'a', by: 1, isPatient: true })
  expect(await now(patient)).toBe('open')
  expect(leader.appends).toBe(0)
  expect(await now(runner.submit('add', { key: 'a', by: 1 }))).toEqual({ value: 2 })
  expect(await now(patient)).toEqual({ value: 1 })
  expect(leader.appends).toBe(1)
  clock.advance(limits.shardPatienceMs)
  const alone = runner.submit('add', { key: 'a', by: 1, isPatient: true })
  expect(await now(alone)).toBe('open')
  clock.advance(limits.shardPatienceMs)
  expect(await now(alone)).toEqual({ value: 3 })
  expect((await loaded({ leader })).runner.state).toEqual(runner.state)
})

test.each([
  ['a read that sees it', runner => runner.submit('get', { key: 'a' })],
  ['a barrier', runner => runner.submit('stage', { key: 'b', producerId: 7 })],
  ['the end of the shard', runner => runner.close()],
] as [string, (runner: ReturnType<typeof shard>['runner']) => Promise<unknown>][])(
  '%s does not let wait what can wait',
  async (_, come) => {
    const { runner, leader } = await loaded()
    const patient = runner.submit('add', { key: 'a', by: 1, isPatient: true })
    await settle()
    await come(runner)
    expect(await now(patient)).toEqual({ value: 1 })
    expect((await loaded({ leader })).runner.state.counts.get('a')).toBe(1)
  },
)

test('what can wait is sent at once when it fills an append', async () => {
  const { runner } = await loaded({ limits: { groupCommitBytesMax: 1 } })
  expect(await now(runner.submit('add', { key: 'a', by: 1, isPatient: true }))).toEqual({ value: 1 })
})

test('a read waits for the writes that it can have seen, and only for those', async () => {
  const { runner, leader } = await loaded()
  expect(await now(runner.submit('get', { key: 'a' }))).toEqual({ value: 0 })
  leader.holding = true
  const write = runner.submit('add', { key: 'a', by: 1 })
  const read = runner.submit('get', { key: 'a' })
  await settle()
  const later = runner.submit('add', { key: 'a', by: 1 })
  expect(await now(read)).toBe('open')
  leader.commit()
  expect(await now(write)).toEqual({ value: 1 })
  expect(await now(read)).toEqual({ value: 1 })
  expect(await now(later)).toBe('open')
})

test('loading is replay: offsets, timestamps and values are the same', async () => {
  const { runner, leader, clock } = await loaded()
  for (const key of ['a', 'b', 'a', 'c']) {
    await runner.submit('add', { key, by: 1 })
    clock.advance(7)
  }
  await runner.submit('addAll', { keys: ['x', 'y', 'a'] })
  leader.fetchBatchesMax = 2
  const again = await loaded({ leader })
  expect(again.runner.state).toEqual(runner.state)
  expect(again.runner.describe().detail).toMatchObject({ nextOffset: 7, unknownRecords: 0 })
})

test('a refused append is not applied: the writer is told, and the state is read from the log again', async () => {
  const { runner, leader, notices } = await loaded()
  await runner.submit('add', { key: 'a', by: 1 })
  leader.refuseWith = errors.KAFKA_STORAGE_ERROR.code
  const lost = runner.submit('add', { key: 'a', by: 10 })
  const dependent = runner.submit('get', { key: 'a' })
  await settle()
  leader.refuseWith = 0
  expect(await now(lost)).toEqual(refusedWith('COORDINATOR_NOT_AVAILABLE'))
  expect(await now(dependent)).toEqual({ value: 1 })
  expect(runner.state.counts.get('a')).toBe(1)
  expect(notices).toEqual(['loaded 0', 'a=1', 'loaded 1'])
})

test.each([true, false])(
  'a leader that dies with an append in flight leaves what the log says (landed: %s)',
  async landed => {
    const { runner, leader, state } = await loaded()
    await runner.submit('add', { key: 'a', by: 1 })
    leader.holding = true
    const lost = runner.submit('add', { key: 'a', by: 10 })
    await settle()
    leader.die(landed)
    expect(await now(lost)).toEqual(refusedWith('COORDINATOR_NOT_AVAILABLE'))
    expect(state()).toBe('Failed')
    const meanwhile = runner.submit('get', { key: 'a' })
    expect(await now(meanwhile)).toBe('open')
    leader.holding = false
    runner.lead(leader.link())
    expect(await now(meanwhile)).toEqual({ value: landed ? 11 : 1 })
    expect(state()).toBe('Active.idle')
  },
)

/** A shard one of whose appends (10 to `a`) was given up, and how that comes to the leader after all. */
async function withLateAppend() {
  const { runner, leader } = await loaded()
  leader.holding = true
  const lost = runner.submit('add', { key: 'a', by: 10 })
  await settle()
  const late = leader.held[0]!
  leader.lose(false)
  expect(await now(lost)).toEqual(refusedWith('COORDINATOR_NOT_AVAILABLE'))
  leader.holding = false
  const land = () => {
    leader.held.push({ ...late, answer: () => {}, reject: () => {} })
    leader.commit()
  }
  return { runner, leader, land }
}

test('an append that was given up and lands late is in the log; what was decided without it is refused, and the state is loaded again', async () => {
  const { runner, leader, land } = await withLateAppend()
  land()
  expect(await now(runner.submit('add', { key: 'a', by: 1 }))).toEqual(refusedWith('COORDINATOR_NOT_AVAILABLE'))
  expect(leader.nextOffset).toBe(1)
  expect(await now(runner.submit('add', { key: 'a', by: 1 }))).toEqual({ value: 11 })
})

test('an append that was given up and lands after another is not in the log', async () => {
  const { runner, leader, land } = await withLateAppend()
  expect(await now(runner.submit('add', { key: 'a', by: 1 }))).toEqual({ value: 1 })
  land()
  expect(leader.nextOffset).toBe(1)
  expect(await now(runner.submit('add', { key: 'a', by: 1 }))).toEqual({ value: 2 })
})

test('a transactional append is refused, and the state loaded again, when something landed before it', async () => {
  const { runner, leader, land } = await withLateAppend()
  land()
  expect(await now(runner.submit('stage', { key: 'a', producerId: 7 }))).toEqual(
    refusedWith('COORDINATOR_NOT_AVAILABLE'),
  )
  expect(leader.nextOffset).toBe(1)
  expect(await now(runner.submit('get', { key: 'a' }))).toEqual({ value: 10 })
})

test('a marker before which something landed is not answered as written, and the state is loaded again with both', async () => {
  const { runner, leader, land } = await withLateAppend()
  land()
  expect(await now(runner.writeMarker(MARKER))).toEqual({ errorCode: errors.COORDINATOR_NOT_AVAILABLE.code })
  expect(leader.nextOffset).toBe(2)
  expect(await now(runner.submit('add', { key: 'a', by: 1 }))).toEqual({ value: 11 })
})

test.each(['marker', 'transactional append'])(
  'a %s that a leader refuses because another has claimed the log is claimed anew',
  async what => {
    const { runner, leader } = await loaded()
    const write = () =>
      what === 'marker' ? runner.writeMarker(MARKER) : runner.submit('stage', { key: 'a', producerId: 7 })
    const claims = leader.claims
    leader.refuseWith = errors.NOT_LEADER_OR_FOLLOWER.code
    await write()
    leader.refuseWith = 0
    expect(await now(runner.submit('add', { key: 'a', by: 1 }))).toEqual({ value: 1 })
    expect(leader.claims).toBe(claims + 1)
    expect(await write()).toMatchObject(what === 'marker' ? { errorCode: 0 } : { value: expect.any(Number) })
  },
)

test('requests that meet a loading shard wait, in order, and are served after the load', async () => {
  const { runner, leader } = shard()
  const first = runner.submit('add', { key: 'a', by: 1 })
  const second = runner.submit('get', { key: 'a' })
  expect(await now(first)).toBe('open')
  runner.lead(leader.link())
  expect(await now(first)).toEqual({ value: 1 })
  expect(await now(second)).toEqual({ value: 1 })
})

test('the wait for a load is bounded in time: COORDINATOR_LOAD_IN_PROGRESS', async () => {
  const { runner, leader, clock } = shard()
  const link = leader.link()
  runner.lead({ ...link, ask: () => new Promise(() => {}) } as typeof link)
  const reply = runner.submit('get', { key: 'a' })
  clock.advance(limits.shardWaitMs - 1)
  expect(await now(reply)).toBe('open')
  clock.advance(1)
  expect(await now(reply)).toEqual(refusedWith('COORDINATOR_LOAD_IN_PROGRESS'))
})

test('the wait for a load is bounded in number: the one too many is refused at once', async () => {
  const { runner } = shard({ limits: { shardWaitingMax: 2 } })
  const replies = ['a', 'b', 'c'].map(key => runner.submit('get', { key }))
  expect(await now(replies[0]!)).toBe('open')
  expect(await now(replies[1]!)).toBe('open')
  expect(await now(replies[2]!)).toEqual(refusedWith('COORDINATOR_NOT_AVAILABLE'))
})

test('a load that fails is tried again after a while', async () => {
  const { runner, leader, clock, state } = shard()
  leader.fetchErrorCode = errors.KAFKA_STORAGE_ERROR.code
  leader.nextOffset = 1
  runner.lead(leader.link())
  await settle()
  expect(state()).toBe('Failed')
  leader.fetchErrorCode = 0
  leader.nextOffset = 0
  clock.advance(limits.shardRetryMs)
  await settle()
  expect(state()).toBe('Active.idle')
})

test('a late reply comes with the decision that brings it, after its commit', async () => {
  const { runner, leader } = await loaded()
  const waiters = [runner.submit('wait', {}), runner.submit('wait', {})]
  expect(await now(waiters[0]!)).toBe('open')
  leader.holding = true
  const go = runner.submit('go', {})
  expect(await now(waiters[0]!)).toBe('open')
  leader.commit()
  expect(await now(go)).toEqual({ value: 2 })
  expect(await now(Promise.all(waiters))).toEqual([{ value: -1 }, { value: -1 }])
})

test('who waits for a late reply is refused when the shard loses its soft state', async () => {
  const { runner, leader } = await loaded()
  const waiter = runner.submit('wait', {})
  await settle()
  leader.die(false)
  expect(await now(waiter)).toEqual(refusedWith('NOT_COORDINATOR'))
})

test('a timer decides like a request, once; arming its key anew replaces it; cancelling forgets it', async () => {
  const { runner, clock } = await loaded()
  await runner.submit('addLater', { key: 'a', delayMs: 100 })
  await runner.submit('addLater', { key: 'a', delayMs: 200 })
  await runner.submit('addLater', { key: 'b', delayMs: 100 })
  await runner.submit('cancelLater', { key: 'b' })
  clock.advance(150)
  await settle()
  expect(runner.state.counts.size).toBe(0)
  clock.advance(500)
  await settle()
  expect([...runner.state.counts]).toEqual([['a', 1]])
})

test('timers do not outlive the state that armed them', async () => {
  const { runner, leader, clock } = await loaded()
  await runner.submit('addLater', { key: 'a', delayMs: 100 })
  leader.die(false)
  await settle()
  expect(clock.armed).toBe(0)
  runner.lead(leader.link())
  await settle()
  clock.advance(1_000)
  await settle()
  expect(runner.state.counts.size).toBe(0)
})

test('records that do not fit one batch are refused before anything is applied', async () => {
  const { runner, leader } = await loaded({ maxBatchBytes: 1_000 })
  const reply = await runner.submit('addAll', { keys: Array.from({ length: 100 }, (_, at) => `key-${at}`) })
  expect(reply).toEqual(refusedWith('UNKNOWN_SERVER_ERROR'))
  expect([runner.state.counts.size, leader.appends]).toEqual([0, 0])
})

test('records of a divisible decision go in as many batches as they need, in one append', async () => {
  const { runner, leader } = await loaded({ maxBatchBytes: 1_000 })
  const keys = Array.from({ length: 100 }, (_, at) => `key-${at}`)
  expect(await runner.submit('addAll', { keys, divisible: true })).toEqual({ value: 100 })
  expect([runner.state.counts.size, leader.appends]).toEqual([100, 1])
  expect(leader.batches.length).toBeGreaterThan(1)
  for (const batch of leader.batches) expect(batch.length).toBeLessThanOrEqual(1_000)
  expect((await loaded({ leader })).runner.state).toEqual(runner.state)
  const tooLong = { keys: ['k'.repeat(2_000)], divisible: true }
  expect(await runner.submit('addAll', tooLong)).toEqual(refusedWith('UNKNOWN_SERVER_ERROR'))
})

test('many decisions in one turn make several batches, none larger than allowed, none split inside a decision', async () => {
  const { runner, leader } = await loaded({ maxBatchBytes: 600 })
  const keys = ['k1', 'k2', 'k3']
  await Promise.all(Array.from({ length: 20 }, () => runner.submit('addAll', { keys })))
  expect(leader.appends).toBe(1)
  expect(leader.batches.length).toBeGreaterThan(1)
  for (const batch of leader.batches) expect(batch.length).toBeLessThanOrEqual(600)
  for (const batch of leader.batches) expect(new DataView(batch.buffer, batch.byteOffset).getInt32(57) % 3).toBe(0)
  expect((await loaded({ leader })).runner.state).toEqual(runner.state)
})

test('transactional records are staged when committed and applied by the commit marker', async () => {
  const { runner, leader } = await loaded()
  expect(await runner.submit('stage', { key: 'a', producerId: 7 })).toEqual({ value: 1 })
  expect(runner.state.counts.size).toBe(0)
  expect(await runner.writeMarker(MARKER)).toEqual({ errorCode: 0 })
  expect(runner.state.counts.get('a')).toBe(1)
  expect(await runner.submit('add', { key: 'a', by: 1 })).toEqual({ value: 2 })
  expect((await loaded({ leader })).runner.state).toEqual(runner.state)
})

test('an abort marker drops what was staged', async () => {
  const { runner, leader } = await loaded()
  await runner.submit('stage', { key: 'a', producerId: 7 })
  await runner.writeMarker({
    producerId: 7,
    producerEpoch: 0,
    coordinatorEpoch: 0,
    transactionResult: false,
    transactionVersion: 2,
  })
  expect([runner.state.counts.size, runner.state.staged.size]).toEqual([0, 0])
  expect((await loaded({ leader })).runner.state).toEqual(runner.state)
})

test('a transactional append that the leader refuses costs nobody else anything', async () => {
  const { runner, leader, notices } = await loaded()
  leader.refuseWith = errors.INVALID_PRODUCER_EPOCH.code
  const refused = runner.submit('stage', { key: 'a', producerId: 7 })
  const meanwhile = runner.submit('get', { key: 'a' })
  expect(await now(refused)).toEqual(refusedWith('INVALID_PRODUCER_EPOCH'))
  expect(await now(meanwhile)).toEqual({ value: 0 })
  expect(notices).toEqual(['loaded 0'])
})

test('while a barrier is in flight nothing is decided, and what came before it goes first', async () => {
  const { runner, leader, state } = await loaded()
  leader.holding = true
  const before = runner.submit('add', { key: 'a', by: 1 })
  const staged = runner.submit('stage', { key: 'a', producerId: 7 })
  const after = runner.submit('add', { key: 'a', by: 1 })
  await settle()
  expect(state()).toBe('Active.appending')
  leader.commit()
  await settle()
  expect(state()).toBe('Active.atBarrier')
  expect(runner.state.counts.get('a')).toBe(1)
  leader.commit()
  await settle()
  leader.commit()
  expect(await now(Promise.all([before, staged, after]))).toEqual([{ value: 1 }, { value: 1 }, { value: 2 }])
  leader.holding = false
  expect((await loaded({ leader })).runner.state).toEqual(runner.state)
})

test('a marker that is refused leaves what is staged', async () => {
  const { runner, leader } = await loaded()
  await runner.submit('stage', { key: 'a', producerId: 7 })
  leader.refuseWith = errors.TRANSACTION_COORDINATOR_FENCED.code
  expect(await runner.writeMarker(MARKER)).toEqual({ errorCode: errors.TRANSACTION_COORDINATOR_FENCED.code })
  expect(runner.state.staged.get(7)?.length).toBe(1)
})

test('close finishes what is in flight and refuses what comes later', async () => {
  const { runner, leader, state } = await loaded()
  leader.holding = true
  const write = runner.submit('add', { key: 'a', by: 1 })
  const waiter = runner.submit('wait', {})
  await settle()
  const closing = runner.close()
  const late = runner.submit('get', { key: 'a' })
  expect(await now(closing)).toBe('open')
  leader.commit()
  await settle()
  await closing
  expect(await now(write)).toEqual({ value: 1 })
  expect(await now(waiter)).toEqual(refusedWith('NOT_COORDINATOR'))
  expect(await now(late)).toEqual(refusedWith('NOT_COORDINATOR'))
  expect(state()).toBe('Closed')
})

test('a shard that never had a leader closes, and refuses who waited', async () => {
  const { runner } = shard()
  const waiter = runner.submit('get', { key: 'a' })
  await runner.close()
  expect(await now(waiter)).toEqual(refusedWith('NOT_COORDINATOR'))
})

test('records of a kind that this version does not know are skipped and counted', async () => {
  const { runner, leader } = await loaded()
  await runner.submit('add', { key: 'a', by: 1 })
  const knowing = tallyShard.decodeRecord
  const half = { ...tallyShard, decodeRecord: () => null }
  expect(half.decodeRecord).not.toBe(knowing)
  const forgetful = shard({ leader })
  const blind = new ShardRunner<TallyShard>({
    definition: half,
    name: 'blind-0',
    maxBatchBytes: 1_000,
    context: {
      clock: forgetful.clock,
      random: seededRandom(1),
      log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
      limits,
      defer: work => queueMicrotask(work),
      trace: { on: false, transition: () => {} },
      fail: reason => bugs.push(reason),
    },
  })
  blind.lead(leader.link())
  await settle()
  expect(blind.describe()).toMatchObject({ state: 'Active.idle', detail: { unknownRecords: 1, nextOffset: 1 } })
})
