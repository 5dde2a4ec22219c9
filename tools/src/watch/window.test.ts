// The window: who runs and what machines do can be seen by another process, nothing can be changed, and nobody who looks costs the broker anything.
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createConnection, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { TraceEvent } from '@odradek/shared/actor/trace'
import type { TraceFilter } from '@odradek/shared/actor/trace-ring'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { actorsThrough, watchThrough } from './look-through.ts'
import { openWindow, type Watched, type Window } from './window.ts'

const event: TraceEvent = {
  t: 1.5,
  kind: 'sender',
  actor: 'p-1',
  machine: 'sender',
  from: 'Starting',
  to: 'Sending',
  event: 'begin',
  effects: ['drain'],
}

/** A broker as a window sees it: a list of actors, and transitions when the test says so. */
class Watchable implements Watched {
  readonly filters = new Map<(event: TraceEvent) => void, TraceFilter>()
  changed: () => void = () => undefined

  async actors() {
    return [{ address: { kind: 'broker', name: 'broker-1' }, state: 'Running' }] as never
  }

  trace(filter: TraceFilter, listener: (event: TraceEvent) => void) {
    this.filters.set(listener, filter)
    this.changed()
    return () => {
      this.filters.delete(listener)
      this.changed()
    }
  }

  emit(times = 1): void {
    for (const listener of this.filters.keys()) for (let n = 0; n < times; n++) listener(event)
  }

  /** Resolves once so many are watching. */
  watchers(count: number): Promise<void> {
    return new Promise(resolve => {
      this.changed = () => {
        if (this.filters.size === count) resolve()
      }
      this.changed()
    })
  }
}

let dir: string
let broker: Watchable
let window: Window

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'odradek-window-'))
  broker = new Watchable()
  window = await openWindow(broker, join(dir, 'watch.sock'))
})

afterEach(async () => {
  await window.close()
  rmSync(dir, { recursive: true, force: true })
})

/** What is answered to one line that no client of ours would send. */
async function answerTo(line: string): Promise<unknown> {
  const socket = createConnection(window.path)
  socket.write(`${line}\n`)
  return JSON.parse(await text(socket))
}

test('who runs is answered', async () => {
  expect(await actorsThrough(window.path)).toEqual([
    { address: { kind: 'broker', name: 'broker-1' }, state: 'Running' },
  ])
})

test('transitions come through with the filter that was asked for, until the watcher leaves', async () => {
  const seen: TraceEvent[] = []
  const leave = new AbortController()
  const filter = { machines: ['sender'], kinds: ['sender'] }
  const watched = watchThrough(
    window.path,
    filter,
    {
      event: each => {
        seen.push(each)
        if (seen.length === 3) leave.abort()
      },
      dropped: () => expect.unreachable(),
      watching: () => broker.emit(3),
    },
    leave.signal,
  )
  await broker.watchers(1)
  expect([...broker.filters.values()]).toEqual([filter])
  await watched
  expect(seen).toEqual([event, event, event])
  await broker.watchers(0)
})

test('a watcher that does not read loses events, is told how many, and costs a bounded memory', async () => {
  const socket = createConnection(window.path)
  socket.write('{"ask":"trace","filter":{}}\n')
  await broker.watchers(1)
  const burst = 50_000
  broker.emit(burst)
  let received = 0
  let dropped = 0
  let rest = ''
  await new Promise<void>(resolve => {
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = `${rest}${chunk}`.split('\n')
      rest = lines.pop()!
      for (const line of lines) {
        const answer = JSON.parse(line)
        if (answer.event !== undefined) received++
        if (answer.dropped !== undefined) dropped += answer.dropped
      }
      if (dropped > 0) resolve()
      else broker.emit()
    })
  })
  expect(received).toBeLessThan(burst)
  expect(received + dropped).toBeGreaterThanOrEqual(burst)
  socket.destroy()
  await broker.watchers(0)
})

test('a question that is none is answered with what is wrong', async () => {
  expect(await answerTo('kill everybody')).toEqual({ error: 'a question is one line with a JSON object' })
  expect(await answerTo('{"ask":"kill"}')).toEqual({ error: `ask must be 'actors' or 'trace', got "kill"` })
  expect(await answerTo('{"ask":"trace","filter":{"names":"orders-0"}}')).toEqual({
    error: 'filter.names must be an array of names, got "orders-0"',
  })
})

test('a line without an end is cut off', async () => {
  const socket = createConnection(window.path)
  socket.on('error', () => undefined)
  socket.write('x'.repeat(200_000))
  await new Promise<void>(resolve => socket.once('close', () => resolve()))
  expect(await actorsThrough(window.path)).toHaveLength(1)
})

test.skipIf(process.platform === 'win32')(
  'only this user may look in, and the socket goes with the window',
  async () => {
    expect(statSync(window.path).mode & 0o777).toBe(0o600)
    await window.close()
    expect(existsSync(window.path)).toBe(false)
    await expect(actorsThrough(window.path)).rejects.toMatchObject({ code: 'ODK_WINDOW_CLOSED' })
  },
)

test.skipIf(process.platform === 'win32')('what a killed process left at the path is replaced', async () => {
  const path = join(dir, 'stale.sock')
  const server = createServer().listen(path)
  await once(server, 'listening')
  // Where the socket was when its process was killed: the server that closes removes it under the old name only.
  renameSync(path, `${path}.kept`)
  server.close()
  renameSync(`${path}.kept`, path)
  await using fresh = await openWindow(broker, path)
  expect(await actorsThrough(fresh.path)).toHaveLength(1)
})

test.skipIf(process.platform === 'win32')('a file that is no socket is never replaced', async () => {
  const path = join(dir, 'diary.txt')
  writeFileSync(path, 'dear diary')
  await expect(openWindow(broker, path)).rejects.toMatchObject({ code: 'ODK_LISTEN_FAILED' })
  expect(readFileSync(path, 'utf8')).toBe('dear diary')
})

test.skipIf(process.platform === 'win32')(
  'nobody else is let in between the opening and the closing of the door',
  async () => {
    const opening = openWindow(broker, join(dir, 'early.sock'))
    expect(statSync(join(dir, 'early.sock')).mode & 0o777).toBe(0o600)
    await (await opening).close()
  },
)

test('watchers are cut off when the window closes', async () => {
  const watched = watchThrough(
    window.path,
    {},
    { event: () => expect.unreachable(), dropped: () => expect.unreachable() },
    new AbortController().signal,
  )
  await broker.watchers(1)
  await window.close()
  await watched
  await broker.watchers(0)
})

test('a path that is too long for a socket, and one that cannot be made, are named', async () => {
  await expect(openWindow(broker, join(dir, 'x'.repeat(120)))).rejects.toMatchObject({
    code: 'ODK_OPTION_INVALID',
    message: expect.stringContaining('at most 103 bytes'),
  })
  await expect(openWindow(broker, join(dir, 'none', 'watch.sock'))).rejects.toMatchObject({
    code: 'ODK_LISTEN_FAILED',
    message: expect.stringContaining(join(dir, 'none', 'watch.sock')),
  })
})
