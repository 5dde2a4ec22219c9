// Where the packed code of threads lies, and whether it is that of the files beside it. In a checkout the plain build may be newer than the pack: threads
// then run the plain files, slower to start and never stale.
import { existsSync, readFileSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { builtUrl } from '@odradek/shared/actor/built-url'
import { useThreadEntry } from '@odradek/shared/actor/thread-entry'

const packages = ['shared', 'coordinator', 'broker', 'producer', 'consumer'] as const
const here = builtUrl(import.meta.url)

/** The folder that `pack` writes. */
export const packedFolder = new URL('../packed/', here)

const entry = new URL('thread-start.cjs', packedFolder)
/** Written last: what the pack was made from. */
export const stampFile = new URL('packed-from.json', packedFolder)

/** What of this package is packed besides. */
const ownFiles = ['code-cache.js', 'packed-thread.worker.js', 'thread-start.worker.js'] as const

/** Each package's build, by the time when the compiler last wrote anything; null where there is no checkout. */
export function buildStamp(): { readonly [name: string]: number } | null {
  if (!existsSync(new URL('../../tsconfig.json', here))) return null
  const stampOf = (folder: string) => statSync(new URL(`../../../${folder}/dist/.tsbuildinfo`, here)).mtimeMs
  return Object.fromEntries([
    ...packages.map(name => [name, stampOf(`packages/${name}`)] as const),
    ...ownFiles.map(name => [name, statSync(new URL(name, here)).mtimeMs] as const),
  ])
}

/** Threads that are started from now on run the pack, if there is one and it is fresh. Returns whether they do. */
export function usePackedThreads(): boolean {
  if (!areFresh()) return false
  useThreadEntry(entry)
  return true
}

/** Whether there is a pack, made from the build as it is. */
export function areFresh(): boolean {
  if (!existsSync(fileURLToPath(stampFile))) return false
  try {
    const built = buildStamp()
    return built === null || readFileSync(stampFile, 'utf8') === JSON.stringify(built)
  } catch {
    // A build that is being written: the plain files are right in any case.
    return false
  }
}
