// Kafka's produce checks that need nothing but the bytes, the topic's configs and the time (UnifiedLog.analyzeAndValidateRecords,
// LogValidator): what may be appended, and as which bytes. Producer state is judged by `producer-state.rules`, afterwards and in order.
// Works on batches as received: only another codec makes new bytes, only LogAppendTime or a false maxTimestamp a new CRC.
import { NO_TIMESTAMP } from '@odradek/shared/base/brands'
import { decompressBatch, sealBatch } from '@odradek/shared/records/batch-sealing'
import { type BatchOrigin, validateBatch } from '@odradek/shared/records/batch-validation'
import { CorruptRecordError, type RecordErrorName } from '@odradek/shared/records/corrupt-record-error'
import * as batch from '@odradek/shared/records/record-batch'
import { RecordReader } from '@odradek/shared/records/record-reader'
import type { LeaderConfig } from './leader-config.rules.ts'
import { skimRecords } from './record-skim.rules.ts'

/** KIP-467: a record that is why its batch was refused. */
export interface RecordError {
  readonly batchIndex: number
  readonly batchIndexErrorMessage: string | null
}

export type AppendRefusal = RecordErrorName | 'RECORD_LIST_TOO_LARGE'

export type AppendVerdict =
  | {
      readonly kind: 'accepted'
      /** What to store but for base offset and leader epoch: the bytes given, or new ones in another codec. */
      readonly bytes: Uint8Array
      /** The time that was stamped, -1 with CreateTime. */
      readonly logAppendTimeMs: number
    }
  | {
      readonly kind: 'refused'
      readonly error: AppendRefusal
      readonly message: string
      readonly recordErrors: readonly RecordError[]
    }

export interface AppendCircumstances {
  readonly origin: 'client' | 'coordinator'
  readonly config: LeaderConfig
  /** Wall clock, ms. */
  readonly now: number
  /** What one batch may decompress to (`limits.appendDecompressedBytesMax`). */
  readonly decompressedBytesMax: number
  /** Records named in a refusal, at most (`limits.recordErrorsMax`). */
  readonly recordErrorsMax: number
}

const NO_ERRORS: readonly RecordError[] = []

/** One cursor for all: checks are synchronous and leave nothing in it that a later one could see. */
const reader = new RecordReader()

/**
 * Judges the records of one append. Clients send exactly one batch (Produce v3+); coordinators may send several, whose insides are
 * their own business. May write into `records` (timestamps, CRC), never before it has accepted them.
 */
export function judgeAppend(records: Uint8Array, circumstances: AppendCircumstances): AppendVerdict {
  const { config, origin } = circumstances
  if (records.length === 0) return refused('INVALID_RECORD', 'no record batch')
  const limits = {
    maxBatchBytes: config.maxMessageBytes,
    origin: (origin === 'client' ? 'client' : 'log') as BatchOrigin,
  }
  for (let at = 0; at < records.length; at += batch.batchSizeInBytes(records, at)) {
    const error = validateBatch(records, at, limits)
    if (error !== null) return refused(error, describeRefusal(error, records, at, config))
  }
  if (records.length > config.log.segmentBytes) {
    return refused(
      'RECORD_LIST_TOO_LARGE',
      `${records.length} bytes do not fit a segment of ${config.log.segmentBytes}`,
    )
  }
  return origin === 'client' ? judgeClientBatch(records, circumstances) : stampAll(records, circumstances)
}

function judgeClientBatch(records: Uint8Array, circumstances: AppendCircumstances): AppendVerdict {
  if (batch.batchSizeInBytes(records, 0) !== records.length) {
    return refused('INVALID_RECORD', 'a partition takes exactly one record batch per request')
  }
  if (batch.baseOffset(records, 0) !== 0) {
    return refused('INVALID_RECORD', `the base offset of a new batch is 0, not ${batch.baseOffset(records, 0)}`)
  }
  const walk = walkRecords(records, circumstances)
  if (walk.kind === 'refused') return walk
  return store(records, walk.maxTimestamp, circumstances)
}

/** Recompresses if the topic asks for it, and sets what the leader sets. */
function store(records: Uint8Array, maxTimestamp: number, circumstances: AppendCircumstances): AppendVerdict {
  const { config, now, decompressedBytesMax } = circumstances
  const { compressionType, timestampType } = config
  let bytes = records
  if (compressionType !== 'producer' && compressionType !== batch.compressionType(records, 0)) {
    const plain = decompressBatch(records, 0, decompressedBytesMax)
    bytes = sealBatch(plain, { compression: compressionType })
    if (bytes.length > config.maxMessageBytes) {
      return refused('MESSAGE_TOO_LARGE', tooLarge(bytes.length, config, ` as ${compressionType}`))
    }
  }
  if (timestampType === 'LogAppendTime') {
    batch.setMaxTimestamp(bytes, 0, 'LogAppendTime', now)
    return { kind: 'accepted', bytes, logAppendTimeMs: now }
  }
  batch.setMaxTimestamp(bytes, 0, 'CreateTime', maxTimestamp)
  return { kind: 'accepted', bytes, logAppendTimeMs: -1 }
}

