// Calls back at a steady rate, each time at the intended moment or as soon after it as the thread is free.
import { Worker } from 'node:worker_threads'
import { builtUrl } from '@odradek/shared/actor/built-url'

export interface MetronomeInput {
  /** Of the first tick; milliseconds since 1970, with fractions. */
  readonly startAt: number
  readonly intervalMs: number
  readonly ticks: number
  /** How long before its moment a tick is said: more than a sleeping thread takes to wake. */
  readonly earlyMs: number
}

const EARLY_MS = 0.15

/** Calls `tick` with its number and the moment it was intended for, by `performance.now()`. Resolves after the last. */
export async function metronome(
  { intervalMs, ticks, delayMs }: { readonly intervalMs: number; readonly ticks: number; readonly delayMs: number },
  tick: (index: number, due: number) => void,
): Promise<void> {
  const startAt = performance.now() + delayMs
  const workerData: MetronomeInput = { startAt: performance.timeOrigin + startAt, intervalMs, ticks, earlyMs: EARLY_MS }
  const worker = new Worker(new URL(builtUrl(new URL('./metronome.worker.ts', import.meta.url).href)), { workerData })
  worker.on('message', (index: number) => {
    const due = startAt + index * intervalMs
    // The rest of the early time: too short to sleep.
    while (performance.now() < due) {}
    tick(index, due)
  })
  await new Promise((resolve, reject) => worker.once('exit', resolve).once('error', reject))
}
