// Every bound of the house that is not a Kafka config, with its unit in the name, and how they relate.
// A room that needs a bound adds it here; values that users may set are options with these as defaults.
import { assert } from './assert.ts'

const KIB = 1024
const MIB = 1024 * KIB

export const limits = {
  /** Messages in flight (sent, not yet handled or answered) on one link. */
  linkMessagesMax: 1_024,
  /** Bytes of buffers in flight on one link. */
  linkBytesMax: 64 * MIB,
  /** Messages that wait for credit on one link before asks are refused with LINK_FULL. */
  linkQueueMessagesMax: 16_384,
  /** Bytes of buffers that wait for credit on one link before asks are refused with LINK_FULL. */
  linkQueueBytesMax: 64 * MIB,
  /** A buffer of at least this many bytes is transferred, a smaller one is cloned (measured: STACK 1). */
  transferBytesMin: 8 * KIB,
  /** Largest buffer that is lent again (`base/lent-buffers`), and what a thread keeps of those that nobody has. Bytes; the first a power of two. */
  lentBufferBytesMax: 4 * MIB,
  lentBytesKeptMax: 32 * MIB,
  /** Messages handled in one turn before a thread yields to its timers and sockets. */
  turnMessagesMax: 1_024,
  /** Turns that a lane takes one behind the other while its own actors speak with each other, before timers, sockets and ports get theirs. */
  turnsInRowMax: 32,
  /**
   * The longest wait that a thread looks through instead of sleeping, where such waits were short lately (`actor/lookout`): of the system's threads, which wait for what
   * their askers do with an answer; and of the caller's, which waits for the answer itself, some commits long. Microseconds.
   */
  lookMicros: 200,
  callerLookMicros: 500,
  /** Messages said to one thread before they are posted without waiting for the end of the turn. */
  turnPostMessagesMax: 128,
  /** Bytes of buffers said to one thread before they are posted without waiting for the end of the turn. */
  turnPostBytesMax: 256 * KIB,
  /** An ask without a deadline of its own. */
  askDeadlineMs: 30_000,
  /** Deaths of one actor within `restartWindowMs` that its supervisor answers with a restart; at the next one it gives up. */
  restartsMax: 20,
  restartWindowMs: 60_000,
  /** The first backoff; it doubles with each death in the window up to the longest. */
  restartDelayMinMs: 10,
  restartDelayMaxMs: 5_000,
  /** How long a client waits for the successor of an actor whose link ended before it ends that actor itself. */
  cutOffMs: 1_000,
  /** How long an actor may take to close in order before it is killed. */
  closeDeadlineMs: 10_000,
  /** How long the supervisor waits for a gate before it gives the process up. */
  gateDeadlineMs: 30_000,
  /** How long a lane may take to describe its actors before it is listed as unresponsive. */
  describeDeadlineMs: 5_000,
  /** How long a new thread may take from its start to `ready`. */
  threadStartDeadlineMs: 30_000,
  /**
   * Young generation of a thread's heap, MiB (three semi-spaces). Buffers lie outside of the heap, so what threads make and drop is small; a nursery that
   * may grow to V8's 48 MiB only keeps garbage resident, on every thread (measured: decision 0024).
   */
  threadYoungGenerationMib: 6,
  /** How long log lines and trace events wait in a thread for others before they are sent to the embedding thread. */
  reportDelayMs: 20,
  /** Log lines that wait in one thread before further ones are dropped (and counted). */
  logLinesMax: 4_096,
  /** Trace events kept per thread before the oldest are dropped (and counted). */
  traceEventsMax: 65_536,
  /** A group commit is written at once, before the turn ends, when it holds this much. */
  groupCommitBytesMax: 4 * MIB,
  groupCommitEntriesMax: 4_096,
  /** Bytes of log files that may stay mapped in one thread before environments close to unmap them: mapped pages count as resident memory. */
  mappedLogBytesMax: 32 * MIB,
  /** Stored bytes that compaction works on before it lets its thread serve others (measured: about a millisecond of small records). */
  compactionSliceBytes: 256 * KIB,
  /** A WebAssembly codec whose memory has grown past this is given up after the call: its memory never shrinks. */
  wasmMemoryKeptBytesMax: 16 * MIB,
  /**
   * Array elements in one protocol message, so that minimal elements cannot grow into many times their bytes in memory.
   * A struct counts as eight (it is an object), a primitive as one (it is eight bytes of its array).
   */
  messageElementsMax: 8_000_000,
  /** Fetches parked at one partition leader. */
  parkedFetchesMax: 16_384,
  /** Requests that wait for a coordinator shard to load or to pass a barrier, and for how long before they are refused. */
  shardWaitingMax: 16_384,
  shardWaitMs: 2_000,
  /** Requests that one coordinator shard has not answered, whatever they wait for (members of a rebalance included). */
  shardAskersMax: 131_072,
  /** Bytes of log that a loading shard reads at once, and to how much one batch of them may decompress. */
  shardLoadFetchBytes: MIB,
  shardRecordsBytesMax: 64 * MIB,
  /** How long a record that nobody waits for may wait for the append of another. */
  shardPatienceMs: 20,
  /** How long a shard waits after a failed load before it tries again. */
  shardRetryMs: 250,
  /** Batches that a producer has handed to its sender and that are not answered; more wait in the producer, within `buffer.memory`. */
  senderBatchesMax: 512,
  /**
   * Bytes of closed batches on their way at which `enqueue` asks its caller to wait. A caller that does not wait does not yield, and hears no
   * acknowledgement: with the whole of `buffer.memory` as the bound, caller and sender work in turns instead of together.
   */
  enqueueOnTheirWayBytesMax: 4 * MIB,
  /** Sends that wait for room in `buffer.memory` or for a topic's metadata, per producer. */
  waitingSendsMax: 65_536,
  /** Memory that a sender keeps for copies of batches in flight while it is not in use. */
  retainedFreeBytesMax: 8 * MIB,
  /** What a consumer's thread fetches ahead of its reader, over all partitions (default of `prefetchBytesMax`). */
  consumerPrefetchBytes: 16 * MIB,
  /** As above, in records (default of `prefetchRecordsMax`). */
  consumerPrefetchRecords: 500_000,
  /** Delivered to a consumer's caller and not finished by it. */
  consumerWindowBytes: 4 * MIB,
  /** Characters of the records of one OffsetCommit that holds commits of several callers; a larger commit goes alone. */
  gatheredCommitCharsMax: 32 * KIB,
  /** Least that a consumer asks of a partition, however many share its prefetch bound. */
  consumerFetchBytesMin: 16 * KIB,
  /** What one compressed batch may become when a consumer decompresses it. */
  decompressedBatchBytesMax: 256 * MIB,
  /** What one batch may decompress to before a leader refuses it; at most what consumers take. */
  appendDecompressedBytesMax: 64 * MIB,
  /** Records named in one refusal of a batch (KIP-467). */
  recordErrorsMax: 128,
  /** Producers remembered by one partition leader; beyond, those that were silent longest are forgotten. */
  producerIdsMax: 100_000,
  /** Producers that wait for their verification (KIP-890) at one partition leader; beyond, the oldest must ask again. */
  verificationsMax: 10_000,
  /** How long a request waits for a transaction that is being ended before it is answered as Kafka would, and how many may wait. */
  transactionWaitMs: 5_000,
  transactionWaitersMax: 16_384,
  /** Producers of which a door remembers, per leader, that their transaction is open there; beyond, the leader is asked again. */
  openTransactionsKnownMax: 10_000,
  /** One try to write the markers of a transaction, and the wait between tries, which doubles. */
  markerDeadlineMs: 10_000,
  markerRetryMinMs: 10,
  markerRetryMaxMs: 1_000,
  /** Partitions that one fetch session remembers; a client that fetches more gets none. */
  fetchSessionPartitionsMax: 100_000,
  /** Requests that wait for one connection of the wire link to be made. */
  wireRequestsWaitingMax: 4_096,
  /** Coordinators of groups and transactional ids that a wire link remembers; beyond, the oldest is asked for again. */
  coordinatorsKnownMax: 10_000,
  /** Topics that a wire link remembers beside those of the last reply; beyond, those that were not asked for longest are forgotten. */
  topicsKnownMax: 100_000,
  /** Partitions that one admin request may create (Kafka: ReplicationControlManager's MAX_PARTITIONS_PER_BATCH). */
  partitionsPerRequestMax: 10_000,
  /** Threads that one `consume` or `pipeline` may ask for: more than machines have cores is a mistake. */
  moduleThreadsMax: 256,
  /** Topics given by name alone whose name a thread's clients need not check again; beyond, all are checked anew. */
  rawTopicsKnownMax: 1_024,
} as const

