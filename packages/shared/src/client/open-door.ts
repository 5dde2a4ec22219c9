// How a client finds its cluster: an embedded broker brings its own threads; for a cluster over TCP each client gets a small actor system of its own.

import type { Log } from '../actor/actor.ts'
import type { ActorHost } from '../actor/actor-host.ts'
import { createActorSystem } from '../actor/actor-system.ts'
import { KafkaError } from '../base/errors.ts'
import { limits } from '../base/limits.ts'
import type { WirePatience, WireSecurity } from '../contracts/wire-security.ts'
import { type ClientHost, type ClusterDoor, clusterDoor, type EmbeddedBroker, type LinkInput } from './cluster-link.ts'
import type { ResolvedCommonOptions } from './common-options.ts'

const silent: Log = { debug() {}, info() {}, warn() {}, error() {} }

/** The door of `bootstrapServers`. Throws ODK_OPTION_INVALID for an object that is no broker; `where` names the call; `threads`: of a system of its own. */
export function openClusterDoor(where: string, options: ResolvedCommonOptions, threads = 1): ClusterDoor {
  const { bootstrapServers, clientId } = options
  if (!Array.isArray(bootstrapServers)) {
    if (!(clusterDoor in bootstrapServers)) {
      throw new KafkaError(
        'ODK_OPTION_INVALID',
        `${where}: bootstrapServers must be a broker, 'host:port,...', or a list of 'host:port'`,
      )
    }
    const door = (bootstrapServers as EmbeddedBroker)[clusterDoor]
    return { ...door, link: door.link.kind === 'port' ? { ...door.link, clientId } : door.link }
  }
  if (bootstrapServers.length === 0) {
    throw new KafkaError(
      'ODK_OPTION_MISSING',
      `${where}: bootstrapServers is missing: give a broker, 'host:port,...', or a list of 'host:port'`,
    )
  }
  // Sockets answer later than a look lasts, and the servers of this machine may want the core (measured: decision 0043).
  const system = createActorSystem({ name: clientId, threads, busyPoll: 'off' })
  const security = securityOf(options)
  const link: LinkInput = { kind: 'wire', bootstrapServers, clientId, security, patience: patienceOf(options) }
  return {
    host: clientHostOf(system),
    link,
    release: () => system.close(),
    ticket: () => ({ port: system.door(), link }),
  }
}

/** Only what a link needs: options may hold functions, which reach no other thread. */
function patienceOf(options: ResolvedCommonOptions): WirePatience {
  const {
    requestTimeoutMs,
    retryBackoffMs,
    retryBackoffMaxMs,
    reconnectBackoffMs,
    reconnectBackoffMaxMs,
    metadataMaxAgeMs,
    connectionsMaxIdleMs,
    socketConnectionSetupTimeoutMs,
    socketConnectionSetupTimeoutMaxMs,
    bootstrapTimeoutMs,
  } = options
  return {
    requestTimeoutMs,
    retryBackoffMs,
    retryBackoffMaxMs,
    reconnectBackoffMs,
    reconnectBackoffMaxMs,
    metadataMaxAgeMs,
    connectionsMaxIdleMs,
    socketConnectionSetupTimeoutMs,
    socketConnectionSetupTimeoutMaxMs,
    bootstrapTimeoutMs,
  }
}

/** An actor system as clients use it. */
export function clientHostOf(system: ActorHost, log: Log = silent): ClientHost {
  return {
    clock: system.clock,
    random: system.random,
    log,
    limits,
    link: (contract, address) => system.link(contract, address),
    spawn: (module, input, options) => system.spawn(module, input, options),
  }
}

function securityOf({ tls, sasl }: ResolvedCommonOptions): WireSecurity {
  return { ...(tls === false ? {} : { tls: tls === true ? {} : tls }), ...(sasl ? { sasl } : {}) }
}
