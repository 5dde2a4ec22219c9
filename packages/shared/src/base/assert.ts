// The bug detector: a failed assertion is never a user's mistake, it kills the actor and the supervisor acts (decision of
// error kinds: protocol code, KafkaError, bug). Called everywhere; must never be used to validate input.

/** Thrown by {@link assert}. A host treats it, like any throw from a handler, as the death of the actor. */
class AssertionError extends Error {
  override readonly name = 'AssertionError'
}

/** Throws an {@link AssertionError} unless `condition` holds. `message` says what must hold, in the words of the room. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionError(message)
}

/** For the `default` of an exhaustive switch: does not compile while a case is missing. */
export function unreachable(value: never, message = 'unreachable case'): never {
  throw new AssertionError(`${message}: ${JSON.stringify(value)}`)
}
