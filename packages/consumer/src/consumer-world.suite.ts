// A simulated world with a fake cluster and consumers over it, for the tests of this package.
import { defineActor } from '@odradek/shared/actor/actor'
import { simulate } from '@odradek/shared/actor/simulated-host'
import { consumer as consumerContract } from '@odradek/shared/contracts/consumer.contract'
import { startConsumer } from './consumer.actor.ts'
import { Consumer } from './consumer-client.ts'
import { type ConsumerOptions, readConsumerOptions } from './consumer-options.ts'
import { FakeCluster } from './fake-cluster.suite.ts'

export function consumerWorld(seed = 1) {
  const warnings: { readonly message: string; readonly fields: object }[] = []
  const world = simulate({ seed, log: line => void (line.level === 'warn' && warnings.push(line)) })
  const cluster = new FakeCluster()
  const actor = defineActor({
    kind: 'consumer',
    contract: consumerContract,
    start: (context, input: Parameters<typeof startConsumer>[1]) =>
      startConsumer(context, input, cluster.at(context.clock)),
  })
  const module = { contract: consumerContract, url: 'test:consumer' }
  world.use(module, actor)
  const create = (options: Partial<ConsumerOptions> = {}) => {
    const resolved = readConsumerOptions({ bootstrapServers: 'fake:1', autoOffsetReset: 'earliest', ...options })
    const { clock, random } = world
    const log = { debug() {}, info() {}, warn() {}, error() {} }
    const host = {
      clock,
      random,
      log,
      limits: {} as never,
      link: world.link.bind(world),
      spawn: world.spawn.bind(world),
    }
    return new Consumer({ host: host as never, link: { kind: 'port', broker: {} as never } }, resolved, module)
  }
  return { world, cluster, create, warnings }
}
