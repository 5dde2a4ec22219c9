// The one error of the protocol layer. Whoever reads from a connection closes that connection when it meets one; whoever
// writes has been handed a value that does not fit. It never crosses a port: doors turn it into a protocol code.

/**
 * - `MALFORMED`: the bytes are not what they claim to be; close the connection.
 * - `UNSUPPORTED_VERSION`: the version is not ours, or has no place for a value that may not be dropped
 *   (Kafka: `UnsupportedVersionException`).
 * - `INVALID_VALUE`: a value handed to a writer has the wrong type or is out of the field's range.
 */
export type ProtocolErrorCode = 'MALFORMED' | 'UNSUPPORTED_VERSION' | 'INVALID_VALUE'

/** Where in which message something was wrong. */
export interface ProtocolErrorPlace {
  /** Kafka's message name, such as `ProduceRequest`; absent for frames. */
  readonly messageName?: string
  readonly version?: number
  /** Byte offset in what was read; absent when writing. */
  readonly offset?: number
}

export class ProtocolError extends Error {
  override readonly name = 'ProtocolError'
  readonly code: ProtocolErrorCode
  readonly reason: string
  /** Field path such as `topicData[3].partitionData`; grows from the inside out while the error travels up. */
  path = ''
  messageName: string | undefined
  version: number | undefined
  offset: number | undefined

  constructor(code: ProtocolErrorCode, reason: string, place: ProtocolErrorPlace = {}) {
    super(reason)
    this.code = code
    this.reason = reason
    this.messageName = place.messageName
    this.version = place.version
    this.offset = place.offset
    this.describe()
  }

  /** Puts a field name or `[index]` before the path. */
  within(segment: string): this {
    this.path = this.path === '' || this.path.startsWith('[') ? segment + this.path : `${segment}.${this.path}`
    return this
  }

  /** Names the message, once it is known, and completes the text. */
  inMessage(messageName: string, version: number): this {
    this.messageName ??= messageName
    this.version ??= version
    this.describe()
    return this
  }

  private describe(): void {
    const message = this.messageName === undefined ? '' : `${this.messageName} v${this.version}: `
    const path = this.path === '' ? '' : `${this.path}: `
    const offset = this.offset === undefined ? '' : ` (at byte ${this.offset})`
    this.message = `${message}${path}${this.reason}${offset}`
  }
}
