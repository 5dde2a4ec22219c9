// How late a thread's event loop is: what its actors, sockets and timers wait for when one of them hogs it.
import { monitorEventLoopDelay, performance } from 'node:perf_hooks'

/** Of one thread, since it started. */
export interface LoopDelay {
  /** Milliseconds by which a timer fired late. */
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
  /** Part of the time that the loop was not waiting for something to happen, 0 to 1. */
  readonly utilization: number
}

/** Between two looks at the clock: twenty a second are no measurable CPU. */
const RESOLUTION_MS = 50
const NS_PER_MS = 1e6

/** Begins to measure this thread's loop, without keeping it alive; the function tells what was measured so far. */
export function measureLoopDelay(): () => LoopDelay {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  histogram.enable()
  // What is recorded is the whole time from one look to the next.
  const late = (ns: number) => (histogram.count === 0 ? 0 : Math.max(0, ns / NS_PER_MS - RESOLUTION_MS))
  return () => ({
    p50Ms: late(histogram.percentile(50)),
    p99Ms: late(histogram.percentile(99)),
    maxMs: late(histogram.max),
    utilization: performance.eventLoopUtilization().utilization,
  })
}
