// A window into a running broker for other processes of the same user: a Unix socket (a named pipe on Windows) that answers who runs and streams
// transitions as lines of JSON. Nobody can change anything through it, and a watcher that does not read loses events, never the broker time.
import { chmodSync, lstatSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { resolve } from 'node:path'
import type { Broker } from '@odradek/broker'
import type { TraceFilter } from '@odradek/shared/actor/trace-ring'
import { KafkaError } from '@odradek/shared/base/errors'
import { isFunction, notTaken } from '@odradek/shared/client/options'
import { QUESTION_BYTES_MAX, type Question, readQuestion } from './question.rules.ts'

/** What a window shows. */
export type Watched = Pick<Broker, 'actors' | 'trace'>

export interface Window extends AsyncDisposable {
  readonly path: string
  /** Watchers are cut off and the socket is removed. Idempotent. */
  close(): Promise<void>
}

/** Name of the window in a broker's directory. */
export const WINDOW_FILE = 'watch.sock'

const WATCHERS_MAX = 16
/** What may wait for a watcher before events are dropped (and counted). */
const UNREAD_BYTES_MAX = 1_048_576
/** Unix systems take 103 to 107 bytes. */
const PATH_BYTES_MAX = 103

/**
 * Opens a window at `path`, readable by this user alone; a socket that a process that is gone left there is replaced, so give each broker a path of its
 * own (such as `watch.sock` in its directory, which it holds locked). Throws KafkaError ODK_OPTION_INVALID for a path that is too long,
 * ODK_LISTEN_FAILED when it cannot be opened, or when something else than a socket is there.
 */
export async function openWindow(broker: Watched, path: string): Promise<Window> {
  if (!isFunction(broker?.actors) || !isFunction(broker.trace))
    throw notTaken('openWindow', 'a broker and a path', broker)
  if (typeof path !== 'string' || path === '') throw notTaken('openWindow', 'a broker and a path', path)
  const address = socketAddress(path)
  if (Buffer.byteLength(address) > PATH_BYTES_MAX && process.platform !== 'win32')
    throw new KafkaError(
      'ODK_OPTION_INVALID',
      `openWindow: path must have at most ${PATH_BYTES_MAX} bytes, as sockets are limited by the system, got ${Buffer.byteLength(address)}: ${address}`,
    )
  const watchers = new Set<Socket>()
  const server = createServer(socket => {
    watchers.add(socket)
    socket.once('close', () => watchers.delete(socket))
    answer(broker, socket)
  })
  server.maxConnections = WATCHERS_MAX
  if (process.platform !== 'win32') removeStale(address)
  await listening(server, address)
  server.unref()
  const close = () =>
    new Promise<void>(closed => {
      server.close(() => closed())
      for (const socket of watchers) socket.destroy()
    })
  return { path: address, close, [Symbol.asyncDispose]: close }
}

/** Where Node listens for that path: pipes of Windows have a room of their own. */
export function socketAddress(path: string): string {
  return process.platform === 'win32' ? `\\\\?\\pipe\\${resolve(path)}` : resolve(path)
}

/** A socket stays in its directory when its process is killed. Anything else there is somebody's file. */
function removeStale(address: string): void {
  if (lstatSync(address, { throwIfNoEntry: false })?.isSocket()) rmSync(address)
}

function listening(server: Server, address: string): Promise<void> {
  return new Promise((opened, failed) => {
    // Also for later ones, such as a connection that cannot be accepted: they are no reason to end the process.
    server.on('error', error =>
      failed(new KafkaError('ODK_LISTEN_FAILED', `cannot open ${address}: ${error.message}`, { cause: error })),
    )
    server.listen(address, opened)
    // The socket is there by now, and nobody who comes is let in before this turn ends.
    if (server.listening && process.platform !== 'win32') chmodSync(address, 0o600)
  })
}

function answer(broker: Watched, socket: Socket): void {
  let text = ''
  socket.unref()
  socket.setEncoding('utf8')
  socket.on('error', () => undefined)
  socket.on('data', (chunk: string) => {
    text += chunk
    const end = text.indexOf('\n')
    if (end === -1 && text.length > QUESTION_BYTES_MAX) socket.destroy()
    if (end === -1) return
    socket.removeAllListeners('data').resume()
    try {
      show(broker, socket, readQuestion(text.slice(0, end)))
    } catch (error) {
      socket.end(line({ error: (error as Error).message }))
    }
  })
}

function show(broker: Watched, socket: Socket, question: Question): void {
  if (question.ask === 'trace') stream(broker, socket, question.filter)
  else
    broker.actors().then(
      actors => socket.end(line({ actors })),
      (error: Error) => socket.end(line({ error: error.message })),
    )
}

function stream(broker: Watched, socket: Socket, filter: TraceFilter): void {
  let dropped = 0
  const stop = broker.trace(filter, event => {
    if (socket.writableLength > UNREAD_BYTES_MAX) {
      dropped++
      return
    }
    if (dropped > 0) socket.write(line({ dropped }))
    dropped = 0
    socket.write(line({ event }))
  })
  socket.once('close', stop)
  socket.write(line({ watching: true }))
}

function line(value: object): string {
  return `${JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? Number(each) : each))}\n`
}
