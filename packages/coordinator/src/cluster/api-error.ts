// A refusal of one item of an admin request: Kafka's code and its words. Thrown by the checks inside the rules and caught where the item's
// result is built, so that a rule reads as the list of what must hold.
import { type ErrorName, errors } from '@odradek/shared/protocol/error-codes'

export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly errorCode: number

  constructor(error: ErrorName, message: string) {
    super(message)
    this.errorCode = errors[error].code
  }
}

/** The result of `item`, or what `refused` makes of the ApiError that it throws; other errors pass. */
export function orRefusal<R>(item: () => R, refused: (error: { errorCode: number; errorMessage: string }) => R): R {
  try {
    return item()
  } catch (cause) {
    if (!(cause instanceof ApiError)) throw cause
    return refused({ errorCode: cause.errorCode, errorMessage: cause.message })
  }
}
