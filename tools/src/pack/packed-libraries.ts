// Libraries of others whose JavaScript is packed, each into a file of its own that is named for its version: threads load them with kept bytecode. Their native
// parts stay where they are installed. After an upgrade the names differ, and what is installed is loaded as it is.
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** By the name that packed code requires them by. */
export const packedLibraries: readonly string[] = ['lmdb']

export interface Library {
  /** Name of its file in the pack, if that was packed from this version. */
  readonly packed: string
  /** The file that `require` loads. */
  readonly main: string
  readonly folder: string
}

/** The library `id` that has `main`. Throws when no folder above it is of that name. */
export function installedLibrary(main: string, id: string): Library {
  for (let folder = dirname(main); folder !== dirname(folder); folder = dirname(folder)) {
    const { name, version } = readPackage(folder)
    if (name === id) return { packed: `${id}-${version}.cjs`, main, folder }
  }
  throw new Error(`${main} is in no package '${id}'`)
}

function readPackage(folder: string): { readonly name?: string; readonly version?: string } {
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  } catch {
    return {}
  }
}
