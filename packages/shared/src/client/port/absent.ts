// What "not there" looks like in replies, shared so that nothing is allocated for it.

/** No hint about another leader (KIP-951). */
export const NO_LEADER = { leaderId: -1, leaderEpoch: -1 }
/** No divergence found (KIP-320). */
export const NO_DIVERGENCE = { epoch: -1, endOffset: -1 }
/** Not a log that was replaced by a snapshot. */
export const NO_SNAPSHOT = { endOffset: -1, epoch: -1 }
export const NO_BYTES = new Uint8Array(0)
