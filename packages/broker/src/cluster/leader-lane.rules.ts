// Where a broker's partition leaders run when nobody said how many threads there shall be. On a small machine the thread that owns the sockets leads the
// partitions as well: with one core besides the clients' there is nothing to gain from a second thread, and each request saves two hops and a copy each way.

/** Cores up to which leaders share the listener's thread. */
const SHARED_LANE_CORES_MAX = 2

export interface LeaderLaneCase {
  /** Clients come over TCP. */
  readonly listens: boolean
  /** What the option says. */
  readonly threads: number | 'auto'
  readonly cores: number
}

/** `self`: on the broker's own lane, where its listeners are; `own`: spread over lanes. */
export function leaderLane({ listens, threads, cores }: LeaderLaneCase): 'own' | 'self' {
  return listens && threads === 'auto' && cores <= SHARED_LANE_CORES_MAX ? 'self' : 'own'
}
