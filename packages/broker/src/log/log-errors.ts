// What a log throws when it is not its caller's bug. Each has a stable `code`; the leader turns them into Kafka's error codes.

/** Disk full, failed fsync, too many open files: nothing of the group was stored, the log stays usable. Kafka: KAFKA_STORAGE_ERROR (56). */
export class LogIOError extends Error {
  override readonly name = 'LogIOError'
  readonly code = 'KAFKA_STORAGE_ERROR'

  constructor(operation: string, place: string, cause: unknown) {
    super(`${operation} failed in ${place}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
}

/** Stored bytes are not what was written. Never skipped in silence. Kafka: CORRUPT_MESSAGE / KAFKA_STORAGE_ERROR. */
export class LogCorruptionError extends Error {
  override readonly name = 'LogCorruptionError'
  readonly code = 'KAFKA_STORAGE_ERROR'
  /** Base offset of the first batch that is damaged. */
  readonly offset: number
  /** Base offset of its segment. */
  readonly segment: number

  constructor({ offset, segment, reason }: { offset: number; segment: number; reason: string }, cause?: unknown) {
    super(
      `corrupt log at offset ${offset} in segment ${segment}: ${reason}`,
      cause === undefined ? undefined : { cause },
    )
    this.offset = offset
    this.segment = segment
  }
}

/** A read outside [logStartOffset, logEndOffset]. Kafka: OFFSET_OUT_OF_RANGE (1). */
export class OffsetOutOfRangeError extends Error {
  override readonly name = 'OffsetOutOfRangeError'
  readonly code = 'OFFSET_OUT_OF_RANGE'

  constructor(offset: number, logStartOffset: number, logEndOffset: number) {
    super(`offset ${offset} is not within ${logStartOffset}..${logEndOffset}`)
  }
}

/** The folder holds the log of another topic id or partition. Kafka: INCONSISTENT_TOPIC_ID (103). */
export class LogIdentityError extends Error {
  override readonly name = 'LogIdentityError'
  readonly code = 'INCONSISTENT_TOPIC_ID'
}

/** Another broker, or another format, owns the directory. */
export class LogDirectoryError extends Error {
  override readonly name = 'LogDirectoryError'
  readonly code: 'LOCKED' | 'FOREIGN' | 'UNSUPPORTED_FORMAT' | 'UNREADABLE'
  /** Process that holds the lock, when that is why. */
  readonly pid: number | undefined

  constructor(code: LogDirectoryError['code'], message: string, pid?: number) {
    super(message)
    this.code = code
    this.pid = pid
  }
}

/** Whether the process or the system had no file descriptor to spare. */
export function isShortOfDescriptors(error: unknown): boolean {
  return ['EMFILE', 'ENFILE'].includes((error as NodeJS.ErrnoException).code ?? '')
}
