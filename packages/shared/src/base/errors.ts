// The two kinds of error that are not bugs: data that crosses ports, and the one class users of the API see.

/** An error as it crosses a port. Never post an Error: subclasses lose their name, code and fields. */
export interface ErrorData {
  /** Stable, machine-readable: a {@link PortErrorCode}, a Kafka error name, or an 'ODK_...' code. */
  readonly code: string
  /** For people: names the field, what was given and what would be right. */
  readonly message: string
  /** Small plain data, for programs. */
  readonly detail?: unknown
}

/**
 * Why an ask failed on its way, as opposed to a reply that carries a Kafka error code:
 * - `DEADLINE`: no reply within the ask's deadline (the request may still have been handled);
 * - `LINK_CLOSED`: the peer ended, or the link was closed, before the reply came (the request may have been handled);
 * - `LINK_FULL`: the link's bounded outbound queue is full; nothing was sent;
 * - `ABORTED`: the caller's signal fired; the request may still be handled;
 * - `UNREACHABLE`: no such actor, or it is not running; nothing was sent;
 * - `FAILED`: the handler threw: a bug on the other side; its actor is going down.
 */
export type PortErrorCode = 'DEADLINE' | 'LINK_CLOSED' | 'LINK_FULL' | 'ABORTED' | 'UNREACHABLE' | 'FAILED'

/** Thrown (rejected) by `link.ask`, and by handlers that want the asker to see a particular code. */
export class PortError extends Error {
  override readonly name = 'PortError'
  readonly code: PortErrorCode | (string & {})
  readonly detail: unknown

  constructor({ code, message, detail }: ErrorData) {
    super(message)
    this.code = code
    this.detail = detail
  }
}

/** Whether it is a PortError, also when another copy of this module made it (two builds in one process, or another realm). */
export function isPortError(thrown: unknown): thrown is PortError {
  return thrown instanceof PortError || (thrown instanceof Error && thrown.name === 'PortError')
}

export interface KafkaErrorOptions {
  /** Numeric Kafka error code, when the error is Kafka's. */
  readonly kafkaCode?: number
  /** Name of that code, such as NOT_LEADER_OR_FOLLOWER. */
  readonly kafkaName?: string
  /** True when the same call may succeed if repeated. Default false. */
  readonly retriable?: boolean
  /** True when the client that threw it can no longer be used. Default false. */
  readonly fatal?: boolean
  readonly cause?: unknown
}

/** What users of the API catch. `code` is stable and listed in the docs; `message` may be improved at any time. */
export class KafkaError extends Error {
  override readonly name: string = 'KafkaError'
  readonly code: `ODK_${string}`
  readonly kafkaCode: number | undefined
  readonly kafkaName: string | undefined
  readonly retriable: boolean
  readonly fatal: boolean

  constructor(code: `ODK_${string}`, message: string, options: KafkaErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.kafkaCode = options.kafkaCode
    this.kafkaName = options.kafkaName
    this.retriable = options.retriable ?? false
    this.fatal = options.fatal ?? false
  }
}
