// Clients in other threads of the application that embeds a broker: the embedding thread makes a ticket (`broker.door()`), posts it, and the other thread
// joins with it. From then on its clients reach leaders thread to thread.
import type { MessagePort } from 'node:worker_threads'
import { joinSystem } from '../actor/join-system.ts'
import { type ClusterDoor, clusterDoor, type EmbeddedBroker, type LinkInput } from './cluster-link.ts'
import { clientHostOf } from './open-door.ts'

/** Post it to one other thread, with `port` in the transfer list. Good for one thread, once. */
export interface BrokerTicket {
  readonly port: MessagePort
  readonly link: LinkInput
}

/** A broker of another thread: pass it as `bootstrapServers`. */
export interface JoinedBroker extends EmbeddedBroker, AsyncDisposable {
  /** Ends what was started here and leaves. */
  close(): Promise<void>
}

/** Joins the broker that gave the ticket. Throws TypeError for a port that is no unused door. */
export function joinBroker({ port, link }: BrokerTicket): JoinedBroker {
  const system = joinSystem(port)
  const door: ClusterDoor = { host: clientHostOf(system), link }
  const close = async () => system.close()
  return { [clusterDoor]: door, close, [Symbol.asyncDispose]: close }
}
