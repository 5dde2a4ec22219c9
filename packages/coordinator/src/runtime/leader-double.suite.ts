// A partition leader for tests of the runtime: one log in memory, and switches for what can go wrong with it. It survives the
// links to it, as a leader's log does.
import type { Link } from '@odradek/shared/actor/actor'
import { PortError } from '@odradek/shared/base/errors'
import type {
  AppendRequest,
  AppendResponse,
  PartitionLeaderContract,
} from '@odradek/shared/contracts/partition-leader.contract'
import { errors } from '@odradek/shared/protocol/error-codes'
import { buildEndTxnMarker } from '@odradek/shared/records/control-records'
import { forEachBatch, nextOffset, setBaseOffset } from '@odradek/shared/records/record-batch'

type LeaderLink = Link<PartitionLeaderContract>
interface HeldAppend {
  readonly request: AppendRequest
  readonly answer: (response: AppendResponse) => void
  readonly reject: (error: PortError) => void
}

export class LeaderDouble {
  /** Whole batches, as stored. */
  readonly batches: Uint8Array[] = []
  nextOffset = 0
  /** Appends wait for `commit` while true. */
  holding = false
  readonly held: HeldAppend[] = []
  /** Answer of the next appends and markers instead of success; nothing is stored then. */
  refuseWith = 0
  fetchErrorCode = 0
  /** Most batches that one fetch returns. */
  fetchBatchesMax = Number.POSITIVE_INFINITY
  appends = 0
  claims = 0
  #end: ((reason: string) => void) | null = null

  /** A fresh link, as after a restart of the leader. */
  link(): LeaderLink {
    let isClosed = false
    let end: (reason: string) => void = () => {}
    const closed = new Promise<string>(resolve => {
      end = reason => {
        isClosed = true
        resolve(reason)
      }
    })
    this.#end = end
    const ask = (name: string, request: unknown) =>
      isClosed
        ? Promise.reject(new PortError({ code: 'LINK_CLOSED', message: 'the link is closed' }))
        : this.answer(name, request)
    return {
      ask,
      closed,
      close: () => end('closed here'),
      get isClosed() {
        return isClosed
      },
    } as unknown as LeaderLink
  }

  /** Answers one ask of the leader contract, of those that shards use. */
  async answer(name: string, request: any): Promise<any> {
    switch (name) {
      case 'append':
        return this.#append(request)
      case 'fetch':
        return this.#fetch(request.fetchOffset)
      case 'claim':
        this.claims++
        return { logStartOffset: 0, logEndOffset: this.nextOffset }
      case 'writeMarker':
        return this.#marker(request)
      default:
        throw new PortError({ code: 'UNREACHABLE', message: `a shard does not ask ${name}` })
    }
  }

  /** The leader dies: what is held is answered with LINK_CLOSED; `landed` says whether it reached the log. */
  die(landed: boolean): void {
    for (const { request, reject } of this.held.splice(0)) {
      if (landed) this.#answer(request)
      reject(new PortError({ code: 'LINK_CLOSED', message: 'the leader died' }))
    }
    this.#end?.('the leader died')
  }

  /** Commits, or refuses, what is held. */
  commit(): void {
    for (const { request, answer } of this.held.splice(0)) answer(this.#answer(request))
  }

  /** Held appends fail on their way with DEADLINE; `landed` says whether they reached the log. */
  lose(landed: boolean): void {
    for (const { request, reject } of this.held.splice(0)) {
      if (landed) this.#answer(request)
      reject(new PortError({ code: 'DEADLINE', message: 'no answer' }))
    }
  }

  #append(request: AppendRequest): Promise<AppendResponse> {
    this.appends++
    if (!this.holding) return Promise.resolve(this.#answer(request))
    return new Promise((answer, reject) => this.held.push({ request, answer, reject }))
  }

  #answer({ records, expectedOffset = this.nextOffset }: AppendRequest): AppendResponse {
    const errorCode = expectedOffset === this.nextOffset ? this.refuseWith : errors.OFFSET_OUT_OF_RANGE.code
    const baseOffset = errorCode === 0 ? this.#store(records) : -1
    return { errorCode, errorMessage: null, baseOffset, logAppendTimeMs: -1, logStartOffset: 0, recordErrors: [] }
  }

  #store(records: Uint8Array): number {
    const baseOffset = this.nextOffset
    forEachBatch(records, (at, size) => {
      const batch = records.slice(at, at + size)
      setBaseOffset(batch, 0, this.nextOffset)
      this.nextOffset = nextOffset(batch, 0)
      this.batches.push(batch)
    })
    return baseOffset
  }

  #fetch(fetchOffset: number) {
    const found = this.batches.filter(batch => nextOffset(batch, 0) > fetchOffset).slice(0, this.fetchBatchesMax)
    return { errorCode: this.fetchErrorCode, records: Uint8Array.from(found.flatMap(batch => [...batch])) }
  }

  #marker(request: { producerId: number; producerEpoch: number; transactionResult: boolean }) {
    if (this.refuseWith !== 0) return { errorCode: this.refuseWith, offset: -1, logEndOffset: this.nextOffset }
    const { producerId, producerEpoch, transactionResult } = request
    const type = transactionResult ? 'COMMIT' : 'ABORT'
    const marker = { type, producerId, producerEpoch, coordinatorEpoch: 0, timestamp: 0 } as const
    const offset = this.#store(buildEndTxnMarker(marker))
    return { errorCode: 0, offset, logEndOffset: this.nextOffset }
  }
}
