// Everything that may fail, while two transactions of a pipeline are under way.
import { openWorld, sendersIn } from '@odradek/producer/producer-world.suite'
import { errors } from '@odradek/shared/protocol/error-codes'
import { expect, test } from 'vitest'
import { exactlyOnce, pipelineWorld } from './pipeline-world.suite.ts'

const from = Number(process.env.SEED ?? 1)
const SEEDS = Number(process.env.SEEDS ?? 20)

test(`senders that die, refused batches, offsets and ends, small memories, guests: exactly once (${SEEDS} seeds)`, async () => {
  for (let seed = from; seed < from + SEEDS; seed++) {
    const { world, output, group, lane, feed, verdict } = pipelineWorld({ seed, partitions: 3 })
    output.transactionVersion = 1 + (seed % 2)
    Object.assign(output.faults, {
      loseRequest: 0.03,
      loseReply: 0.03,
      notLeader: 0.03,
      delayMs: seed % 3 === 0 ? 20 : 3,
    })
    const { random } = world
    const isSlow = seed % 4 === 0
    const small = (transactionalId: string) =>
      openWorld(
        {
          transactionalId,
          lingerMs: seed % 5 === 0 ? 5 : 0,
          deliveryTimeoutMs: 3_600_000,
          bufferMemory: 700,
          batchSize: 100,
        },
        { world: world as never, cluster: output, partitions: 0 },
      ).producer
    const parts = (id: string) => ({
      onError: 'retry' as const,
      commitEvery: { records: 1 + random.int(12), ms: 5 + random.int(60) },
      ...(seed % 3 === 1 ? { producer: small(id) } : {}),
      transform: ({ key, value }: { key: string; value: string }) => {
        if (random.int(100) === 0) throw new Error('moody')
        const made = { key, value }
        if (!isSlow || random.int(3) > 0) return made
        return new Promise<typeof made>(resolve => world.clock.after(random.int(4), () => resolve(made)))
      },
    })
    const stable = lane('tx-0', parts('tx-0'))
    for (let round = 0; round < 8; round++) {
      feed(20, round * 20)
      const guest = random.int(2) === 0 ? lane(`tx-guest-${round}`, parts(`tx-guest-${round}`)) : null
      for (let step = 0; step < 6; step++) {
        await world.advance(random.int(300))
        const what = random.int(7)
        if (what === 0 || what === 1) {
          const senders = await sendersIn(world)
          if (senders.length > 0) world.kill(senders[random.int(senders.length)]!)
        }
        if (what === 2) output.refuse('TxnOffsetCommit', errors.ILLEGAL_GENERATION.code)
        if (what === 3) output.refuse('TxnOffsetCommit', 0, errors.TRANSACTION_ABORTABLE.code)
        if (what === 4) output.refuse('EndTxn', errors.COORDINATOR_LOAD_IN_PROGRESS.code)
        if (what === 5) output.partition('out', random.int(2)).scripted.push(errors.INVALID_REQUIRED_ACKS.code)
        // The fake coordinator answers no join of a member that it gives up.
        if (what === 6 && group.state === 'Stable') group.remove([...group.members.keys()][0] ?? '')
      }
      if (guest !== null) {
        guest.lane.stop()
        await world.run(() => guest.done)
        expect({ seed, error: guest.ended.error }).toEqual({ seed, error: null })
      }
    }
    for (const key of Object.keys(output.coordinatorErrors)) output.coordinatorErrors[key] = []
    await world.advance(60_000)
    expect({ seed, ...stable.ended }).toEqual({ seed, error: null, isDone: false })
    expect({ seed, ...verdict(160) }).toEqual({ seed, ...exactlyOnce })
    stable.lane.stop()
    await world.run(() => stable.done)
    expect({ seed, ...stable.ended }).toEqual({ seed, error: null, isDone: true })
  }
}, 300_000)
