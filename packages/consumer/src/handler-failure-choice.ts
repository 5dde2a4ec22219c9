// What becomes of a record that a function of the user did not take: an option of `consume` and of pipelines alike.
import { anything, isFunction, type OptionSpec } from '@odradek/shared/client/options'

/** `stop` ends all threads with the error; `skip` counts the record as processed; `retry` calls again after a wait, the partition waits. */
export type HandlerFailureChoice = 'stop' | 'skip' | 'retry'

/** The option `onError`: a choice, or a function that makes one. Default `stop`. */
export function onErrorOption<OnError>(): OptionSpec<OnError | 'stop'> {
  return anything<OnError | 'stop'>(null, "'stop', 'skip', 'retry' or a function", isOnError, 'stop')
}

function isOnError(given: unknown): boolean {
  return given === 'stop' || given === 'skip' || given === 'retry' || isFunction(given)
}
