// Clients in other threads of the application that embeds a broker: the embedding thread makes a ticket (`broker.door()`), posts it, and the other thread
// joins with it. From then on its clients reach leaders thread to thread.
import { MessagePort } from 'node:worker_threads'
import { joinSystem } from '../actor/join-system.ts'
import { type ClusterDoor, clusterDoor, type EmbeddedBroker, type LinkInput } from './cluster-link.ts'
import { clientHostOf } from './open-door.ts'
import { isObject, notTaken } from './options.ts'

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

/** Joins the broker that gave the ticket. Throws ODK_OPTION_INVALID for what is no ticket, TypeError for a port that is no unused door. */
export function joinBroker(ticket: BrokerTicket): JoinedBroker {
  const isTicket = isObject(ticket) && ticket.port instanceof MessagePort && isObject(ticket.link)
  if (!isTicket) throw notTaken('joinBroker', 'the ticket that broker.door() gave, its port transferred', ticket)
  const { port, link } = ticket
  const system = joinSystem(port)
  const host = clientHostOf(system)
  // Behind a wire link the brokers live on without this process.
  const door: ClusterDoor = link.kind === 'port' ? { host, link, isClosed: () => system.isEnding } : { host, link }
  const close = async () => system.close()
  return { [clusterDoor]: door, close, [Symbol.asyncDispose]: close }
}
