// What the cluster has finalized (KIP-584), by the newest answer of any of its brokers; one for all connections of a link. A broker that has just started
// does not know yet: a client that took its word would speak the old protocol of transactions with it and the new one with the others, in one transaction.
import type { ApiVersionsResponse } from '../../protocol/messages/18-api-versions.ts'

export class ClusterFeatures {
  /** Level by feature. The same map for the life of the link. */
  readonly levels: ReadonlyMap<string, number>
  readonly #levels = new Map<string, number>()
  #epoch = Number.NEGATIVE_INFINITY

  constructor() {
    this.levels = this.#levels
  }

  /** An answer with an older epoch than one that was heard before says nothing new. */
  learn({ finalizedFeatures, finalizedFeaturesEpoch }: ApiVersionsResponse): void {
    if (finalizedFeaturesEpoch < this.#epoch) return
    this.#epoch = finalizedFeaturesEpoch
    this.#levels.clear()
    for (const { name, maxVersionLevel } of finalizedFeatures) this.#levels.set(name, maxVersionLevel)
  }
}
