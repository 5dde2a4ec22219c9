// Listening to an AbortSignal that many wait on. An EventTarget searches its listeners at each change and warns at the eleventh; a consumer of a
// hundred partitions has a hundred asks under one signal. So a signal gets one listener of ours, for as long as it lives, and that one has a set.

type Listener = () => void

const listenersOf = new WeakMap<AbortSignal, Set<Listener>>()

/** Calls `listener` once, when the signal fires; never when it has fired already. Returns what takes it back. */
export function onAbort(signal: AbortSignal, listener: Listener): () => void {
  const listeners = listenersOf.get(signal) ?? listen(signal)
  listeners.add(listener)
  return () => void listeners.delete(listener)
}

function listen(signal: AbortSignal): Set<Listener> {
  const listeners = new Set<Listener>()
  listenersOf.set(signal, listeners)
  signal.addEventListener(
    'abort',
    () => {
      const all = [...listeners]
      listeners.clear()
      for (const listener of all) listener()
    },
    { once: true },
  )
  return listeners
}
