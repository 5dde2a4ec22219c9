// Where the actors of `odradek serve` run when nobody said how many threads there shall be. All its clients come over TCP, so on a small machine the thread that owns
// the sockets leads the partitions as well: with one core besides the clients' a second thread gains nothing, and each request saves two hops and a copy each way.

/** Cores up to which leaders share the thread of the sockets. */
const SHARED_THREAD_CORES_MAX = 2

export interface ServeMachine {
  /** What `--threads` says. */
  readonly threads: number | 'auto'
  readonly cores: number
}

/** As `createBroker` takes it. */
export function servePlacement({ threads, cores }: ServeMachine) {
  const shares = threads === 'auto' && cores <= SHARED_THREAD_CORES_MAX
  return ({ kind }: { readonly kind: string }): string | undefined =>
    shares && (kind === 'broker' || kind === 'partition-leader') ? 'sockets' : undefined
}
