// What this process holds of the system: grows with every leak, and with nothing else once all code is loaded and all pools have started.
import { existsSync, readdirSync, readFileSync } from 'node:fs'

export interface Held {
  /** Of the operating system; null where it does not tell (only Linux does). */
  readonly threads: number | null
  /** Open file descriptors, sockets among them. */
  readonly descriptors: number | null
  /** LMDB environments that are mapped, by the files that they map. */
  readonly mappedLogs: number | null
  /** Message ports and workers of Node that are open and not unref'd. */
  readonly ports: number
}

export function heldByProcess(): Held {
  const ports = process.getActiveResourcesInfo().filter(name => /MessagePort|Worker/.test(name)).length
  if (!existsSync('/proc/self/status')) return { threads: null, descriptors: null, mappedLogs: null, ports }
  const maps = readFileSync('/proc/self/maps', 'utf8').split('\n')
  return {
    threads: Number(/Threads:\s*(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]),
    descriptors: readdirSync('/proc/self/fd').length,
    mappedLogs: maps.filter(line => line.includes('.mdb')).length,
    ports,
  }
}