export type Limits = { readonly [K in keyof typeof limits]: number }

assert(limits.linkBytesMax >= 4 * limits.groupCommitBytesMax, 'one link can feed several group commits')
assert(
  limits.turnMessagesMax <= limits.linkMessagesMax,
  'a turn never needs more messages than a link may have in flight',
)
assert(
  limits.turnPostMessagesMax <= limits.turnMessagesMax,
  'an array that is posted early never exceeds what a turn may handle',
)
assert(Number.isInteger(Math.log2(limits.lentBufferBytesMax)), 'classes of lent buffers are powers of two')
assert(limits.shardWaitingMax <= limits.shardAskersMax, 'who waits for a shard has asked it')
assert(limits.senderBatchesMax <= limits.linkMessagesMax, 'batches on their way to a sender never wait for credit')
assert(
  limits.appendDecompressedBytesMax <= limits.decompressedBatchBytesMax,
  'what a leader accepts, a consumer can decompress',
)
assert(limits.transactionWaitMs < limits.askDeadlineMs, 'who waits for the end of a transaction is answered in time')
assert(limits.markerRetryMinMs <= limits.markerRetryMaxMs, 'the wait between markers grows')
assert(limits.restartDelayMinMs <= limits.restartDelayMaxMs, 'a backoff grows')
assert(limits.closeDeadlineMs <= limits.gateDeadlineMs, 'an orderly close is given up before a gate is')
