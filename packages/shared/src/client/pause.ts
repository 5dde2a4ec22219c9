// Waiting between two tries, which ends early when somebody no longer wants to try.
import type { Clock } from '../base/clock.ts'

/** Resolves with true when the time has passed, with false as soon as one of the signals fires. */
export function pause(
  clock: Clock,
  waitMs: number,
  ...signals: readonly (AbortSignal | undefined)[]
): Promise<boolean> {
  if (signals.some(signal => signal?.aborted)) return Promise.resolve(false)
  return new Promise(resolve => {
    const end = (passed: boolean) => {
      timer.cancel()
      for (const signal of signals) signal?.removeEventListener('abort', stop)
      resolve(passed)
    }
    const stop = () => end(false)
    const timer = clock.after(waitMs, () => end(true))
    for (const signal of signals) signal?.addEventListener('abort', stop)
  })
}
