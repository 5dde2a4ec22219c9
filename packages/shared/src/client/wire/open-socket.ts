// Opens a TCP or TLS socket to a broker, with Nagle's algorithm off, as Kafka's clients do.
import { connect, isIP } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import type { WireSecurity } from '../../contracts/wire-security.ts'

/** A stream that says `connect` (with TLS `secureConnect`) when it is open. */
export type OpenSocket = (address: { readonly host: string; readonly port: number }, security: WireSecurity) => Duplex

export const openSocket: OpenSocket = ({ host, port }, { tls }) => {
  const address = host.replace(/^\[(.*)\]$/, '$1')
  if (!tls) return connect({ host: address, port, noDelay: true })
  // A server name is for names only (RFC 6066); users may set their own.
  const servername = isIP(address) ? {} : { servername: address }
  const socket = connectTls({ host: address, port, ...servername, ...tls })
  socket.setNoDelay(true)
  return socket
}
