// How many modules a thread is loading, in one word of shared memory. A thread that is ended while it reads a module leaves the file open for the life of
// the process (the platform forgets the descriptor of an `open` that ends after its thread), so whoever ends it lets it finish loading first.
//
//   n >= 0   --thread, before a load-->  n + 1   --thread, after it: store and notify-->  n
//   0        --whoever ends the thread-->  SHUT -1    (final: nothing is loaded any more)
/// <reference lib="es2024.sharedmemory" />

const SHUT = -1

export type LoadingWord = Int32Array<SharedArrayBuffer>

/** What this thread was given; none in a thread that nobody ends, such as the main one. */
let own: LoadingWord | undefined

/** Makes the word of a thread that is about to start: its entry counts as loading until the thread takes the word. */
export function newLoadingWord(): LoadingWord {
  return new Int32Array(new SharedArrayBuffer(4)).fill(1)
}

/** The thread's side, once its entry has been loaded: from now on `loading` counts in this word. */
export function countLoading(word: LoadingWord): void {
  own = word
  loaded(word)
}

let inFlight = 0

/** How many loads this thread is in. A simulated world stands still while there are any: how long they take is up to the machine. */
export function loadsInFlight(): number {
  return inFlight
}

/** Every `import()` that a thread may run goes through this. Runs `load`; in a thread that is being ended it never comes back. */
export async function loading<T>(load: () => Promise<T>, word = own): Promise<T> {
  if (word !== undefined && !begin(word)) return new Promise(() => {})
  inFlight++
  try {
    return await load()
  } finally {
    inFlight--
    if (word !== undefined) loaded(word)
  }
}

/**
 * The same for a library that is loaded here and now, by a `require`. In a thread that is being ended nothing is loaded any more: undefined. The caller does
 * without, and does not wait for its end here: it may be inside its gate.
 */
export function loadingNow<T>(load: () => T, word = own): T | undefined {
  if (word !== undefined && !begin(word)) return undefined
  try {
    return load()
  } finally {
    if (word !== undefined) loaded(word)
  }
}

function loaded(word: LoadingWord): void {
  Atomics.sub(word, 0, 1)
  Atomics.notify(word, 0)
}

function begin(word: LoadingWord): boolean {
  for (;;) {
    const count = Atomics.load(word, 0)
    if (count === SHUT) return false
    if (Atomics.compareExchange(word, 0, count, count + 1) === count) return true
  }
}

/** Shuts when nothing is being loaded; resolves false when something still was after `deadlineMs`. */
export async function shutLoading(word: LoadingWord, deadlineMs: number): Promise<boolean> {
  const until = performance.now() + deadlineMs
  for (;;) {
    const count = Atomics.compareExchange(word, 0, 0, SHUT)
    if (count <= 0) return true
    const left = until - performance.now()
    if (left <= 0) return false
    const waiting = Atomics.waitAsync(word, 0, count, left)
    if (waiting.async) await waiting.value
  }
}
