// The leader's writing hand: gathers the appends and markers of an event turn, writes them as one commit at its end (at once when they
// are many), and answers each when the log has it. Readers are told by the caller's `committed`.

import type { ActorContext } from '@odradek/shared/actor/actor'
import { releaseBuffers } from '@odradek/shared/actor/release-buffers'
import { isLent } from '@odradek/shared/base/lent-buffers'
import type {
  AppendRequest,
  AppendResponse,
  MarkerWritten,
  WriteMarkerRequest,
} from '@odradek/shared/contracts/partition-leader.contract'
import { type ErrorName, errors } from '@odradek/shared/protocol/error-codes'
import { buildEndTxnMarker } from '@odradek/shared/records/control-records'
import { judgeAppend, type RecordError } from './append.rules.ts'
import {
  appendGroupOf,
  applyGroup,
  beginGroup,
  type Group,
  producersToForget,
  stageMarker,
  stageRecords,
} from './group-commit.rules.ts'
import { type Leadership, logErrorCode } from './leadership.ts'
import { lastStableOffset, oldestUndecided } from './transaction-index.rules.ts'

const NO_RECORD_ERRORS: readonly RecordError[] = []
const NONE = errors.NONE.code

/** Who wants to know how commits went. */
export interface CommitListener {
  /** After each commit, before its appends are answered. */
  committed(bytes: number): void
  /** The log refused a group; nothing of it was stored. */
  failed(reason: string): void
}

/** Answers one append when its group's fate is known; `errorCode` 0: it is in the log. */
type Settle = (errorCode: number) => void

export class GroupCommitter {
  readonly #leadership: Leadership
  readonly #context: ActorContext
  readonly #listener: CommitListener
  #group: Group
  #settle: Settle[] = []
  /** Buffers of clients' batches in the group, which nobody needs once they are in the log. */
  #spendable: ArrayBuffer[] = []
  #deferred = false
  #highSettle = 0
  #refused = 0

  constructor(leadership: Leadership, context: ActorContext, listener: CommitListener) {
    this.#leadership = leadership
    this.#context = context
    this.#listener = listener
    this.#group = beginGroup(leadership.state)
  }

  /** Appends that wait for the turn's commit, and most ever. */
  get queue(): { readonly size: number; readonly high: number } {
    return { size: this.#settle.length, high: this.#highSettle }
  }

  /** The group as gathered so far. */
  get group(): Group {
    return this.#group
  }

  append(request: AppendRequest): AppendResponse | Promise<AppendResponse> {
    const { records, acks, origin } = request
    const { config, state, leaderEpoch } = this.#leadership
    const { limits, clock } = this.#context
    const fenced = this.#leadership.epochRefusal(request.currentLeaderEpoch)
    if (fenced !== null) return this.#refuse(fenced, null)
    if (acks !== 0 && acks !== 1 && acks !== -1) return this.#refuse('INVALID_REQUIRED_ACKS', `acks ${acks}`)
    const { expectedOffset = this.#group.nextOffset } = request
    if (expectedOffset !== this.#group.nextOffset) {
      return this.#refuse(
        'OFFSET_OUT_OF_RANGE',
        `to be appended at ${expectedOffset}, not at ${this.#group.nextOffset}`,
      )
    }

    const verdict = judgeAppend(records, {
      origin,
      config,
      now: clock.now(),
      decompressedBytesMax: limits.appendDecompressedBytesMax,
      recordErrorsMax: limits.recordErrorsMax,
    })
    if (verdict.kind === 'refused') return this.#refuse(verdict.error, verdict.message, verdict.recordErrors)
    const staged = stageRecords(state, this.#group, verdict.bytes, {
      origin,
      leaderEpoch,
      verificationEnabled: config.transactionVerificationEnabled,
      verification: request.verification,
    })
    switch (staged.kind) {
      case 'refused':
        return this.#refuse(staged.error, staged.message)
      case 'duplicate': {
        const logAppendTimeMs = config.timestampType === 'LogAppendTime' ? staged.timestamp : -1
        if (!staged.pending) return this.#response(NONE, staged.baseOffset, logAppendTimeMs)
        return this.#whenCommitted(staged.baseOffset, logAppendTimeMs)
      }
      case 'staged':
        if (origin === 'client') this.#noteSpendable(verdict.bytes)
        return this.#whenCommitted(staged.baseOffset, verdict.logAppendTimeMs)
    }
  }

