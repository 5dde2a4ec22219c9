// `odradek log dump`: the batches of a log with the fields and the layout of Kafka's kafka-dump-log, and on demand their records.
import { readMarker } from '@odradek/broker/log/stored-batches.rules'
import * as batch from '@odradek/shared/records/record-batch'
import { type BatchRecord, readRecords } from '@odradek/shared/records/record-reader'
import type { ReadableLog } from './log-folders.ts'

export interface DumpOptions {
  readonly format: 'text' | 'json'
  /** Records with keys, values and headers (`--print-data-log`). */
  readonly records: boolean
}

/** A compressed batch that would become larger than this is not decoded. */
const DECOMPRESSED_BYTES_MAX = 1024 ** 3

/** One batch with the names that Kafka's tool prints. */
export interface DumpedBatch {
  readonly baseOffset: number
  readonly lastOffset: number
  readonly count: number
  readonly baseSequence: number
  readonly lastSequence: number
  readonly producerId: number
  readonly producerEpoch: number
  readonly partitionLeaderEpoch: number
  readonly isTransactional: boolean
  readonly isControl: boolean
  readonly deleteHorizonMs: number | null
  readonly position: number
  readonly timestampType: string
  readonly timestamp: number
  readonly size: number
  readonly magic: number
  readonly compresscodec: string
  readonly crc: number
  readonly isvalid: boolean
}

/** Prints one log, segment by segment, line by line. */
export function dumpLog(log: ReadableLog, options: DumpOptions, print: (line: string) => void): void {
  for (const segment of log.segments) {
    let position = 0
    if (options.format === 'text') {
      print(`Dumping ${log.path}/${String(segment.baseOffset).padStart(20, '0')}`)
      print(`Log starting offset: ${segment.baseOffset}`)
    }
    segment.visit(segment.baseOffset, (bytes, at, size) => {
      const dumped = describeBatch(bytes, at, position)
      print(options.format === 'json' ? json({ type: 'batch', ...dumped }) : batchLine(dumped))
      if (options.records && dumped.isvalid) printRecords(bytes, at, { dumped, options, print })
      position += size
      return true
    })
  }
}

function describeBatch(bytes: Uint8Array, at: number, position: number): DumpedBatch {
  const crc = batch.batchCrc(bytes, at)
  return {
    baseOffset: batch.baseOffset(bytes, at),
    lastOffset: batch.lastOffset(bytes, at),
    count: batch.recordCount(bytes, at),
    baseSequence: batch.baseSequence(bytes, at),
    lastSequence: batch.lastSequence(bytes, at),
    producerId: batch.producerId(bytes, at),
    producerEpoch: batch.producerEpoch(bytes, at),
    partitionLeaderEpoch: batch.partitionLeaderEpoch(bytes, at),
    isTransactional: batch.isTransactional(bytes, at),
    isControl: batch.isControlBatch(bytes, at),
    deleteHorizonMs: batch.hasDeleteHorizon(bytes, at) ? batch.baseTimestamp(bytes, at) : null,
    position,
    timestampType: batch.timestampType(bytes, at),
    timestamp: batch.maxTimestamp(bytes, at),
    size: batch.batchSizeInBytes(bytes, at),
    magic: batch.magic(bytes, at),
    compresscodec: batch.compressionType(bytes, at) ?? 'unknown',
    crc,
    isvalid: batch.computeBatchCrc(bytes, at) === crc,
  }
}

function batchLine({ timestampType, timestamp, deleteHorizonMs, ...fields }: DumpedBatch): string {
  const horizon = deleteHorizonMs === null ? 'OptionalLong.empty' : `OptionalLong[${deleteHorizonMs}]`
  const words: string[] = []
  for (const [name, value] of Object.entries(fields)) {
    if (name === 'position') words.push(`deleteHorizonMs: ${horizon}`)
    if (name === 'size') words.push(`${timestampType}: ${timestamp}`)
    words.push(`${name}: ${value}`)
  }
  return words.join(' ')
}

interface RecordsContext {
  readonly dumped: DumpedBatch
  readonly options: DumpOptions
  readonly print: (line: string) => void
}

function printRecords(bytes: Uint8Array, at: number, { dumped, options, print }: RecordsContext): void {
  const marker = dumped.isControl ? readMarker(bytes, at) : undefined
  if (marker !== undefined) {
    const { offset, coordinatorEpoch, committed } = marker
    const endTxnMarker = committed ? 'COMMIT' : 'ABORT'
    const fields = { offset, endTxnMarker, coordinatorEpoch }
    print(options.format === 'json' ? json({ type: 'marker', ...fields }) : `| ${words(fields)}`)
    return
  }
  try {
    for (const record of readRecords(bytes, at, DECOMPRESSED_BYTES_MAX)) {
      print(options.format === 'json' ? jsonRecord(record, dumped) : recordLine(record, dumped))
    }
  } catch (error) {
    const fields = { offset: dumped.baseOffset, undecodable: (error as Error).message }
    print(options.format === 'json' ? json({ type: 'undecodable', ...fields }) : `| ${words(fields)}`)
  }
}

function sequenceOf(record: BatchRecord, { baseSequence, baseOffset }: DumpedBatch): number {
  return baseSequence < 0 ? -1 : (baseSequence + record.offset - baseOffset) % 2 ** 31
}

function recordLine(record: BatchRecord, dumped: DumpedBatch): string {
  const { key, value, headers } = record
  const line = words({
    offset: record.offset,
    [dumped.timestampType]: record.timestamp,
    keySize: key?.length ?? -1,
    valueSize: value?.length ?? -1,
    sequence: sequenceOf(record, dumped),
    headerKeys: `[${headers.map(header => header.key).join(',')}]`,
  })
  return `| ${line}${key === null ? '' : ` key: ${text(key)}`} payload: ${value === null ? '' : text(value)}`
}

function jsonRecord(record: BatchRecord, dumped: DumpedBatch): string {
  const { offset, timestamp, key, value, headers } = record
  return json({
    type: 'record',
    offset,
    timestamp,
    sequence: sequenceOf(record, dumped),
    headers: headers.map(header => ({ key: header.key, value: header.value === null ? null : text(header.value) })),
    key: key === null ? null : text(key),
    value: value === null ? null : text(value),
  })
}

function words(fields: { readonly [name: string]: unknown }): string {
  return Object.entries(fields)
    .map(([name, value]) => `${name}: ${value}`)
    .join(' ')
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
}

function json(value: unknown): string {
  return JSON.stringify(value)
}
