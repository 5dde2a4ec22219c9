// Opens a TCP or TLS socket to a broker, with Nagle's algorithm off, as Kafka's clients do.
import { connect, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { WireSecurity } from '../../contracts/wire-security.ts'

export function openSocket(
  { host, port }: { readonly host: string; readonly port: number },
  { tls }: WireSecurity,
): Socket {
  const address = host.replace(/^\[(.*)\]$/, '$1')
  if (!tls) return connect({ host: address, port, noDelay: true })
  // A server name is for names only (RFC 6066); users may set their own.
  const servername = isIP(address) ? {} : { servername: address }
  const socket = connectTls({ host: address, port, ...servername, ...tls })
  socket.setNoDelay(true)
  return socket
}
