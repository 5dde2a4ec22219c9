// The producer's errors: made as data in the sender's thread, thrown as KafkaError in the caller's. Codes are listed in the package's README.
import { type ErrorData, KafkaError, PortError } from '@odradek/shared/base/errors'
import { shown } from '@odradek/shared/client/options'
import type { TopicMetadata } from '@odradek/shared/contracts/sender.contract'
import { type ErrorName, errorOf, errors } from '@odradek/shared/protocol/error-codes'

/** Stable codes of errors that producers raise beside those of options, topics and codecs. */
export type ProducerErrorCode =
  | 'ODK_BROKER_ERROR'
  | 'ODK_BROKER_CLOSED'
  | 'ODK_DELIVERY_TIMEOUT'
  | 'ODK_METADATA_TIMEOUT'
  | 'ODK_BUFFER_EXHAUSTED'
  | 'ODK_RECORD_INVALID'
  | 'ODK_RECORD_TOO_LARGE'
  | 'ODK_PARTITION_INVALID'
  | 'ODK_PRODUCER_CLOSED'
  | 'ODK_PRODUCER_FENCED'
  | 'ODK_SENDER_DIED'
  | 'ODK_TRANSACTION_STATE'
  | 'ODK_TRANSACTION_TIMEOUT'
  | 'ODK_ABORTED'

interface Detail {
  readonly kafkaCode?: number
  readonly fatal?: boolean
  readonly retriable?: boolean
}

/** An error as data. With `kafkaCode` its name and whether it is retriable follow from Kafka's table. */
export function errorData(code: ProducerErrorCode, message: string, detail: Detail = {}): ErrorData {
  return { code, message, detail }
}

/** What a broker answered for a batch, in the words of Kafka's table. */
export function kafkaFailure(
  errorCode: number,
  {
    owner: { topic, partition },
    sizeInBytes,
  }: { readonly owner: { readonly topic: string; readonly partition: number }; readonly sizeInBytes: number },
  reply: {
    readonly errorMessage: string | null
    readonly recordErrors: readonly { readonly batchIndex: number; readonly batchIndexErrorMessage: string | null }[]
  } | null = null,
): ErrorData {
  const known = errorOf(errorCode)
  const refused = reply?.recordErrors[0]
  const words = refused?.batchIndexErrorMessage ?? reply?.errorMessage ?? known.message
  const which = refused === undefined ? '' : ` (record ${refused.batchIndex} of its batch)`
  const code = codeOf(known.name)
  // Brokers name no size as a rule; which one it was is what can be changed.
  const size = code === 'ODK_RECORD_TOO_LARGE' ? ` (its batch has ${sizeInBytes} bytes)` : ''
  return errorData(code, `${topic}-${partition}: ${known.name}: ${words}${which}${size}`, {
    kafkaCode: errorCode,
    fatal: code === 'ODK_PRODUCER_FENCED',
  })
}

function codeOf(name: ErrorName): ProducerErrorCode {
  switch (name) {
    case 'PRODUCER_FENCED':
      return 'ODK_PRODUCER_FENCED'
    case 'MESSAGE_TOO_LARGE':
    case 'RECORD_LIST_TOO_LARGE':
      return 'ODK_RECORD_TOO_LARGE'
    default:
      return 'ODK_BROKER_ERROR'
  }
}

/** Why an attempt failed, in a few words: the code's name, and what the broker added to it. */
export function failureWords(errorCode: number, reply: { readonly errorMessage: string | null } | null): string {
  const { name } = errorOf(errorCode)
  return reply?.errorMessage ? `${name} (${reply.errorMessage})` : name
}

export function deliveryTimedOut(batch: {
  readonly owner: { readonly topic: string; readonly partition: number }
  readonly attempts: number
  readonly recordCount: number
  readonly lastFailure: string | null
}): ErrorData {
  const { topic, partition } = batch.owner
  const sent = batch.attempts === 0 ? 'never sent' : `sent ${batch.attempts} times, perhaps taken by the cluster`
  const last = batch.lastFailure === null ? '' : `; the last attempt failed: ${batch.lastFailure}`
  return errorData(
    'ODK_DELIVERY_TIMEOUT',
    `${topic}-${partition}: ${batch.recordCount} records were not acknowledged within deliveryTimeoutMs (${sent}${last})`,
    { kafkaCode: errors.REQUEST_TIMED_OUT.code },
  )
}

/** What the application's own code threw, in a message; `cause` has all of it. */
export function whyOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : shown(thrown)
}

/** What a link rejected with, as data. */
export function portFailure(thrown: unknown): ErrorData {
  if (thrown instanceof KafkaError) {
    const { code, message, kafkaCode, fatal, retriable } = thrown
    return { code, message, detail: { kafkaCode, fatal, retriable } }
  }
  if (thrown instanceof PortError) return { code: thrown.code, message: thrown.message, detail: thrown.detail }
  return errorData('ODK_BROKER_ERROR', thrown instanceof Error ? thrown.message : String(thrown))
}

/** What the user's thread throws for error data. */
export function kafkaErrorOf(error: ErrorData, cause?: unknown): KafkaError {
  const detail = (error.detail ?? {}) as Detail
  const known = detail.kafkaCode === undefined ? undefined : errorOf(detail.kafkaCode)
  return new KafkaError(publicCode(error.code), error.message, {
    kafkaCode: known?.code,
    kafkaName: known?.name,
    retriable: detail.retriable ?? known?.retriable ?? false,
    fatal: detail.fatal ?? false,
    cause,
  })
}

/** What an ask of the sender rejected with, as the user sees it. */
export function errorOfAsk(thrown: unknown): KafkaError {
  return thrown instanceof KafkaError ? thrown : kafkaErrorOf(portFailure(thrown), thrown)
}

function publicCode(code: string): `ODK_${string}` {
  if (code.startsWith('ODK_')) return code as `ODK_${string}`
  if (code === 'ABORTED') return 'ODK_ABORTED'
  return code === 'LINK_CLOSED' || code === 'UNREACHABLE' || code === 'FAILED' ? 'ODK_SENDER_DIED' : 'ODK_BROKER_ERROR'
}

/** The topic did not become known in time. */
export function metadataTimedOut(topic: string, maxBlockMs: number): KafkaError {
  return new KafkaError('ODK_METADATA_TIMEOUT', `topic ${topic} is not known after maxBlockMs (${maxBlockMs} ms)`, {
    retriable: true,
  })
}

/** The cluster will never give this topic. */
export function topicRefused({ topic, errorCode }: TopicMetadata): KafkaError {
  const { name, message, retriable } = errorOf(errorCode)
  return new KafkaError('ODK_BROKER_ERROR', `${topic}: ${name}: ${message}`, {
    kafkaCode: errorCode,
    kafkaName: name,
    retriable,
  })
}

/** The cluster takes records more slowly than they are sent. */
export function bufferExhausted({
  bufferMemory,
  maxBlockMs,
}: {
  readonly bufferMemory: number
  readonly maxBlockMs: number
}): KafkaError {
  const words = `no room in bufferMemory (${bufferMemory} bytes) within maxBlockMs (${maxBlockMs} ms)`
  return new KafkaError('ODK_BUFFER_EXHAUSTED', `${words}: the cluster takes records more slowly than they are sent`, {
    retriable: true,
  })
}

/** A send of a producer with a transactionalId while no transaction is open. */
export function outsideOfTransaction(): KafkaError {
  return new KafkaError('ODK_TRANSACTION_STATE', 'a producer with a transactionalId sends in transactions only')
}
