// Transactions while anything dies at any message: clients of both versions, two of them with one transactional id, against coordinators,
// leaders and threads that crash. At the end readers must see what the clients were told. One line reproduces a failing seed.
import type { Decision, ShardDefinition } from '@odradek/coordinator/runtime/shard'
import { type TransactionShard, transactionShard } from '@odradek/coordinator/transaction/transaction-shard'
import type { Faults } from '@odradek/shared/actor/simulated-channel'
import { expect, test } from 'vitest'
import { type Anomaly, anomaliesOf, type TransactionStory } from './transaction-history.suite.ts'
import { TransactionHouse } from './transaction-house.suite.ts'
import { TransactionalClient } from './transactional-client.suite.ts'

const SEEDS = Number(process.env.ODRADEK_SEEDS ?? 40)

/** Far more than all timeouts of all transactions together, in virtual time. */
const PATIENCE_MS = 1_200_000

/** Links end with one of their ends, as between threads. */
const crashing: Partial<Faults> = { actorDeath: 0.003, laneDeath: 0.0005 }

const clients = [
  { name: 'one', transactionalId: 'one', version: 2 },
  { name: 'two', transactionalId: 'two', version: 1 },
  // Two with one transactional id fence each other all the time.
  { name: 'left', transactionalId: 'twins', version: 2 },
  { name: 'right', transactionalId: 'twins', version: 2 },
] as const

interface Run {
  readonly history: readonly TransactionStory[]
  readonly anomalies: readonly (readonly [Anomaly, string])[]
}

async function run(seed: number, shardOf: typeof transactionShard = transactionShard): Promise<Run> {
  const history: TransactionStory[] = []
  const anomalies: (readonly [Anomaly, string])[] = []
  await TransactionHouse.tell(
    async house => {
      const working = clients.map((client, index) => {
        const options = { ...client, seed: seed * 10 + index, transactions: 7 }
        return new TransactionalClient(house, options, history).run()
      })
      const patience = house.sleep(PATIENCE_MS).then(() => anomalies.push(['never-ends', 'a client still waits']))
      await Promise.race([Promise.all(working), patience])
      house.world.faults = { ...house.world.faults, actorDeath: 0, laneDeath: 0 }
      await house.sleep(60_000)
      anomalies.push(...(await anomaliesOf(house, history)))
    },
    { seed, shardOf, faults: crashing, limits: { restartsMax: 1_000_000, restartDelayMaxMs: 50 } },
  )
  return { history, anomalies }
}

test('whatever dies at whatever message, readers see what clients were told', async () => {
  let committed = 0
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { history, anomalies } = await run(seed)
    expect(anomalies, `seed ${seed}`).toEqual([])
    committed += history.filter(({ outcome }) => outcome === 'committed').length
  }
  expect(committed).toBeGreaterThan(SEEDS * 5)
}, 600_000)

type Shard = ShardDefinition<TransactionShard>
type Handlers = Shard['handlers']

/** The coordinator with one handler's decisions bent. */
function bent<N extends 'endTxn' | 'initProducerId' | 'addPartitions'>(
  name: N,
  bend: (decide: any, ...asked: [state: any, request: any, context: any]) => Decision<TransactionShard, any>,
): typeof transactionShard {
  return settings => {
    const shard = transactionShard(settings)
    const handler = shard.handlers[name] as Handlers[N] & { decide: any }
    const decide = (state: any, request: any, context: any) => bend(handler.decide, state, request, context)
    return { ...shard, handlers: { ...shard.handlers, [name]: { ...handler, decide } } }
  }
}

const planted: { readonly [bug: string]: typeof transactionShard } = {
  'markers are forgotten after a recovery': settings => {
    const shard = transactionShard(settings)
    return {
      ...shard,
      onLoaded(state, context) {
        const decision = shard.onLoaded!(state, context)
        return { ...decision, effects: decision.effects!.filter(({ kind }) => kind !== 'writeMarkers') }
      },
    }
  },
  'a partition gets no marker': bent('endTxn', (decide, ...asked) => {
    const decision = decide(...asked)
    const effects = decision.effects?.map((effect: any) => {
      if (effect.kind !== 'writeMarkers') return effect
      const [first, ...others] = effect.markers.partitions
      const fewer = { ...first, partitions: first?.partitions.slice(1) ?? [] }
      return { ...effect, markers: { ...effect.markers, partitions: [fewer, ...others] } }
    })
    return { ...decision, effects }
  }),
  'a delayed end touches the next transaction, because ends raise no epoch': bent(
    'endTxn',
    (decide, state, asked, context) => decide(state, { ...asked, clientTransactionVersion: 1 }, context),
  ),
  'an end is answered before it is decided': bent('endTxn', (decide, state, asked, context) =>
    context.random.int(4) === 0
      ? { reply: { kind: 'done', producerId: asked.producerId, producerEpoch: asked.producerEpoch + 1 } }
      : decide(state, asked, context),
  ),
  'a successor leaves open what it finds': bent('initProducerId', (decide, state, asked, context) => {
    const known = state.get(asked.transactionalId)
    if (known?.metadata.status !== 'Ongoing') return decide(state, asked, context)
    const { producerId, producerEpoch } = known.metadata
    return { reply: { kind: 'done', producerId, producerEpoch } }
  }),
  'a partition that is added is not remembered': bent('addPartitions', (decide, state, asked, context) => {
    const known = state.get(asked.transactionalId)
    if (known?.metadata.status !== 'Ongoing') return decide(state, asked, context)
    return { reply: { kind: 'done', producerId: asked.producerId, producerEpoch: asked.producerEpoch } }
  }),
}

test.each(Object.keys(planted))(
  'a planted bug is found: %s',
  async bug => {
    const found = new Set<Anomaly>()
    for (let seed = 1; seed <= 30 && found.size === 0; seed++) {
      for (const [anomaly] of (await run(seed, planted[bug]!)).anomalies) found.add(anomaly)
    }
    expect([...found]).not.toEqual([])
  },
  300_000,
)
