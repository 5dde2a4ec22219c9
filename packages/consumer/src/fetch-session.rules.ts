// Incremental fetch sessions, the client's side (KIP-227; Kafka's FetchSessionHandler). A session lets a request name only the
// partitions that are new or changed. Used with brokers over TCP; a leader's own port needs none. Pure.
import { errors } from '@odradek/shared/protocol/error-codes'

/** What a session compares: a partition is sent again when one of these changed. */
export interface SessionPartition {
  readonly key: number
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  readonly fetchOffset: number
  readonly currentLeaderEpoch: number
  readonly lastFetchedEpoch: number
  readonly partitionMaxBytes: number
}

export interface FetchSession {
  /** 0: none yet. */
  readonly sessionId: number
  /** Of the next request: 0 begins a session with a full fetch, -1 would end it. */
  readonly epoch: number
  /** What the broker believes that we ask for, by topic id and partition: it knows nothing of our keys. */
  readonly partitions: ReadonlyMap<string, SessionPartition>
}

export const NO_SESSION: FetchSession = { sessionId: 0, epoch: 0, partitions: new Map() }
const EPOCH_MAX = 2 ** 31 - 1

export interface SessionRequest {
  readonly sessionId: number
  readonly epoch: number
  readonly toSend: readonly SessionPartition[]
  readonly toForget: readonly SessionPartition[]
  /** The session, should the broker answer without an error. */
  readonly session: FetchSession
}

/** The next request of the session for exactly these partitions. */
export function nextRequest(session: FetchSession, wanted: readonly SessionPartition[]): SessionRequest {
  const partitions = new Map(wanted.map(partition => [nameOf(partition), partition]))
  const { sessionId, epoch } = session
  if (epoch === 0) return { sessionId, epoch, toSend: wanted, toForget: [], session: { ...session, partitions } }
  const toSend = wanted.filter(partition => !isUnchanged(session.partitions.get(nameOf(partition)), partition))
  // A partition that went and came back is in one list only: brokers forget after they add.
  const toForget = [...session.partitions].filter(([name]) => !partitions.has(name)).map(([, known]) => known)
  return { sessionId, epoch, toSend, toForget, session: { ...session, partitions } }
}

/** The session after an answer. On an error the next request is a full one; the broker's refusal of a session is respected. */
export function sessionAnswered(sent: FetchSession, errorCode: number, sessionId: number): FetchSession {
  if (errorCode === errors.FETCH_SESSION_ID_NOT_FOUND.code || errorCode === errors.FETCH_SESSION_TOPIC_ID_ERROR.code) {
    return NO_SESSION
  }
  if (errorCode !== errors.NONE.code) return { ...NO_SESSION, sessionId: sent.sessionId }
  if (sessionId === 0) return NO_SESSION
  return { sessionId, epoch: sent.epoch >= EPOCH_MAX ? 1 : sent.epoch + 1, partitions: sent.partitions }
}

function isUnchanged(known: SessionPartition | undefined, wanted: SessionPartition): boolean {
  return (
    known !== undefined &&
    known.key === wanted.key &&
    known.fetchOffset === wanted.fetchOffset &&
    known.currentLeaderEpoch === wanted.currentLeaderEpoch &&
    known.lastFetchedEpoch === wanted.lastFetchedEpoch &&
    known.partitionMaxBytes === wanted.partitionMaxBytes
  )
}

function nameOf({ topicId, topic, partition }: SessionPartition): string {
  return `${topicId} ${topic} ${partition}`
}
