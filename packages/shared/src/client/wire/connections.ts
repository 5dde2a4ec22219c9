// The connections of one link, by endpoint: opened when first needed, dropped when the cluster no longer has their broker. Used by wire-link.
import type { WirePatience, WireSecurity } from '../../contracts/wire-security.ts'
import type { LinkHost } from '../cluster-link.ts'
import { ClusterFeatures } from './cluster-features.ts'
import { Connection } from './connection.ts'
import type { NodeEndpoint } from './metadata-view.ts'
import type { OpenSocket } from './open-socket.ts'

export interface ConnectionsOptions {
  readonly host: LinkHost
  readonly clientId: string
  readonly security: WireSecurity
  readonly patience: WirePatience
  readonly openSocket: OpenSocket
}

export class Connections {
  readonly features = new ClusterFeatures()
  readonly #options: ConnectionsOptions
  readonly #byEndpoint = new Map<string, Connection>()

  constructor(options: ConnectionsOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#byEndpoint.size
  }

  /** The connection of an endpoint, if it was ever needed. */
  known({ id }: { readonly id: string }): Connection | undefined {
    return this.#byEndpoint.get(id)
  }

  to({ id, host, port }: NodeEndpoint): Connection {
    let connection = this.#byEndpoint.get(id)
    if (connection === undefined) {
      connection = new Connection({ ...this.#options, address: { host, port }, features: this.features })
      this.#byEndpoint.set(id, connection)
    }
    return connection
  }

  /** Where a request goes that any of them can answer (Kafka: NetworkClient.leastLoadedNode): connected and least loaded, else the one that failed least among those that need not wait. */
  leastLoaded(candidates: readonly NodeEndpoint[], chance: (below: number) => number): NodeEndpoint {
    const load = (node: NodeEndpoint) => this.known(node)!.load
    const ready = candidates.filter(node => this.known(node)?.isReady)
    if (ready.length > 0) return ready.reduce((a, b) => (load(b) < load(a) ? b : a))
    const fresh = candidates.filter(node => !this.known(node)?.isBackingOff)
    const rest = fresh.length > 0 ? fresh : candidates
    const failures = (node: NodeEndpoint) => this.known(node)?.failures ?? 0
    const least = Math.min(...rest.map(failures))
    const best = rest.filter(node => failures(node) === least)
    return best[chance(best.length)]!
  }

  /** Drops what is not to be kept; what has requests on their way stays until it is asked again. */
  keep(isKept: (endpointId: string) => boolean): void {
    for (const [id, connection] of this.#byEndpoint) {
      if (isKept(id) || connection.load > 0) continue
      connection.close()
      this.#byEndpoint.delete(id)
    }
  }

  /** Why those that failed last did, each reason once. */
  reasons(): readonly string[] {
    const failed = [...this.#byEndpoint.values()].filter(({ failures }) => failures > 0)
    return [...new Set(failed.map(({ name, reason }) => (reason.includes(name) ? reason : `${name}: ${reason}`)))]
  }

  close(): void {
    for (const connection of this.#byEndpoint.values()) connection.close()
    this.#byEndpoint.clear()
  }
}
