// Opens a TCP or TLS socket to a broker, with Nagle's algorithm off, as Kafka's clients do. Without TLS it reads into memory of its reader (Node's `onread`).
import { connect, isIP } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import type { WireSecurity } from '../../contracts/wire-security.ts'

/** Whoever reads from a socket: `room` is where the next bytes go, `filled` how many went there. */
export interface SocketReader {
  room(): Uint8Array
  filled(bytes: number): void
}

/** A stream that says `connect` (with TLS `secureConnect`) when it is open. What it reads goes to `reader`, or comes as `data`. */
export type OpenSocket = (
  address: { readonly host: string; readonly port: number },
  security: WireSecurity,
  reader: SocketReader,
) => Duplex

export const openSocket: OpenSocket = ({ host, port }, { tls }, reader) => {
  const address = host.replace(/^\[(.*)\]$/, '$1')
  const onread = {
    buffer: () => reader.room(),
    callback: (bytes: number) => {
      reader.filled(bytes)
      return true
    },
  }
  if (!tls) return connect({ host: address, port, noDelay: true, onread })
  // A server name is for names only (RFC 6066); users may set their own.
  const servername = isIP(address) ? {} : { servername: address }
  const socket = connectTls({ host: address, port, ...servername, ...tls })
  socket.setNoDelay(true)
  return socket
}
