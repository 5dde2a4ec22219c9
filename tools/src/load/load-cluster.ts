// The cluster that a load run drives: an embedded broker in this process, or any Kafka cluster over TCP. Makes the topic, and knows its ends.

import { type Broker, createBroker } from '@odradek/broker'
import { createConsumer } from '@odradek/consumer'
import type { LoadTarget } from './client-messages.ts'

export interface LoadCluster extends AsyncDisposable {
  /** For people and for the result. */
  readonly name: string
  /** One per client thread. */
  target(): LoadTarget
  createTopic(topic: string, partitions: number): Promise<void>
  /** Offsets after the last record, by partition. */
  ends(topic: string): Promise<readonly number[]>
  beginnings(topic: string): Promise<readonly number[]>
}

export interface EmbeddedOptions {
  /** Undefined: logs in memory. */
  readonly dir: string | undefined
  readonly threads: number | 'auto'
  readonly config: { readonly [name: string]: string }
  readonly topic: string
  readonly partitions: number
}

export async function embeddedCluster({
  dir,
  threads,
  config,
  topic,
  partitions,
}: EmbeddedOptions): Promise<LoadCluster> {
  const storage = dir === undefined ? ({ storage: 'memory' } as const) : { dir }
  const broker: Broker = await createBroker({
    ...storage,
    threads,
    config,
    listen: false,
    topics: { [topic]: partitions },
  })
  return {
    name: `embedded, logs ${dir === undefined ? 'in memory' : 'in LMDB'}, threads ${threads}`,
    target: () => ({ kind: 'embedded', ticket: broker.door() }),
    createTopic: async () => undefined,
    ...offsetsOf({ bootstrapServers: broker }),
    [Symbol.asyncDispose]: () => broker.close(),
  }
}

/** Offsets of a topic by a short-lived consumer. */
export function offsetsOf(where: {
  readonly bootstrapServers: object | string
}): Pick<LoadCluster, 'ends' | 'beginnings'> {
  const ask = async (topic: string, which: 'endOffsets' | 'beginningOffsets') => {
    await using consumer = createConsumer({ ...where, clientId: 'odradek-load-offsets' })
    const partitions = (await consumer.partitionsFor(topic)).map(partition => ({ topic, partition }))
    return (await consumer[which](partitions)).map(Number)
  }
  return { ends: topic => ask(topic, 'endOffsets'), beginnings: topic => ask(topic, 'beginningOffsets') }
}