/** Coordinators' batches: only the time is ours to set. */
function stampAll(records: Uint8Array, { config, now }: AppendCircumstances): AppendVerdict {
  if (config.timestampType !== 'LogAppendTime') return { kind: 'accepted', bytes: records, logAppendTimeMs: -1 }
  batch.forEachBatch(records, at => batch.setMaxTimestamp(records, at, 'LogAppendTime', now))
  return { kind: 'accepted', bytes: records, logAppendTimeMs: now }
}

type Walk = { readonly kind: 'sound'; readonly maxTimestamp: number } | Extract<AppendVerdict, { kind: 'refused' }>

/** Looks at every record once, as Kafka does: that there are as many as the header says, dense, with key and time as the topic asks. */
function walkRecords(records: Uint8Array, circumstances: AppendCircumstances): Walk {
  const { config, now, decompressedBytesMax, recordErrorsMax } = circumstances
  const { compacted } = config
  const createTime = config.timestampType === 'CreateTime'
  const earliest = createTime ? now - config.timestampBeforeMaxMs : Number.NEGATIVE_INFINITY
  const latest = createTime ? now + config.timestampAfterMaxMs : Number.POSITIVE_INFINITY
  const skimmed = skimRecords(records)
  if (skimmed !== undefined && skimmed.minTimestamp >= earliest && skimmed.maxTimestamp <= latest) {
    if (!compacted || !skimmed.keyless) return { kind: 'sound', maxTimestamp: skimmed.maxTimestamp }
  }
  const errors: RecordError[] = []
  let untimely = false
  let index = 0
  let maxTimestamp: number = NO_TIMESTAMP
  try {
    reader.open(records, 0, decompressedBytesMax)
    for (; reader.next(); index++) {
      reader.checkHeaders()
      const { timestamp } = reader
      if (reader.offset !== index) return refused('INVALID_RECORD', `record ${index} has offset delta ${reader.offset}`)
      if (timestamp > maxTimestamp) maxTimestamp = timestamp
      if (compacted && reader.keyLength < 0) {
        note(errors, index, 'a compacted topic takes no record without a key', recordErrorsMax)
      } else if ((timestamp < earliest || timestamp > latest) && timestamp !== NO_TIMESTAMP) {
        untimely = true
        note(errors, index, `timestamp ${timestamp} is not within [${earliest}, ${latest}]`, recordErrorsMax)
      }
    }
  } catch (error) {
    if (error instanceof CorruptRecordError) return refused(error.kafkaName, `record ${index}: ${error.message}`)
    throw error
  }
  if (errors.length === 0) return { kind: 'sound', maxTimestamp }
  // As Kafka: one untimely record makes it INVALID_TIMESTAMP, whatever else is wrong.
  return untimely
    ? refused('INVALID_TIMESTAMP', 'records were refused for their timestamps', errors)
    : refused('INVALID_RECORD', `${errors[0]!.batchIndexErrorMessage} (record ${errors[0]!.batchIndex})`, errors)
}

function note(errors: RecordError[], batchIndex: number, message: string, max: number): void {
  if (errors.length < max) errors.push({ batchIndex, batchIndexErrorMessage: message })
}

function describeRefusal(error: RecordErrorName, records: Uint8Array, at: number, config: LeaderConfig): string {
  switch (error) {
    case 'MESSAGE_TOO_LARGE':
      return tooLarge(batch.batchSizeInBytes(records, at), config)
    case 'UNSUPPORTED_COMPRESSION_TYPE':
      return 'the batch names a codec that does not exist'
    case 'INVALID_TIMESTAMP':
      return 'the batch has a timestamp or a timestamp type that a producer may not set'
    case 'CORRUPT_MESSAGE':
      return 'the batch is damaged: its length or its CRC does not match'
    case 'INVALID_RECORD':
      return 'the batch header breaks a rule: magic, counts, deltas, producer fields, or a control bit from a client'
  }
}

function tooLarge(bytes: number, { maxMessageBytes }: LeaderConfig, how = ''): string {
  return `a batch of ${bytes} bytes${how} is above max.message.bytes ${maxMessageBytes}`
}

function refused(
  error: AppendRefusal,
  message: string,
  recordErrors: readonly RecordError[] = NO_ERRORS,
): Extract<AppendVerdict, { kind: 'refused' }> {
  return { kind: 'refused', error, message, recordErrors }
}
