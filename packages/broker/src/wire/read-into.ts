// Has a socket read into a buffer of ours, again and again, instead of into a fresh one per read: `onread`, which Node offers to the sockets of clients only
// (net.connect), for those that a server accepted. What that takes is found by looking; where a Node has it no more, the socket reads as usual.
import { Socket } from 'node:net'

interface UserBufferHandle {
  useUserBuffer?(buffer: Uint8Array): void
}

/** Node's own names of what `onread` sets on a socket. */
const names = { buffer: 'kBuffer', callback: 'kBufferCb' } as const

/**
 * From now on each read fills `buffer` from its beginning and hands the filled part to `received`, which borrows it until it returns. Several sockets may share
 * one buffer. False: this socket cannot (TLS, or another Node); it emits `data` as ever. To be called before anything was read.
 */
export function readInto(socket: Socket, buffer: Uint8Array, received: (chunk: Uint8Array) => void): boolean {
  if (Object.getPrototypeOf(socket) !== Socket.prototype) return false
  const handle = (socket as unknown as { _handle?: UserBufferHandle })._handle
  const symbols = Object.getOwnPropertySymbols(socket)
  const [bufferKey, callbackKey] = [names.buffer, names.callback].map(name =>
    symbols.find(symbol => symbol.description === name),
  )
  if (typeof handle?.useUserBuffer !== 'function' || bufferKey === undefined || callbackKey === undefined) return false
  handle.useUserBuffer(buffer)
  Object.assign(socket, {
    [bufferKey]: buffer,
    [callbackKey]: (bytes: number) => {
      received(buffer.subarray(0, bytes))
      return true
    },
  })
  return true
}
