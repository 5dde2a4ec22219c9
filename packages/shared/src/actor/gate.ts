// The gate (STACK 2): one word in shared memory per thread that keeps it from being ended inside an LMDB call.
//
//   OPEN 0   --thread, before a section-->  INSIDE 1  --thread, after it: store and notify-->  OPEN 0
//   OPEN 0   --supervisor, before it ends the thread-->  SHUT 2    (final: a thread that finds it waits for its end)
/// <reference lib="es2024.sharedmemory" />
import type { Gate } from './actor.ts'

const OPEN = 0
const INSIDE = 1
const SHUT = 2

/** Makes the word of a thread. */
export function newGateWord(): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(4))
}

/** The thread's side. Re-entrant. */
export function threadGate(word: Int32Array<SharedArrayBuffer>): Gate {
  let depth = 0
  return {
    run(section) {
      if (depth === 0 && Atomics.compareExchange(word, 0, OPEN, INSIDE) !== OPEN) parkForever(word)
      depth++
      try {
        return section()
      } finally {
        if (--depth === 0) {
          Atomics.store(word, 0, OPEN)
          Atomics.notify(word, 0)
        }
      }
    },
  }
}

/** The thread is about to be ended: it must not go on, and must not spin. */
function parkForever(word: Int32Array<SharedArrayBuffer>): never {
  for (;;) Atomics.wait(word, 0, SHUT)
}

/** Shuts the gate when the thread is outside; resolves false when it was still inside after `deadlineMs`. */
export async function shutGate(word: Int32Array<SharedArrayBuffer>, deadlineMs: number): Promise<boolean> {
  const until = performance.now() + deadlineMs
  while (Atomics.compareExchange(word, 0, OPEN, SHUT) === INSIDE) {
    const left = until - performance.now()
    if (left <= 0) return false
    const waiting = Atomics.waitAsync(word, 0, INSIDE, left)
    if (waiting.async) await waiting.value
  }
  return true
}

/** The same, blocking: for the moment when the process exits. */
export function shutGateNow(word: Int32Array<SharedArrayBuffer>, deadlineMs: number): boolean {
  const until = performance.now() + deadlineMs
  while (Atomics.compareExchange(word, 0, OPEN, SHUT) === INSIDE) {
    const left = until - performance.now()
    if (left <= 0) return false
    Atomics.wait(word, 0, INSIDE, left)
  }
  return true
}

const watched = new Set<Int32Array<SharedArrayBuffer>>()
let deadlineAtExitMs = 0

/**
 * From now on the process does not exit while that thread is inside its gate: `process.exit()` and uncaught errors in the main
 * thread wait for it (at most `deadlineMs`, then the process ends itself by SIGKILL, which LMDB survives, rather than hang or tear
 * a writer apart). Returns what undoes it.
 */
export function watchGateAtExit(word: Int32Array<SharedArrayBuffer>, deadlineMs: number): () => void {
  if (watched.size === 0) process.on('exit', shutAllAtExit)
  deadlineAtExitMs = Math.max(deadlineAtExitMs, deadlineMs)
  watched.add(word)
  return () => {
    watched.delete(word)
    if (watched.size === 0) process.off('exit', shutAllAtExit)
  }
}

function shutAllAtExit(): void {
  const until = performance.now() + deadlineAtExitMs
  for (const word of watched) {
    if (!shutGateNow(word, Math.max(0, until - performance.now()))) killProcess()
  }
}

/** The last resort: a thread is stuck inside its gate, and ending it would tear an LMDB transaction apart or hang. */
export function killProcess(): void {
  process.kill(process.pid, 'SIGKILL')
}
