// Whether the packed code is that of the files beside it. In a checkout the plain build may be newer than the pack: the plain files then run, slower to start
// and never stale. The program asks this before anything else, so nothing large is imported here.
import { existsSync, readFileSync, statSync } from 'node:fs'
import { builtUrl } from '@odradek/shared/actor/built-url'

const packages = [
  'packages/shared',
  'packages/coordinator',
  'packages/broker',
  'packages/producer',
  'packages/consumer',
  'tools',
]
const here = builtUrl(import.meta.url)
/** Whether this runs where it was built; packages that users install come without this file. */
export const isCheckout = existsSync(new URL('../../tsconfig.json', here))

/** The folder that `pack` writes. */
export const packedFolder = new URL('../packed/', here)
/** Written last: what the pack was made from. */
export const stampFile = new URL('packed-from.json', packedFolder)

/** Each package's build, by the time when the compiler last wrote anything; null where there is no checkout. */
export function buildStamp(): { readonly [name: string]: number } | null {
  if (!isCheckout) return null
  return Object.fromEntries(
    packages.map(name => [name, statSync(new URL(`../../../${name}/dist/.tsbuildinfo`, here)).mtimeMs]),
  )
}

/** Whether there is a pack, made from the build as it is. */
export function isPackFresh(): boolean {
  try {
    const packedFrom = readFileSync(stampFile, 'utf8')
    const built = buildStamp()
    return built === null || packedFrom === JSON.stringify(built)
  } catch {
    // No pack, or a build that is being written: the plain files are right in any case.
    return false
  }
}
