// Fetch at a door. One partition: its leader parks the fetch. Several: all are read at once, in waves that respect the response's byte limit; if that is
// too little, the door waits for the leaders' `advanced` news and then asks those leaders alone that have more. A leader that was asked a moment ago and is
// watched since is not asked again while there is nothing to read. No session is known here: the listener keeps those.
import { onAbort } from '../../base/abort.ts'
import { giveBack } from '../../base/lent-buffers.ts'
import type { FetchResponse as LeaderFetchResponse } from '../../contracts/partition-leader.contract.ts'
import type { FetchPartition, FetchRequest, FetchResponse, FetchTopic } from '../../protocol/messages/01-fetch.ts'
import { NO_BYTES, NO_DIVERGENCE, NO_LEADER, NO_SNAPSHOT } from './absent.ts'
import type { Answer, Caller, Door } from './door.ts'
import { knownEnds, type Leader, noteEnds, watchLeader } from './leader-directory.ts'
import { withLeader } from './with-leader.ts'

type PartitionResponse = FetchResponse['responses'][number]['partitions'][number]

/** One partition of a fetch on its way. */
interface Part {
  readonly topic: FetchTopic
  readonly asked: FetchPartition
  leader: Leader | undefined
  response: PartitionResponse
  /** How far can be read by the leader's news since this fetch came, -1 none, and what the news since the last look brought. */
  toldEnd: number
  toldBytes: number
  /** What could be read as well, within what the client takes of the partition: Kafka counts what is there, not what is sent, for `minBytes`. */
  withheldBytes: number
}

/** Extra time that a parked fetch has to come back, beyond its own wait. Milliseconds. */
const RETURN_MS = 30_000
const READ_COMMITTED = 1

export const fetch: Answer<'Fetch'> = async (door, request, caller) => {
  const parts = request.topics.flatMap(topic => topic.partitions.map(asked => unread(topic, asked)))
  if (parts.length === 1)
    await read(door, request, caller, parts[0]!, {
      minBytes: request.minBytes,
      maxWaitMs: request.maxWaitMs,
      maxBytes: request.maxBytes,
      minOneBatch: true,
    })
  else if (parts.length > 1) await fetchMany(door, request, caller, parts)
  return { throttleTimeMs: 0, errorCode: 0, sessionId: 0, responses: byTopic(parts), nodeEndpoints: [] }
}

function unread(topic: FetchTopic, asked: FetchPartition): Part {
  const response = emptyResponse(asked.partition, 0)
  return { topic, asked, leader: undefined, response, toldEnd: -1, toldBytes: 0, withheldBytes: 0 }
}

async function fetchMany(door: Door, request: FetchRequest, caller: Caller, parts: readonly Part[]): Promise<void> {
  if (request.maxWaitMs <= 0 || request.minBytes <= 0) {
    await readAll(door, request, caller, { parts, keptBytes: 0 })
    return
  }
  // Watching begins before the first read, on the same links: what arrives between the read and the wait is not missed.
  await door.leaders
    .find(
      parts.map(({ topic, asked }) => ({ topic: topic.topic, topicId: topic.topicId, partition: asked.partition })),
      caller.deadlineMs,
      caller.signal,
    )
    .catch(() => undefined)
  const arrival = watchAll(door, parts, request)
  for (const part of parts) answerFromNews(door, request, part)
  try {
    const deadline = door.host.clock.monotonic() + request.maxWaitMs
    for (let unseen = parts.filter(({ leader }) => !leader), keptBytes = 0; ; ) {
      const { bytes, failed } = await readAll(door, request, caller, { parts: unseen, keptBytes })
      const leftMs = deadline - door.host.clock.monotonic()
      const there = parts.reduce((sum, { withheldBytes }) => sum + withheldBytes, bytes)
      if (failed || there >= request.minBytes || leftMs <= 0 || caller.signal?.aborted) return
      await arrival.wait(request.minBytes - there, leftMs, caller.signal)
      unseen = parts.filter(part => hasMore(part, request) || part.leader?.link.isClosed)
      keptBytes = bytes - unseen.reduce((sum, part) => sum + letGo(part), 0)
    }
  } finally {
    arrival.stop()
  }
}

