// Features of the cluster (KIP-584): what there is, how far it may move, and what a fresh cluster has finalized: the levels of a fresh Kafka 4.3.

export interface Feature {
  readonly name: string
  readonly minSupported: number
  readonly maxSupported: number
  /** Of a fresh cluster. */
  readonly level: number
}

/** What is finalized now. Clients of the network speak as it says: `transaction.version` below 2 makes them use the older protocol of transactions (KIP-890). */
export interface FinalizedFeatures {
  /** Grows with every change. */
  readonly epoch: number
  /** By name; a feature at level 0 is left out. */
  readonly levels: { readonly [feature: string]: number }
}

/**
 * metadata.version 30 is Kafka's 4.3-IV0: the form in which our metadata records are written, so it cannot be changed. Nor can group.version: 1 is the consumer protocol, which is always
 * served.
 */
export const features: readonly Feature[] = [
  { name: 'metadata.version', minSupported: 30, maxSupported: 30, level: 30 },
  { name: 'group.version', minSupported: 1, maxSupported: 1, level: 1 },
  { name: 'transaction.version', minSupported: 0, maxSupported: 2, level: 2 },
]
