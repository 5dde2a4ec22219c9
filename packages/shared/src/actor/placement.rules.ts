// Which lane an actor gets, and which thread a lane. Pure: what there is and what is asked for are arguments.

/** A lane that may take actors. */
export interface LaneLoad {
  readonly lane: number
  /** Actors that it runs. */
  readonly actors: number
}

export type Placement = { readonly lane: number } | { readonly lane: 'new' }

export interface PlacementRequest {
  /** What the spawner asked for. */
  readonly wish: 'own' | 'self' | number
  /** Lane of the spawner. */
  readonly spawner: number
  /** Lanes that the system may put actors on by itself, in the order of their numbers. */
  readonly lanes: readonly LaneLoad[]
  /** How many of such lanes there may be. */
  readonly budget: number
}

/**
 * Threads when nothing else is said: one per core besides the caller's, never more than 64. A thread beyond that compiles the road for itself, holds a
 * heap, and whoever hands over to it waits for a core (measured: decision 0039).
 */
export function threadBudget(cores: number): number {
  return Math.min(64, Math.max(1, cores - 1))
}

/** Whether threads may look for what comes before they sleep (`lookout`): while each of them, and the caller's, can have a core. */
export function mayBusyPoll(threads: number, cores: number): boolean {
  return threads > 0 && threads < cores
}

/**
 * `self` and numbers are obeyed. `own` takes an empty lane, else a new one while the budget lasts, else the lane with the fewest
 * actors (of several, the lowest number), so actors spread evenly.
 */
export function place({ wish, spawner, lanes, budget }: PlacementRequest): Placement {
  if (wish === 'self') return { lane: spawner }
  if (typeof wish === 'number') return { lane: wish }
  const least = lanes.reduce<LaneLoad | null>(
    (best, lane) => (best === null || lane.actors < best.actors ? lane : best),
    null,
  )
  if (least === null || (least.actors > 0 && lanes.length < budget)) return { lane: 'new' }
  return { lane: least.lane }
}

/** A thread of the process that may take one more lane. */
export interface ThreadLoad {
  /** Lanes on it, of all systems. */
  readonly lanes: number
  /** Whether one of them is of the system that asks. */
  readonly isSibling: boolean
}

export interface ThreadChoice {
  /** In the order in which they were started. */
  readonly threads: readonly ThreadLoad[]
  /** Threads that the process may have. */
  readonly budget: number
  /** Whether the system that asks has no lane yet. */
  readonly isFirst: boolean
}

/**
 * The thread (its index) for one more lane of a system. Its first lane goes where a thread already runs: that is the broker itself, which is on no
 * data path in the process and should be there at once. The others get threads of their own while the budget lasts, then share. Two lanes of one
 * system never share a thread. Among equals the thread with the fewest lanes, then the oldest, is taken.
 */
export function threadFor({ threads, budget, isFirst }: ThreadChoice): number | 'new' {
  let best: number | 'new' = 'new'
  for (const [index, { lanes, isSibling }] of threads.entries()) {
    if (!isSibling && (best === 'new' || lanes < threads[best]!.lanes)) best = index
  }
  return isFirst || threads.length >= budget ? best : 'new'
}
