// The consumer's errors: made as data in its own thread, thrown as KafkaError in the caller's. Codes are listed in the package's README.
import { type ErrorData, isPortError, KafkaError, PortError } from '@odradek/shared/base/errors'
import { errorOf, errors } from '@odradek/shared/protocol/error-codes'

/** Stable codes of errors that consumers raise beside those of options, topics and codecs. */
export type ConsumerErrorCode =
  | 'ODK_OFFSET_OUT_OF_RANGE'
  | 'ODK_NO_OFFSET'
  | 'ODK_LOG_TRUNCATED'
  | 'ODK_CORRUPT_RECORD'
  | 'ODK_BROKER_ERROR'
  | 'ODK_COMMIT_FAILED'
  | 'ODK_MEMBER_FENCED'
  | 'ODK_GROUP_MISSING'
  | 'ODK_CONSUMER_STATE'
  | 'ODK_CONSUMER_CLOSED'
  | 'ODK_CONSUMER_DIED'
  | 'ODK_TIMEOUT'
  | 'ODK_ABORTED'
  | 'ODK_HOOK_FAILED'
  | 'ODK_ASSIGNOR_FAILED'

/** Worth another try although no broker said so: a deadline, or the consumer's thread that was restarted under the call. */
const RETRIABLE: ReadonlySet<string> = new Set(['DEADLINE', 'ODK_TIMEOUT', 'LINK_CLOSED', 'UNREACHABLE'])

interface Detail {
  readonly kafkaCode?: number
  readonly fatal?: boolean
}

/** An error as data. With `kafkaCode` its name and whether it is retriable follow from Kafka's table. */
export function errorData(code: ConsumerErrorCode, message: string, detail: Detail = {}): ErrorData {
  return { code, message, detail }
}

/** An error that a broker answered, in the words of Kafka's table. */
export function brokerError(what: string, kafkaCode: number, code: ConsumerErrorCode = 'ODK_BROKER_ERROR'): ErrorData {
  const known = errorOf(kafkaCode)
  const fatal = kafkaCode === errors.FENCED_INSTANCE_ID.code
  return errorData(code, `${what}: ${known.name}: ${known.message}`, { kafkaCode, fatal })
}

/** The coordinator will not have this member: only leaving is left. */
export function membershipError(what: string, kafkaCode: number, message: string | null = null): ErrorData {
  const isFenced = kafkaCode === errors.FENCED_INSTANCE_ID.code || kafkaCode === errors.UNRELEASED_INSTANCE_ID.code
  const error = brokerError(what, kafkaCode, isFenced ? 'ODK_MEMBER_FENCED' : 'ODK_BROKER_ERROR')
  const detail = { ...(error.detail as Detail), fatal: true }
  return { ...error, message: message === null ? error.message : `${error.message} (${message})`, detail }
}

/** What a step rejected with, if the user must hear it (refused credentials, a cluster that is not there, his own assignor); null otherwise. */
export function hopeless(thrown: unknown): ErrorData | null {
  if (isPortError(thrown) && thrown.code === 'ODK_ASSIGNOR_FAILED')
    return errorData('ODK_ASSIGNOR_FAILED', thrown.message)
  if (!(thrown instanceof KafkaError) || thrown.retriable) return null
  const { code, message, kafkaCode } = thrown
  return { code, message, detail: { kafkaCode } }
}

/** Across a port a KafkaError's fields would be lost: this is how a handler answers one. */
export function portError(error: ErrorData): PortError {
  return new PortError(error)
}

/** What the user's thread throws for error data, or for what an ask rejected with. */
export function kafkaErrorOf(error: ErrorData, cause?: unknown): KafkaError {
  const detail = (error.detail ?? {}) as Detail
  const known = detail.kafkaCode === undefined ? undefined : errorOf(detail.kafkaCode)
  return new KafkaError(codeOf(error.code), error.message, {
    kafkaCode: known?.code,
    kafkaName: known?.name,
    retriable: known?.retriable ?? RETRIABLE.has(error.code),
    fatal: detail.fatal ?? false,
    cause,
  })
}

function codeOf(code: string): `ODK_${string}` {
  if (code.startsWith('ODK_')) return code as `ODK_${string}`
  switch (code) {
    case 'DEADLINE':
      return 'ODK_TIMEOUT'
    case 'ABORTED':
      return 'ODK_ABORTED'
    case 'LINK_CLOSED':
    case 'UNREACHABLE':
      return 'ODK_CONSUMER_DIED'
    default:
      return 'ODK_BROKER_ERROR'
  }
}