/** Answers for a leader without asking it, when its answer is known: there is nothing to read at the offset. */
function answerFromNews(door: Door, { isolationLevel }: FetchRequest, part: Part): void {
  const { topic, asked } = part
  const leader = door.leaders.known({ topic: topic.topic, topicId: topic.topicId, partition: asked.partition })
  const ends = leader && knownEnds(leader, door.host.clock.monotonic())
  if (!ends || asked.lastFetchedEpoch >= 0) return
  if (asked.currentLeaderEpoch >= 0 && asked.currentLeaderEpoch !== leader.leaderEpoch) return
  if (asked.fetchOffset < readableEnd(ends, isolationLevel) || asked.fetchOffset > ends.highWatermark) return
  part.leader = leader
  part.response = {
    ...emptyResponse(asked.partition, 0),
    ...ends,
    abortedTransactions: isolationLevel === READ_COMMITTED ? [] : null,
  }
}

/** Reads partitions, in waves whose limits fit what is left of `maxBytes`; `keptBytes` of it were read before and stay. `bytes`: with them. */
async function readAll(
  door: Door,
  request: FetchRequest,
  caller: Caller,
  { parts, keptBytes }: { readonly parts: readonly Part[]; readonly keptBytes: number },
): Promise<{ bytes: number; failed: boolean }> {
  let bytes = keptBytes
  let failed = false
  for (let at = 0; at < parts.length; ) {
    const left = Math.max(0, request.maxBytes - bytes)
    const wave = nextWave(parts, at, left)
    // Only the first partition with data may exceed the limits (KIP-74).
    const minOneBatch = bytes === 0
    await Promise.all(
      wave.map(part => read(door, request, caller, part, { minBytes: 0, maxWaitMs: 0, maxBytes: left, minOneBatch })),
    )
    bytes += trim(wave, left, bytes === 0)
    failed ||= wave.some(part => part.response.errorCode !== 0 || part.response.divergingEpoch.epoch >= 0)
    at += wave.length
  }
  return { bytes, failed }
}

function nextWave(parts: readonly Part[], from: number, left: number): readonly Part[] {
  let sum = 0
  let to = from
  while (to < parts.length && (to === from || sum < left)) sum += parts[to++]!.asked.partitionMaxBytes
  return parts.slice(from, to)
}

/** Empties what came too much; returns the bytes that stay. The first data of a response always stays. */
function trim(wave: readonly Part[], left: number, first: boolean): number {
  let bytes = 0
  for (const part of wave) {
    const size = part.response.records?.byteLength ?? 0
    if (size === 0) continue
    if (bytes + size > left && !(first && bytes === 0)) part.withheldBytes += letGo(part)
    else bytes += size
  }
  return bytes
}

/** Drops the records that were read, if any; returns their bytes. */
function letGo({ response }: Part): number {
  const { records } = response
  if (!records || records.byteLength === 0) return 0
  const bytes = records.byteLength
  giveBack(records)
  response.records = NO_BYTES
  return bytes
}

interface ReadLimits {
  readonly minBytes: number
  readonly maxWaitMs: number
  readonly maxBytes: number
  readonly minOneBatch: boolean
}

async function read(door: Door, request: FetchRequest, caller: Caller, part: Part, limits: ReadLimits): Promise<void> {
  const { topic, asked } = part
  const ref = { topic: topic.topic, topicId: topic.topicId, partition: asked.partition }
  part.withheldBytes = 0
  part.response = await withLeader(
    door,
    ref,
    caller,
    async leader => {
      part.leader = leader
      const { begun } = leader.watch
      const fetched = await leader.link.ask(
        'fetch',
        {
          currentLeaderEpoch: asked.currentLeaderEpoch,
          fetchOffset: asked.fetchOffset,
          lastFetchedEpoch: asked.lastFetchedEpoch,
          partitionMaxBytes: Math.min(asked.partitionMaxBytes, limits.maxBytes),
          isolationLevel: request.isolationLevel,
          minBytes: limits.minBytes,
          maxWaitMs: limits.maxWaitMs,
          minOneBatch: limits.minOneBatch,
          lend: caller.givesBack === true,
        },
        caller.signal
          ? { deadlineMs: limits.maxWaitMs + RETURN_MS, signal: caller.signal }
          : { deadlineMs: limits.maxWaitMs + RETURN_MS },
      )
      if (fetched.errorCode === 0) noteEnds(leader, begun, { ends: fetched, now: door.host.clock.monotonic() })
      if (fetched.more) part.withheldBytes = Math.max(0, asked.partitionMaxBytes - fetched.records.byteLength)
      return toResponse(asked.partition, fetched)
    },
    code => emptyResponse(asked.partition, code),
  )
}

