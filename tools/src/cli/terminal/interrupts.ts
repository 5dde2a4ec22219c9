// SIGINT and SIGTERM as an AbortSignal: the first asks a command to finish in order, the second ends the process at once.
import { exitCodes } from '../exit-codes.ts'

export interface Interrupts extends Disposable {
  /** Aborted by the first signal. */
  readonly signal: AbortSignal
}

/** Listens until disposed. */
export function onInterrupt(): Interrupts {
  const controller = new AbortController()
  const heard = (name: NodeJS.Signals) => {
    if (controller.signal.aborted) process.exit(exitCodes.interrupted)
    controller.abort(name)
  }
  const signals = ['SIGINT', 'SIGTERM'] as const
  for (const name of signals) process.on(name, heard)
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      for (const name of signals) process.off(name, heard)
    },
  }
}
