// What every real client can be asked here, whatever language it is written in: write letters, read them back, administer. Each client answers with its own
// public API and default settings; what its API cannot express is said in `lacks` and in tools/conformance/FINDINGS.md.

/** Compression by Kafka's names. */
export type Codec = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'
export const codecs: readonly Codec[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

/** A record as it is written and as it must be read. */
export interface Letter {
  readonly partition: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly (readonly [string, Uint8Array | null])[]
}

/** A record as a client read it. */
export interface ReadLetter extends Letter {
  readonly topic: string
  readonly offset: number
}

/** What a client's API cannot say, so that it is not asked for it. */
export type Lack = 'null header values' | 'binary headers' | 'repeated headers' | 'empty keys' | 'binary keys'

export interface BrokerView {
  readonly clusterId: string | null
  readonly nodes: readonly { readonly id: number; readonly host: string; readonly port: number }[]
}

/** Administration; what a client has no API for is absent. Errors are the client's own, their text names Kafka's error. */
export interface RealAdmin {
  createTopic(name: string, partitions: number, configs: { readonly [name: string]: string }): Promise<void>
  listTopics(): Promise<readonly string[]>
  /** Number of partitions, all of them with a leader. */
  partitionsOf(topic: string): Promise<number>
  addPartitions(topic: string, total: number): Promise<void>
  configOf(topic: string, name: string): Promise<string | null>
  setConfig(topic: string, name: string, value: string): Promise<void>
  endOffset(topic: string, partition: number): Promise<number>
  beginningOffset(topic: string, partition: number): Promise<number>
  deleteRecords(topic: string, partition: number, before: number): Promise<void>
  deleteTopic(topic: string): Promise<void>
  cluster(): Promise<BrokerView>
}

export interface RealClient {
  readonly name: string
  readonly codecs: readonly Codec[]
  readonly lacks: readonly Lack[]
  /** What it fails to read although it has the codec, as `writer codec`: its own faults, each in FINDINGS.md. */
  readonly fails: readonly string[]
  /** Writes in this order, one after the other within a partition; resolves when all are acknowledged. */
  write(topic: string, codec: Codec, letters: readonly Letter[]): Promise<void>
  /** Reads topics from their beginnings until it has as many records of each as asked. */
  read(counts: ReadonlyMap<string, number>): Promise<readonly ReadLetter[]>
  readonly admin: Partial<RealAdmin>
  close(): Promise<void>
}

/** A client that may be absent on this machine. */
export interface RealClientKind {
  readonly name: string
  /** Why it cannot run here, with what to do; null when it can. */
  readonly missing: string | null
  open(bootstrapServers: string): Promise<RealClient>
}
