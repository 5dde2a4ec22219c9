// Acknowledgements that one send asks for itself.
import { KafkaError } from '@odradek/shared/base/errors'
import type { AppendContext } from './accumulator.ts'
import { type ResolvedProducerOptions, readAcks } from './options.ts'

/** The context with these `acks`. Throws ODK_OPTION_INVALID, and ODK_OPTION_CONFLICT where idempotence needs all of them. */
export function withAcks(
  context: AppendContext,
  given: unknown,
  { enableIdempotence }: Pick<ResolvedProducerOptions, 'enableIdempotence'>,
): AppendContext {
  const acks = readAcks(given)
  if (acks === undefined)
    throw new KafkaError('ODK_OPTION_INVALID', `send: acks must be 'all', 1 or 0, got ${String(given)}`)
  if (acks !== -1 && enableIdempotence) {
    throw new KafkaError('ODK_OPTION_CONFLICT', `send: acks ${acks} does not go with enableIdempotence`)
  }
  return acks === context.acks ? context : { ...context, acks }
}
