// Fetch at a door. One partition: its leader parks the fetch. Several: all are read at once, in waves that respect the response's byte limit;
// if that is too little, the door waits for the leaders' `advanced` news and reads once more. No session is known here: the listener keeps those.
import { onAbort } from '../../base/abort.ts'
import type { FetchResponse as LeaderFetchResponse } from '../../contracts/partition-leader.contract.ts'
import type { FetchPartition, FetchRequest, FetchResponse, FetchTopic } from '../../protocol/messages/01-fetch.ts'
import { NO_BYTES, NO_DIVERGENCE, NO_LEADER, NO_SNAPSHOT } from './absent.ts'
import type { Answer, Caller, Door } from './door.ts'
import { type Leader, watchLeader } from './leader-directory.ts'
import { withLeader } from './with-leader.ts'

type PartitionResponse = FetchResponse['responses'][number]['partitions'][number]

/** One partition of a fetch on its way. */
interface Part {
  readonly topic: FetchTopic
  readonly asked: FetchPartition
  leader: Leader | undefined
  response: PartitionResponse
}

/** Extra time that a parked fetch has to come back, beyond its own wait. Milliseconds. */
const RETURN_MS = 30_000
const READ_COMMITTED = 1

export const fetch: Answer<'Fetch'> = async (door, request, caller) => {
  const parts = request.topics.flatMap(topic =>
    topic.partitions.map(
      asked => ({ topic, asked, leader: undefined, response: emptyResponse(asked.partition, 0) }) as Part,
    ),
  )
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

async function fetchMany(door: Door, request: FetchRequest, caller: Caller, parts: readonly Part[]): Promise<void> {
  if (request.maxWaitMs <= 0 || request.minBytes <= 0) {
    await readAll(door, request, caller, parts)
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
  try {
    const deadline = door.host.clock.monotonic() + request.maxWaitMs
    for (;;) {
      const { bytes, failed } = await readAll(door, request, caller, parts)
      const leftMs = deadline - door.host.clock.monotonic()
      if (failed || bytes >= request.minBytes || leftMs <= 0 || caller.signal?.aborted) return
      await arrival.wait(request.minBytes - bytes, leftMs, caller.signal)
    }
  } finally {
    arrival.stop()
  }
}

/** Reads all partitions, in waves whose limits fit what is left of `maxBytes`. */
async function readAll(
  door: Door,
  request: FetchRequest,
  caller: Caller,
  parts: readonly Part[],
): Promise<{ bytes: number; failed: boolean }> {
  let bytes = 0
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
  for (const { response } of wave) {
    const size = response.records?.byteLength ?? 0
    if (size === 0) continue
    if (bytes + size > left && !(first && bytes === 0)) response.records = NO_BYTES
    else bytes += size
  }
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
  part.response = await withLeader(
    door,
    ref,
    caller,
    async leader => {
      part.leader = leader
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
      return toResponse(asked.partition, fetched)
    },
    code => emptyResponse(asked.partition, code),
  )
}

/** Counts what becomes readable at the watched leaders. */
function watchAll(door: Door, parts: readonly Part[], { isolationLevel }: FetchRequest) {
  let arrived = 0
  let enough = Number.POSITIVE_INFINITY
  let wake: () => void = () => undefined
  const stops = parts.map(({ topic, asked }) => {
    const leader = door.leaders.known({ topic: topic.topic, topicId: topic.topicId, partition: asked.partition })
    if (!leader) return () => false
    return watchLeader(leader, ({ bytes, highWatermark, lastStableOffset }) => {
      if ((isolationLevel === READ_COMMITTED ? lastStableOffset : highWatermark) <= asked.fetchOffset) return
      arrived += bytes
      if (arrived >= enough) wake()
    })
  })
  return {
    /** Resolves when `bytes` more became readable since the last call, after `ms`, or when the signal fires. */
    wait(bytes: number, ms: number, signal: AbortSignal | undefined): Promise<void> {
      return new Promise(resolve => {
        const timer = door.host.clock.after(ms, () => wake())
        const detach = signal === undefined ? undefined : onAbort(signal, () => wake())
        wake = () => {
          timer.cancel()
          detach?.()
          arrived = 0
          enough = Number.POSITIVE_INFINITY
          resolve()
        }
        enough = bytes
        if (arrived >= enough) wake()
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
