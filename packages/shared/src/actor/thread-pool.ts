// The threads of this process. All systems in it take the threads of their lanes from here, so that a second broker starts on a thread that runs
// already, and ten brokers of a test do not mean eighty threads (decision 0024). A thread ends with its last lane.
import { availableParallelism } from 'node:os'
import { limits as defaultLimits } from '../base/limits.ts'
import type { HostedLane, HostedLaneOptions } from './hosted-lane.ts'
import { threadBudget, threadFor } from './placement.rules.ts'
import { type ThreadStart, WorkerThread } from './worker-thread.ts'

/** In the order of their starts; those that are ending are not here. */
const threads = new Set<WorkerThread>()
let started = 0

export interface ThreadRequest {
  /** Lanes of the same system that are open: they are never put on one thread. */
  readonly siblings: ReadonlySet<HostedLane>
  /** Threads that the system may be spread over. */
  readonly budget: number
}

/** Opens a lane on a thread of the process: one that runs, or a new one (placement.rules says which). */
export function openLane(options: HostedLaneOptions, { siblings, budget }: ThreadRequest): HostedLane {
  const running = [...threads]
  const chosen = threadFor({
    threads: running.map(({ lanes }) => ({
      lanes: lanes.size,
      isSibling: [...lanes].some(lane => siblings.has(lane)),
    })),
    budget: Math.max(budget, threadBudget(availableParallelism())),
    isFirst: siblings.size === 0,
  })
  const thread = chosen === 'new' ? startThread({ limits: options.startup.limits, ahead: [] }) : running[chosen]!
  return thread.open(options)
}

/**
 * Starts a thread for the first lane that will be opened, while this thread does something else: for a program that knows that it will need one. It loads the
 * packed files of `ahead` meanwhile. The thread ends with its last lane, or with the process.
 */
export function startThreadAhead(ahead: readonly string[]): void {
  if (threads.size === 0) startThread({ limits: defaultLimits, ahead })
}

function startThread(start: ThreadStart): WorkerThread {
  const thread = new WorkerThread(`odradek thread ${++started}`, start, () => threads.delete(thread))
  threads.add(thread)
  return thread
}
