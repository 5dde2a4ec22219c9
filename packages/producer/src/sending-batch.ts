// One batch in the sender: its place in a line, its bytes between attempts, and whom to tell.
import type { ErrorData } from '@odradek/shared/base/errors'
import type {
  DeliveredPart,
  SenderAppendRequest,
  SenderAppendResponse,
} from '@odradek/shared/contracts/sender.contract'
import { BatchBuilder } from '@odradek/shared/records/batch-builder'
import { decompressBatch, sealBatch } from '@odradek/shared/records/batch-sealing'
import { compressionType } from '@odradek/shared/records/record-batch'
import { RecordReader } from '@odradek/shared/records/record-reader'
import type { Line, LineBatch } from './in-flight.rules.ts'
import type { RetainedCopies, RetainedCopy } from './retained-copies.ts'
import type { SenderPolicy } from './sender-policy.ts'
import type { ProducerIdentity } from './sequences.rules.ts'

/** A partition that the sender has batches for. */
export interface PartitionLine {
  readonly topic: string
  readonly partition: number
  readonly line: Line<SendingBatch>
}

/** More than any batch that the accumulator closes can decompress to. */
const DECOMPRESSED_BYTES_MAX = 2 ** 31 - 1

/** The answer to one append: its parts, collected as its pieces end. */
export class Delivery {
  readonly #parts: { readonly firstRecord: number; readonly part: DeliveredPart }[] = []
  readonly #resolve: (response: SenderAppendResponse) => void
  #open = 1
  sentBytes = 0
  attempts = 0

  constructor(resolve: (response: SenderAppendResponse) => void) {
    this.#resolve = resolve
  }

  /** One batch became `pieces`. */
  divided(pieces: number): void {
    this.#open += pieces - 1
  }

  ended(firstRecord: number, part: DeliveredPart): void {
    this.#parts.push({ firstRecord, part })
    if (--this.#open > 0) return
    this.#parts.sort((a, b) => a.firstRecord - b.firstRecord)
    const parts = this.#parts.map(({ part }) => part)
    this.#resolve({ parts, sentBytes: this.sentBytes, attempts: this.attempts })
  }
}

export class SendingBatch implements LineBatch {
  readonly owner: PartitionLine
  readonly recordCount: number
  readonly acks: number
  readonly deadline: number
  /** Index of its first record in the batch that the producer handed over. */
  readonly firstRecord: number
  readonly delivery: Delivery
  attempts = 0
  /** Why the last attempt failed, Kafka's name or the link's words; null before one did. */
  lastFailure: string | null = null
  notBefore = 0
  order = -1
  orderSpan = 1
  baseSequence = -1
  identity: ProducerIdentity | null = null
  /** False once the producer has been told how it ended: a reply that comes later is ignored. */
  isOpen = true
  readonly sizeInBytes: number
  #bytes: Uint8Array | null
  #copy: RetainedCopy | null = null

  constructor(
    fields: Pick<SendingBatch, 'owner' | 'recordCount' | 'acks' | 'deadline' | 'firstRecord' | 'delivery'>,
    bytes: Uint8Array,
  ) {
    this.owner = fields.owner
    this.recordCount = fields.recordCount
    this.acks = fields.acks
    this.deadline = fields.deadline
    this.firstRecord = fields.firstRecord
    this.delivery = fields.delivery
    this.#bytes = bytes
    this.sizeInBytes = bytes.length
  }

  /** The batch as the producer handed it over, compressed as the policy says. */
  static of(
    owner: PartitionLine,
    request: SenderAppendRequest,
    delivery: Delivery,
    now: number,
    policy: SenderPolicy,
  ): SendingBatch {
    const { recordCount, acks } = request
    const compression = { compression: policy.compressionType, compressionLevel: policy.compressionLevel }
    const bytes = policy.compressionType === 'none' ? request.records : sealBatch(request.records, compression)
    return new SendingBatch(
      { owner, recordCount, acks, deadline: now + request.deliveryTimeoutMs, firstRecord: 0, delivery },
      bytes,
    )
  }

  /** Own exact bytes for one request, stamped with the identity and sequence of now; a copy stays here for the next attempt. */
  bytesToSend(copies: RetainedCopies, transactional: boolean): Uint8Array {
    const bytes = this.#bytes ?? copies.fresh(this.#copy!)
    this.#bytes = null
    const { producerId, producerEpoch } = this.identity ?? { producerId: undefined, producerEpoch: undefined }
    sealBatch(bytes, { producerId, producerEpoch, baseSequence: this.baseSequence, transactional })
    if (this.#copy === null) this.#copy = copies.retain(bytes)
    this.delivery.sentBytes += bytes.length
    this.delivery.attempts++
    return bytes
  }

  /** Tells the producer and lets the bytes go. */
  end(part: Omit<DeliveredPart, 'recordCount'>, copies: RetainedCopies): void {
    this.isOpen = false
    this.#letGo(copies)
    this.delivery.ended(this.firstRecord, { recordCount: this.recordCount, ...part })
  }

  /** Ends it with an error. */
  fail(error: ErrorData, copies: RetainedCopies): void {
    this.end({ baseOffset: -1, logAppendTimeMs: -1, error }, copies)
  }

  /** Two halves with the same records, compressed as this one was; this one is no longer of use. */
  halves(copies: RetainedCopies, policy: SenderPolicy): SendingBatch[] {
    const bytes = copies.fresh(this.#copy!)
    const half = Math.ceil(this.recordCount / 2)
    const compression = compressionType(bytes, 0)
    const pieces = splitRecords(decompressBatch(bytes, 0, DECOMPRESSED_BYTES_MAX), half).map(
      (piece, index) =>
        new SendingBatch(
          {
            owner: this.owner,
            recordCount: index === 0 ? half : this.recordCount - half,
            acks: this.acks,
            deadline: this.deadline,
            firstRecord: this.firstRecord + index * half,
            delivery: this.delivery,
          },
          compression === 'none' ? piece : sealBatch(piece, { compression, compressionLevel: policy.compressionLevel }),
        ),
    )
    this.isOpen = false
    this.#letGo(copies)
    this.delivery.divided(pieces.length)
    return pieces
  }

  #letGo(copies: RetainedCopies): void {
    if (this.#copy !== null) copies.release(this.#copy)
    this.#copy = null
    this.#bytes = null
  }
}

/** The records before and from `at` as two closed batches. `batch` is uncompressed. */
function splitRecords(batch: Uint8Array, at: number): Uint8Array[] {
  const reader = new RecordReader()
  reader.open(batch, 0, DECOMPRESSED_BYTES_MAX)
  const builder = new BatchBuilder({ writeLimit: Number.MAX_SAFE_INTEGER, initialBytes: batch.length })
  const pieces: Uint8Array[] = []
  for (let index = 0; reader.next(); index++) {
    if (index === at) pieces.push(builder.close())
    builder.tryAppend(reader.timestamp, reader.key(), reader.value(), reader.headers())
  }
  pieces.push(builder.close())
  return pieces
}
