// Where the actors of `odradek serve` run when nobody said how many threads there shall be. All its clients come over TCP, so on a small machine the thread that owns
// the sockets leads the partitions as well: with one core besides the clients' a second thread gains nothing, and each request saves two hops and a copy each way.
import type { BrokerOptions } from '@odradek/broker'

/** Cores up to which leaders share the thread of the sockets. */
const SHARED_THREAD_CORES_MAX = 2

export interface ServeMachine {
  /** What `--threads` says. */
  readonly threads: number | 'auto'
  readonly cores: number
}

/** For the options of `createBroker`; nothing where its own placement is right. */
export function servePlacement({ threads, cores }: ServeMachine): Pick<BrokerOptions, 'placement'> {
  if (threads !== 'auto' || cores > SHARED_THREAD_CORES_MAX) return {}
  return { placement: ({ kind }) => (kind === 'broker' || kind === 'partition-leader' ? 'sockets' : undefined) }
}