/** Whether the leader told of more than the last look at it showed. */
function hasMore({ toldEnd, response }: Part, { isolationLevel }: FetchRequest): boolean {
  return toldEnd > readableEnd(response, isolationLevel)
}

function readableEnd(
  { highWatermark, lastStableOffset }: { readonly highWatermark: number; readonly lastStableOffset: number },
  isolationLevel: number,
): number {
  return isolationLevel === READ_COMMITTED ? lastStableOffset : highWatermark
}

/** Notes at each part what becomes readable at its leader. */
function watchAll(door: Door, parts: readonly Part[], request: FetchRequest) {
  let lackingBytes = Number.POSITIVE_INFINITY
  let wake: () => void = () => undefined
  const stops = parts.map(part => {
    const { topic, asked } = part
    const leader = door.leaders.known({ topic: topic.topic, topicId: topic.topicId, partition: asked.partition })
    if (!leader) return () => false
    return watchLeader(leader, advanced => {
      part.toldEnd = Math.max(part.toldEnd, readableEnd(advanced, request.isolationLevel))
      // Behind what this fetch asks for, or seen already.
      if (part.toldEnd <= asked.fetchOffset || !hasMore(part, request)) return
      part.toldBytes += advanced.bytes
      lackingBytes -= advanced.bytes
      if (lackingBytes <= 0) wake()
    })
  })
  return {
    /** Resolves when leaders told of `bytes` more than was seen, after `ms`, or when the signal fires. */
    wait(bytes: number, ms: number, signal: AbortSignal | undefined): Promise<void> {
      return new Promise(resolve => {
        const timer = door.host.clock.after(ms, () => wake())
        const detach = signal === undefined ? undefined : onAbort(signal, () => wake())
        wake = () => {
          timer.cancel()
          detach?.()
          lackingBytes = Number.POSITIVE_INFINITY
          resolve()
        }
        lackingBytes = bytes
        for (const part of parts) {
          // What came while the leader was being asked may be in its answer.
          if (!hasMore(part, request)) part.toldBytes = 0
          lackingBytes -= part.toldBytes
        }
        if (lackingBytes <= 0) wake()
      })
    },
    stop(): void {
      for (const stop of stops) stop()
    },
  }
}

function toResponse(partitionIndex: number, fetched: LeaderFetchResponse): PartitionResponse {
  return {
    partitionIndex,
    errorCode: fetched.errorCode,
    highWatermark: fetched.highWatermark,
    lastStableOffset: fetched.lastStableOffset,
    logStartOffset: fetched.logStartOffset,
    divergingEpoch: fetched.divergingEpoch ?? NO_DIVERGENCE,
    currentLeader: NO_LEADER,
    snapshotId: NO_SNAPSHOT,
    abortedTransactions: fetched.abortedTransactions as PartitionResponse['abortedTransactions'],
    preferredReadReplica: -1,
    records: fetched.records,
  }
}

function emptyResponse(partitionIndex: number, errorCode: number): PartitionResponse {
  return {
    partitionIndex,
    errorCode,
    highWatermark: -1,
    lastStableOffset: -1,
    logStartOffset: -1,
    divergingEpoch: NO_DIVERGENCE,
    currentLeader: NO_LEADER,
    snapshotId: NO_SNAPSHOT,
    abortedTransactions: null,
    preferredReadReplica: -1,
    records: NO_BYTES,
  }
}

function byTopic(parts: readonly Part[]): FetchResponse['responses'] {
  const topics = new Map<FetchTopic, FetchResponse['responses'][number]>()
  for (const { topic, leader, response } of parts) {
    const entry = topics.get(topic) ?? {
      topic: topic.topic || (leader?.topic ?? ''),
      topicId: topic.topicId,
      partitions: [],
    }
    topics.set(topic, entry)
    entry.partitions.push(response)
  }
  return [...topics.values()]
}
