/**
 * The one refusal that decoding of record batches knows: bytes that are not what Kafka's record format allows.
 * `validateBatch` returns the name; whatever must unwind (readers, decompression) throws this error with the same name.
 * Callers turn the name into a partition's error code; they never let it cross a port as an `Error`.
 */

/** Kafka's error names (`org.apache.kafka.common.protocol.Errors`) that a bad batch can earn. */
export type RecordErrorName =
  /** The bytes are damaged: length, CRC, unknown magic, compressed stream that does not decode. */
  | 'CORRUPT_MESSAGE'
  /** The bytes are intact, but the content breaks a rule of the format. */
  | 'INVALID_RECORD'
  /** Larger than a configured maximum (`max.message.bytes`, or the cap on decompressed bytes). */
  | 'MESSAGE_TOO_LARGE'
  /** A timestamp that no 64-bit millisecond clock we can represent shows, or a type that a producer may not set. */
  | 'INVALID_TIMESTAMP'
  /** The attributes name a codec that does not exist. */
  | 'UNSUPPORTED_COMPRESSION_TYPE'

/** Thrown while records are decoded. `kafkaName` is the protocol error that the partition answers. */
export class CorruptRecordError extends Error {
  override readonly name = 'CorruptRecordError'
  readonly kafkaName: RecordErrorName

  constructor(kafkaName: RecordErrorName, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.kafkaName = kafkaName
  }
}
