// Starts a broker's listeners on the broker's own thread and tells the broker where it can be reached.
import type { Address, Spawned } from '@odradek/shared/actor/actor'
import type { ActorSystem } from '@odradek/shared/actor/actor-system'
import { KafkaError } from '@odradek/shared/base/errors'
import { brokerConfigs } from '@odradek/shared/configs/broker-configs'
import { type BrokerContract, brokerContract } from '@odradek/shared/contracts/broker.contract'
import {
  type ListenerContract,
  type ListenerInput,
  type ListenerLimits,
  listenerContract,
} from '@odradek/shared/contracts/listener.contract'
import { listenerModule } from '../cluster/modules.ts'
import type { BrokerSettings } from '../options.ts'

const MIB = 1024 * 1024

export interface OpenListener {
  /** `host:port` as clients are told. */
  readonly bootstrapServer: string
  readonly spawned: Spawned<ListenerContract>
}

/** Throws KafkaError ODK_LISTEN_FAILED, naming the address and the cause. */
export async function openListeners(
  system: ActorSystem,
  broker: Address<BrokerContract>,
  settings: BrokerSettings,
): Promise<readonly OpenListener[]> {
  const config = (name: string) => settings.staticConfigs[name] ?? brokerConfigs.get(name)!.defaultValue!
  const limits = listenerLimits(config)
  const open: OpenListener[] = []
  for (const { host, port, tls = null, advertised = null } of settings.listen) {
    const input: ListenerInput = {
      broker,
      nodeId: settings.nodeId,
      host,
      port,
      advertised,
      tls,
      limits,
      fetchSessionsMax: Number(config('max.incremental.fetch.session.cache.slots')),
      drainMs: 5_000,
    }
    open.push(await openListener(system, broker, input))
  }
  if (open.length > 0) await advertise(system, broker, open[0]!.bootstrapServer)
  return open
}

async function openListener(
  system: ActorSystem,
  broker: Address<BrokerContract>,
  input: ListenerInput,
): Promise<OpenListener> {
  const where = `${input.host}:${input.port}`
  try {
    const spawned = await system.spawn(listenerModule, input, { name: `listener-${where}`, lane: broker.lane })
    const link = system.link(listenerContract, spawned.address as Address<ListenerContract>)
    const { host, port } = input.advertised ?? (await link.ask('address', {}))
    link.close()
    return { bootstrapServer: host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`, spawned }
  } catch (error) {
    throw new KafkaError('ODK_LISTEN_FAILED', `cannot listen on ${where}: ${(error as Error).message}`, {
      cause: error,
    })
  }
}

async function advertise(system: ActorSystem, broker: Address<BrokerContract>, bootstrapServer: string): Promise<void> {
  const colon = bootstrapServer.lastIndexOf(':')
  const link = system.link(brokerContract, broker)
  await link.ask('advertise', { host: bootstrapServer.slice(0, colon), port: Number(bootstrapServer.slice(colon + 1)) })
  link.close()
}

function listenerLimits(config: (name: string) => string): ListenerLimits {
  return {
    requestBytesMax: Number(config('socket.request.max.bytes')),
    idleMs: Number(config('connections.max.idle.ms')),
    connectionsMax: Number(config('max.connections')),
    connectionsPerIpMax: Number(config('max.connections.per.ip')),
    readAheadRequestsMax: 128,
    readAheadBytesMax: 16 * MIB,
    unsentBytesMax: 8 * MIB,
  }
}
