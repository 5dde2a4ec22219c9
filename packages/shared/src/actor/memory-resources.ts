// Resources that live as long as whoever holds this object: a thread, or a simulated world.
import type { Resources } from './actor.ts'

export class MemoryResources implements Resources {
  readonly #byKey = new Map<string, unknown>()

  get<T>(key: string, create: () => T): T {
    if (!this.#byKey.has(key)) this.#byKey.set(key, create())
    return this.#byKey.get(key) as T
  }

  delete(key: string): void {
    this.#byKey.delete(key)
  }
}
