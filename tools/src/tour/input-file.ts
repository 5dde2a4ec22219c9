// Reads the user's file, a chunk of records at a time, without holding it in memory.
import { createReadStream, statSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { CommandError, usageError } from '../cli/command-error.ts'
import { formatOf, LineError, recordOf, type TourRecord, topicNameOf } from './input-lines.rules.ts'
import type { Measure } from './running-totals.rules.ts'

/** Records on their way into the tour: what they are called, how many there will be, and the records in chunks. */
export interface RecordSource {
  readonly name: string
  /** What keys are, for people; null without keys. */
  readonly keyName: string | null
  /** What different keys are. */
  readonly keysName: string
  /** The topic that it goes to if nothing else is said. */
  readonly topic: string
  /** What records are, for people. */
  readonly recordName: string
  /** What is summed up by key. */
  readonly measure: Measure
  readonly measureName: string
  /** Null: not known before the end. */
  readonly total: number | null
  chunks(): AsyncIterable<readonly TourRecord[]>
}

const CHUNK_RECORDS = 500

/** Throws a usage error when the file cannot be read. */
export function fileSource(path: string, key: string | undefined, limit: number): RecordSource {
  try {
    if (!statSync(path).isFile()) throw usageError(`--input ${path} is no file`)
  } catch (error) {
    if (error instanceof CommandError) throw error
    throw usageError(`--input ${path} cannot be read: ${(error as Error).message}`)
  }
  return {
    name: path,
    topic: topicNameOf(path),
    keyName: key ?? null,
    keysName: key === undefined ? 'partitions' : `values of ${key}`,
    recordName: 'records',
    measure: 'bytes',
    measureName: 'bytes',
    total: null,
    chunks: () => chunksOf(path, key, limit),
  }
}

async function* chunksOf(path: string, key: string | undefined, limit: number): AsyncGenerator<readonly TourRecord[]> {
  const format = formatOf(path, key)
  const stream = createReadStream(path)
  let chunk: TourRecord[] = []
  let number = 0
  let taken = 0
  try {
    for await (const line of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })) {
      number++
      if (line === '') continue
      if (taken === limit) break
      chunk.push(recordOf(line, format, key))
      taken++
      if (chunk.length < CHUNK_RECORDS) continue
      yield chunk
      chunk = []
    }
  } catch (error) {
    if (chunk.length > 0) yield chunk
    if (error instanceof LineError) throw new CommandError(`line ${number} of ${path}: ${error.message}`)
    throw new CommandError(`${path} cannot be read: ${(error as Error).message}`)
  } finally {
    stream.destroy()
  }
  if (chunk.length > 0) yield chunk
}
