// Kafka's names of the topics in which a cluster keeps its own state.

export const internalTopics = {
  offsets: '__consumer_offsets',
  transactions: '__transaction_state',
  metadata: '__cluster_metadata',
} as const

export function isInternalTopic(name: string): boolean {
  return name === internalTopics.offsets || name === internalTopics.transactions || name === internalTopics.metadata
}
