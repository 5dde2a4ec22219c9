// Options that one send brings itself: checked, and the acknowledgements that it asks for.
import { KafkaError } from '@odradek/shared/base/errors'
import { callFields, optionsIn } from '@odradek/shared/client/call-input'
import { anything, shown } from '@odradek/shared/client/options'
import type { AppendContext } from './accumulator.ts'
import { type ResolvedProducerOptions, readAcks } from './options.ts'
import type { SendOptions } from './record-encoder.ts'

const sendFields = { ...callFields, acks: anything<unknown>(null, "'all', 1 or 0", () => true, undefined) }

/** The context with the `acks` of these options. Throws ODK_OPTION_INVALID or _UNKNOWN, and ODK_OPTION_CONFLICT where idempotence needs all acks. */
export function contextOf(
  context: AppendContext,
  given: SendOptions,
  { enableIdempotence }: Pick<ResolvedProducerOptions, 'enableIdempotence'>,
): AppendContext {
  optionsIn('send', given, sendFields)
  if (given.acks === undefined) return context
  const acks = readAcks(given.acks)
  if (acks === undefined)
    throw new KafkaError('ODK_OPTION_INVALID', `send: acks must be 'all', 1 or 0, got ${shown(given.acks)}`)
  if (acks !== -1 && enableIdempotence) {
    throw new KafkaError('ODK_OPTION_CONFLICT', `send: acks ${acks} does not go with enableIdempotence`)
  }
  return acks === context.acks ? context : { ...context, acks }
}
