// Loads the files of the pack together with the bytecode that V8 made of them at build time, so that a starting thread compiles next to nothing. The bytecode
// belongs to one release of Node on one kind of machine, and to V8's flags: for any other its folder is not there, or V8 refuses it and compiles.
//
//   packed/broker.actor-X.cjs                          source, one CommonJS module
//   packed/v20.20.2-linux-x64/broker.actor-X.code      its bytecode, with the functions that a start needs
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { Script } from 'node:vm'
import { threadId } from 'node:worker_threads'

interface Chunk {
  readonly script: Script
  readonly module: { exports: unknown }
}

type Wrapper = (
  exports: unknown,
  require: (id: string) => unknown,
  module: object,
  file: string,
  importModule: (specifier: string) => Promise<unknown>,
) => void

/**
 * What the pack calls for `import()`, which is refused in code that came with its bytecode ("a dynamic import callback was not specified"): this file itself is
 * loaded by the platform.
 */
const importModule = (specifier: string): Promise<unknown> => import(specifier)
/** The parameters of a {@link Wrapper}, as the pack's files name them. */
const PARAMETERS = 'exports, require, module, __filename, importModule'

/** The modules of the pack in `folder`, as one thread loads them. */
export class CodeCache {
  readonly #folder: string
  readonly #codeFolder: string
  readonly #hasCode: boolean
  readonly #requireOther: NodeJS.Require
  readonly #chunks = new Map<string, Chunk>()

  constructor(folder: string) {
    this.#folder = folder
    this.#codeFolder = join(folder, platformName())
    this.#hasCode = existsSync(this.#codeFolder)
    this.#requireOther = createRequire(join(folder, 'packed-thread.cjs'))
  }

  /** What the file exports; it runs when it is first asked for. */
  load(name: string): unknown {
    const chunk = this.#chunks.get(name) ?? this.#run(name)
    return chunk.module.exports
  }

  /** Writes the bytecode of what this thread ran, where no other thread compiled more of it. For the build. */
  keep(): void {
    mkdirSync(this.#codeFolder, { recursive: true })
    for (const [name, { script }] of this.#chunks) {
      const path = join(this.#codeFolder, codeName(name))
      const code = script.createCachedData()
      const written = statSync(path, { throwIfNoEntry: false })
      if (written !== undefined && written.size >= code.length) continue
      // Whole or not at all: other threads end at the same time, and the build may be stopped.
      writeFileSync(`${path}.${threadId}`, code)
      renameSync(`${path}.${threadId}`, path)
    }
  }

  #run(name: string): Chunk {
    const file = join(this.#folder, name)
    // The pack is ASCII: as latin1 it is read without a look at every character.
    const source = readFileSync(file, 'latin1')
    const script = new Script(`(function (${PARAMETERS}) {${source}\n})`, { filename: file, ...this.#codeOf(name) })
    const module: Chunk['module'] = { exports: {} }
    const chunk = { script, module }
    this.#chunks.set(name, chunk)
    const wrapper: Wrapper = script.runInThisContext()
    const require = (id: string) => (id.startsWith('./') ? this.load(id.slice(2)) : this.#requireOther(id))
    wrapper(module.exports, require, module, file, importModule)
    return chunk
  }

  /** None where the build ran nothing of the file. */
  #codeOf(name: string): { readonly cachedData?: Buffer } {
    if (!this.#hasCode) return {}
    try {
      return { cachedData: readFileSync(join(this.#codeFolder, codeName(name))) }
    } catch {
      return {}
    }
  }
}

function codeName(name: string): string {
  return name.replace(/\.cjs$/, '.code')
}

/** Bytecode is good for one release on one kind of machine; V8 itself compares its version and flags. */
function platformName(): string {
  const { v8_enable_pointer_compression: compressed } = process.config.variables as { [name: string]: unknown }
  return [process.version, process.platform, process.arch, ...(compressed ? ['compressed'] : [])].join('-')
}