  writeMarker(request: WriteMarkerRequest): MarkerWritten | Promise<MarkerWritten> {
    const { producerId, producerEpoch, coordinatorEpoch, transactionVersion, transactionResult: committed } = request
    const { state, leaderEpoch } = this.#leadership
    const timestamp = this.#context.clock.now()
    const marker = {
      producerId,
      producerEpoch,
      coordinatorEpoch,
      transactionVersion,
      committed,
      offset: this.#group.nextOffset,
      timestamp,
    }
    const type = committed ? 'COMMIT' : 'ABORT'
    const build = () => buildEndTxnMarker({ type, producerId, producerEpoch, coordinatorEpoch, timestamp })
    const staged = stageMarker(state, this.#group, marker, build, leaderEpoch)
    const offset = staged.kind === 'staged' ? staged.baseOffset : -1
    const answer = (errorCode: number): MarkerWritten => ({ errorCode, offset, logEndOffset: state.logEndOffset })
    if (staged.kind === 'refused') return answer(errors[staged.error].code)
    return new Promise(resolve => this.#await(errorCode => resolve(answer(errorCode))))
  }

  /** Writes what was gathered. A bug in the log goes on as a throw; an I/O error answers everybody with KAFKA_STORAGE_ERROR. */
  commit(): void {
    if (this.#settle.length === 0) return
    const group = this.#group
    const settle = this.#settle
    const errorCode = group.batches.length === 0 ? NONE : this.#write(group)
    this.#beginGroup()
    for (const answer of settle) answer(errorCode)
  }

  /** Throws away what was gathered: the leader leads no more. */
  abandon(error: ErrorName): void {
    const settle = this.#settle
    this.#beginGroup()
    for (const answer of settle) answer(errors[error].code)
  }

  #beginGroup(): void {
    this.#settle = []
    this.#spendable = []
    this.#group = beginGroup(this.#leadership.state)
  }

  /** Small ones were cloned on their way, and cost the collector little. */
  #noteSpendable(records: Uint8Array): void {
    const { buffer, byteLength } = records
    const isOwn = buffer instanceof ArrayBuffer && byteLength === buffer.byteLength && !isLent(records)
    if (isOwn && byteLength >= this.#context.limits.transferBytesMin) this.#spendable.push(buffer)
  }

  #write(group: Group): number {
    const { log, state, config } = this.#leadership
    const now = this.#context.clock.now()
    const forgotten = producersToForget(state, group, this.#context.limits.producerIdsMax)
    const before = state.position
    const appended = appendGroupOf(state, group, { now, logStartOffset: log.logStartOffset, forgotten })
    try {
      this.#context.gate.run(() => {
        log.append(appended, config.log)
      })
    } catch (error) {
      const errorCode = logErrorCode(error)
      this.#listener.failed((error as Error).message)
      return errorCode
    }
    if (!log.keepsBytes) releaseBuffers(this.#spendable)
    applyGroup(state, group, now)
    for (const producerId of forgotten) state.producers.delete(producerId)
    this.#advance()
    this.#listener.committed(state.position - before)
    return NONE
  }

  #advance(): void {
    const leadership = this.#leadership
    const { state } = leadership
    const oldest = oldestUndecided(state.ongoing)
    leadership.highWatermark = state.logEndOffset
    leadership.firstUnstableOffset = lastStableOffset(state.logEndOffset, oldest)
    leadership.stablePosition = oldest === undefined ? state.position : oldest.position
  }

  #whenCommitted(baseOffset: number, logAppendTimeMs: number): Promise<AppendResponse> {
    return new Promise(resolve => {
      this.#await(errorCode => {
        resolve(
          errorCode === NONE
            ? this.#response(NONE, baseOffset, logAppendTimeMs)
            : { ...this.#response(errorCode, -1, -1), errorMessage: 'the log could not store the batch' },
        )
      })
    })
  }

  #await(settle: Settle): void {
    this.#settle.push(settle)
    this.#highSettle = Math.max(this.#highSettle, this.#settle.length)
    const { limits } = this.#context
    const bytes = this.#group.position - this.#leadership.state.position
    if (bytes >= limits.groupCommitBytesMax || this.#settle.length >= limits.groupCommitEntriesMax) {
      this.commit()
    } else if (!this.#deferred) {
      this.#deferred = true
      this.#context.defer(() => {
        this.#deferred = false
        this.commit()
      })
    }
  }

  #response(errorCode: number, baseOffset: number, logAppendTimeMs: number): AppendResponse {
    const { logStartOffset } = this.#leadership
    return {
      errorCode,
      errorMessage: null,
      baseOffset,
      logAppendTimeMs,
      logStartOffset,
      recordErrors: NO_RECORD_ERRORS,
    }
  }

  #refuse(error: ErrorName, errorMessage: string | null, recordErrors = NO_RECORD_ERRORS): AppendResponse {
    this.#context.report('FailedProduceRequests', ++this.#refused)
    return { ...this.#response(errors[error].code, -1, -1), errorMessage, recordErrors }
  }
}
