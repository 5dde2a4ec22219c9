// The admin's errors: Kafka's codes as KafkaError, lost connections as what they mean for the caller.
import { KafkaError, PortError } from '../../base/errors.ts'
import { errorOf, errors } from '../../protocol/error-codes.ts'

/** What a broker answered, in the words of Kafka's table (also where it sends an empty message); null when it is no error. */
export function brokerError(what: string, kafkaCode: number, message: string | null = null): KafkaError | null {
  if (kafkaCode === errors.NONE.code) return null
  const known = errorOf(kafkaCode)
  return new KafkaError('ODK_BROKER_ERROR', `${what}: ${known.name}: ${message || known.message}`, {
    kafkaCode,
    kafkaName: known.name,
    retriable: known.retriable,
  })
}

/** Throws what {@link brokerError} makes of the code. */
export function throwBrokerError(what: string, kafkaCode: number, message: string | null = null): void {
  const error = brokerError(what, kafkaCode, message)
  if (error !== null) throw error
}

/** What users catch for what a link rejected with. */
export function adminError(thrown: unknown): unknown {
  if (!(thrown instanceof PortError)) return thrown
  const code =
    thrown.code === 'DEADLINE' ? 'ODK_TIMEOUT' : thrown.code === 'ABORTED' ? 'ODK_ABORTED' : 'ODK_NETWORK_EXCEPTION'
  return new KafkaError(code, thrown.message, { retriable: code !== 'ODK_ABORTED', cause: thrown })
}

/** Some of the things that were asked for in one call failed. Message and `kafkaName` are those of the first failure. */
export class PartialAdminError extends KafkaError {
  override readonly name = 'PartialAdminError'
  /** What failed, by name (topic, `topic-partition`, resource, group), and why. */
  readonly failures: ReadonlyMap<string, KafkaError>
  /** Names of what was done. */
  readonly done: readonly string[]

  constructor(failures: ReadonlyMap<string, KafkaError>, done: readonly string[]) {
    const first: KafkaError = failures.values().next().value!
    const { kafkaCode, kafkaName, retriable } = first
    const more = failures.size === 1 ? '' : ` (and ${failures.size - 1} more)`
    super('ODK_BROKER_ERROR', `${first.message}${more}`, {
      ...(kafkaCode === undefined ? {} : { kafkaCode }),
      ...(kafkaName === undefined ? {} : { kafkaName }),
      retriable,
      cause: first,
    })
    this.failures = failures
    this.done = done
  }
}

/** One outcome per name; throws when any failed. */
export function settle(outcomes: readonly { readonly name: string; readonly error: KafkaError | null }[]): void {
  const failures = new Map(outcomes.flatMap(({ name, error }) => (error === null ? [] : [[name, error] as const])))
  if (failures.size === 0) return
  throw new PartialAdminError(
    failures,
    outcomes.filter(({ error }) => error === null).map(({ name }) => name),
  )
}
