// `odradek log stats`: what a log takes, and how much of that is records.
import type { ReadableLog } from './log-folders.ts'

export interface LogFigures {
  readonly topic: string
  readonly partition: number
  readonly topicId: string
  readonly segments: number
  readonly logStartOffset: number
  readonly logEndOffset: number
  readonly recordBytes: number
  readonly fileBytes: number
  /** fileBytes / recordBytes; null while there are no records. */
  readonly overheadRatio: number | null
  readonly producers: number
  readonly cleanShutdown: boolean
}

export function figuresOf(log: ReadableLog): LogFigures {
  let recordBytes = 0
  let fileBytes = 0
  for (const segment of log.segments) {
    recordBytes += segment.load()?.summary.sizeInBytes ?? 0
    fileBytes += segment.fileBytes()
  }
  const active = log.segments.at(-1)
  const loaded = active?.load()
  return {
    topic: log.identity.topic,
    partition: log.identity.partition,
    topicId: log.identity.topicId,
    segments: log.segments.length,
    logStartOffset: loaded?.log.logStartOffset ?? 0,
    logEndOffset: loaded?.summary.nextOffset ?? 0,
    recordBytes,
    fileBytes,
    overheadRatio: recordBytes === 0 ? null : Number((fileBytes / recordBytes).toFixed(3)),
    producers: loaded === undefined ? 0 : active!.producers().length,
    cleanShutdown: loaded?.log.clean ?? true,
  }
}
