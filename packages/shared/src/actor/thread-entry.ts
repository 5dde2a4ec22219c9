// Which file a new thread runs. By default the worker entry of this folder, which loads every module of an actor by itself; a product that ships its
// threads' code packed into few files (the `odradek` package does) names its own entry once, before the first thread starts.
import { builtUrl } from './built-url.ts'

let entry = new URL(builtUrl(new URL('./thread.worker.ts', import.meta.url).href))

export function threadEntry(): URL {
  return entry
}

/** From now on threads run `url`: a module that calls `runThread` (thread-main.ts) of the same version as this file. */
export function useThreadEntry(url: URL): void {
  entry = url
}
