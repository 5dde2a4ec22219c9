// The other side of a window: asks a broker of another process who runs, or watches its transitions.
import { createConnection, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import type { ActorListing } from '@odradek/shared/actor/system-core'
import type { TraceEvent } from '@odradek/shared/actor/trace'
import type { TraceFilter } from '@odradek/shared/actor/trace-ring'
import { KafkaError } from '@odradek/shared/base/errors'
import type { Question } from './question.rules.ts'
import { socketAddress } from './window.ts'

/** What comes through, one of them per line. */
interface Answer {
  readonly actors?: readonly ActorListing[]
  readonly event?: TraceEvent
  /** Events that were lost because we did not read. */
  readonly dropped?: number
  readonly watching?: true
  readonly error?: string
}

export interface Watcher {
  event(event: TraceEvent): void
  dropped(count: number): void
  /** The window is open and the filter in place. */
  watching?(): void
}

/** Who runs in the broker behind the window. Throws KafkaError ODK_WINDOW_CLOSED when nobody is there. */
export async function actorsThrough(path: string): Promise<readonly ActorListing[]> {
  for await (const { actors } of answers(path, { ask: 'actors' })) if (actors !== undefined) return actors
  throw closedWindow(path, 'it closed before it answered')
}

/** Shows transitions until the signal fires or the broker closes. Throws KafkaError ODK_WINDOW_CLOSED when nobody is there. */
export async function watchThrough(
  path: string,
  filter: TraceFilter,
  watcher: Watcher,
  signal: AbortSignal,
): Promise<void> {
  for await (const { event, dropped, watching } of answers(path, { ask: 'trace', filter }, signal)) {
    if (event !== undefined) watcher.event(event)
    if (dropped !== undefined) watcher.dropped(dropped)
    if (watching) watcher.watching?.()
  }
}

async function* answers(path: string, question: Question, signal?: AbortSignal): AsyncGenerator<Answer> {
  const socket = await connected(path)
  const lines = createInterface({ input: socket })
  const leave = () => {
    lines.close()
    socket.destroy()
  }
  // A socket that is destroyed has no end that the reader of lines would see.
  socket.once('close', leave)
  signal?.addEventListener('abort', leave, { once: true })
  if (signal?.aborted) leave()
  try {
    socket.write(`${JSON.stringify(question)}\n`)
    for await (const line of lines) {
      const answer = JSON.parse(line) as Answer
      if (answer.error !== undefined) throw new KafkaError('ODK_OPTION_INVALID', answer.error)
      yield answer
    }
  } finally {
    signal?.removeEventListener('abort', leave)
    leave()
  }
}

function connected(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(socketAddress(path))
    socket.once('error', error => reject(closedWindow(path, error.message, error)))
    socket.once('connect', () => {
      socket.removeAllListeners('error').on('error', () => undefined)
      resolve(socket)
    })
  })
}

function closedWindow(path: string, why: string, cause?: Error): KafkaError {
  return new KafkaError(
    'ODK_WINDOW_CLOSED',
    `no broker can be watched at ${path} (${why}); \`odradek serve --dir DIR\` opens DIR/watch.sock, \`openWindow(broker, path)\` any path`,
    cause === undefined ? {} : { cause },
  )
}
