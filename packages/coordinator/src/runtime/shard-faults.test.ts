// Whatever happens to its leader, a shard ends up saying what its log says, and what it acknowledged is in there.
import { limits } from '@odradek/shared/base/limits'
import { seededRandom } from '@odradek/shared/base/random'
import { errors } from '@odradek/shared/protocol/error-codes'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FakeClock } from './fake-clock.suite.ts'
import { LeaderDouble } from './leader-double.suite.ts'
import { settle } from './shard-context.suite.ts'
import { ShardRunner } from './shard-runner.ts'
import { type TallyShard, tallyShard } from './tally-shard.suite.ts'

const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('add' as const), key: fc.constantFrom('a', 'b') }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('stage' as const), key: fc.constantFrom('a', 'b') }) },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constantFrom('end' as const, 'get' as const), key: fc.constant('a') }),
    },
    {
      weight: 6,
      arbitrary: fc.record({ kind: fc.constantFrom('settle' as const, 'commit' as const), key: fc.constant('') }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constantFrom(
          'dieLanded' as const,
          'dieLost' as const,
          'loseLanded' as const,
          'loseLost' as const,
          'refuse' as const,
        ),
        key: fc.constant(''),
      }),
    },
  ),
  { maxLength: 60 },
)

const silent = () => {}

function runnerOn(leader: LeaderDouble, clock: FakeClock, bugs: unknown[]): ShardRunner<TallyShard> {
  const log = { debug: silent, info: silent, warn: silent, error: silent }
  const trace = { on: false, transition: silent }
  const context = {
    clock,
    random: seededRandom(1),
    log,
    limits,
    trace,
    defer: queueMicrotask,
    fail: (bug: unknown) => void bugs.push(bug),
  }
  const runner = new ShardRunner<TallyShard>({
    definition: tallyShard,
    name: 'tally-0',
    maxBatchBytes: 10_000,
    context,
  })
  runner.lead(leader.link())
  return runner
}

test('under random refusals, deaths and late answers: state equals log, acknowledged counts are distinct and never exceeded', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async script => {
      const bugs: unknown[] = []
      const leader = new LeaderDouble()
      const clock = new FakeClock()
      const runner = runnerOn(leader, clock, bugs)
      const acknowledged: string[] = []
      leader.holding = true
      const die = (landed: boolean) => {
        leader.die(landed)
        runner.lead(leader.link())
      }
      for (const { kind, key } of script) {
        if (kind === 'add')
          void runner
            .submit('add', { key, by: 1 })
            .then(reply => 'value' in reply && acknowledged.push(`${key}=${reply.value}`))
        else if (kind === 'stage') void runner.submit('stage', { key: `staged-${key}`, producerId: 7 })
        else if (kind === 'get') void runner.submit('get', { key })
        else if (kind === 'end') {
          const epochs = { producerEpoch: 0, coordinatorEpoch: 0, transactionVersion: 2 }
          void runner.writeMarker({ producerId: 7, transactionResult: true, ...epochs })
        } else if (kind === 'settle') await settle()
        else if (kind === 'commit') leader.commit()
        else if (kind === 'refuse') {
          leader.refuseWith = errors.KAFKA_STORAGE_ERROR.code
          leader.commit()
          leader.refuseWith = 0
        } else if (kind.startsWith('die')) die(kind === 'dieLanded')
        else leader.lose(kind === 'loseLanded')
      }
      leader.holding = false
      for (let round = 0; round < 8; round++) {
        leader.commit()
        await settle()
      }
      expect(bugs).toEqual([])
      expect(runner.describe().state).toBe('Active.idle')
      const again = runnerOn(leader, clock, bugs)
      await settle()
      expect(again.state).toEqual({ ...runner.state, waiting: [] })
      expect(new Set(acknowledged).size).toBe(acknowledged.length)
      for (const key of ['a', 'b']) {
        const highest = acknowledged.filter(one => one.startsWith(`${key}=`)).length
        expect(runner.state.counts.get(key) ?? 0).toBeGreaterThanOrEqual(highest)
      }
    }),
    { numRuns: 300 },
  )
})
