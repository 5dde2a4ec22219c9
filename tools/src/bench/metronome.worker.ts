// Says when the next record is almost due, so that the thread that sends may sleep in between, as an application does. Timers of an event loop are too coarse for a
// thousand records a second, and a thread that spins instead takes a core from what is measured.
import { parentPort, workerData } from 'node:worker_threads'
import type { MetronomeInput } from './metronome.ts'

const { startAt, intervalMs, ticks, earlyMs } = workerData as MetronomeInput
const never = new Int32Array(new SharedArrayBuffer(4))

for (let tick = 0; tick < ticks; tick++) {
  const leftMs = startAt + tick * intervalMs - earlyMs - (performance.timeOrigin + performance.now())
  if (leftMs > 0) Atomics.wait(never, 0, 0, leftMs)
  parentPort!.postMessage(tick)
}
