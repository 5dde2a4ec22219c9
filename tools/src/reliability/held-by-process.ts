// What this process holds of the system: grows with every leak, and with nothing else once all code is loaded and all pools have started.
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'

export interface Held {
  /** Of the operating system; null where it does not tell (only Linux does). */
  readonly threads: number | null
  /** What each open file descriptor is, sorted: the path of a file, or the kind of anything else (`socket`, `pipe`, `anon_inode`). */
  readonly descriptors: readonly string[] | null
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
    descriptors: openDescriptors(),
    mappedLogs: maps.filter(line => line.includes('.mdb')).length,
    ports,
  }
}

function openDescriptors(): string[] {
  const open: string[] = []
  for (const descriptor of readdirSync('/proc/self/fd')) {
    try {
      // Sockets and pipes are numbered (`socket:[123]`): which one it is tells nothing.
      open.push(readlinkSync(`/proc/self/fd/${descriptor}`).replace(/^(socket|pipe):.*/, '$1'))
    } catch {
      // The descriptor by which the directory was read: closed by now.
    }
  }
  return open.sort()
}
