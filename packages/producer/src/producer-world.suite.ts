// A producer in the simulated world, for tests: its sender is the real one, on another lane, over a fake cluster.
import { defineActor } from '@odradek/shared/actor/actor'
import { simulate } from '@odradek/shared/actor/simulated-host'
import { limits } from '@odradek/shared/base/limits'
import { clusterDoor, type EmbeddedBroker } from '@odradek/shared/client/cluster-link'
import { type SenderContract, sender } from '@odradek/shared/contracts/sender.contract'
import { createProducer } from './create-producer.ts'
import { FakeCluster } from './fake-cluster.suite.ts'
import type { ProducerOptions } from './options.ts'
import { Sender } from './sender.actor.ts'
import type { SenderInput } from './sender-policy.ts'

const silent = { debug() {}, info() {}, warn() {}, error() {} }

/** A producer over a fake cluster, in a world of its own. */
export function openWorld(
  options: Partial<ProducerOptions> = {},
  { seed = 1, partitions = 1, cluster = new FakeCluster(), world = simulate({ seed }) } = {},
) {
  if (partitions > 0 && !cluster.topics.has('orders')) cluster.create('orders', partitions)
  const definition = defineActor<SenderContract, SenderInput>({
    kind: 'sender',
    contract: sender,
    start: (context, { policy }) => new Sender(context, cluster.open(context), policy).handlers(),
  })
  const broker: EmbeddedBroker = {
    [clusterDoor]: {
      host: {
        clock: world.clock,
        random: world.random,
        log: silent,
        limits,
        link: (contract, address) => world.link(contract, address),
        spawn: (_module, input, spawnOptions) => world.spawn(definition as never, input, spawnOptions) as never,
      },
      link: { kind: 'wire', bootstrapServers: ['fake:1'], clientId: 'test' },
    },
  }
  const producer = createProducer({ bootstrapServers: broker, ...options })
  return { world, cluster, producer, log: (partition = 0) => cluster.partition('orders', partition).log }
}

/** A transactional producer over a fake coordinator, with that level of `transaction.version`. */
export function openTransactionalWorld(
  version: number,
  options: Partial<ProducerOptions> = {},
  { seed = 1, partitions = 2 } = {},
) {
  const opened = openWorld({ transactionalId: 'tx', lingerMs: 0, ...options }, { partitions, seed })
  opened.cluster.transactionVersion = version
  const kill = async () => {
    const [sender] = await sendersIn(opened.world)
    if (sender !== undefined) opened.world.kill(sender)
  }
  return { ...opened, kill, transaction: () => opened.cluster.transactions.get('tx')! }
}

/** Addresses of the senders that live. */
export async function sendersIn(world: ReturnType<typeof openWorld>['world']) {
  const actors = await world.run(() => world.actors())
  return actors.map(({ address }) => address).filter(({ kind }) => kind === 'sender')
}

/** What a transaction sends as the offsets of a group. */
export const offsetOfGroup = (offset: number) => ({
  groupId: 'g',
  offsets: [{ topic: 'in', partition: 0, offset }],
})
