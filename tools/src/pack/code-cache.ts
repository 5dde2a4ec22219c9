// Loads the files of the pack together with the bytecode that V8 made of them at build time, so that a starting thread compiles next to nothing. Bytecode
// belongs to one release of Node on one kind of machine, and to V8's flags: for any other none was kept, or V8 refuses it and compiles.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { Script } from 'node:vm'
import { installedLibrary, packedLibraries } from './packed-libraries.ts'

/** One file of the pack: its source and, where the build ran it, the bytecode. Own buffers, read once. */
export interface KeptChunk {
  /** Latin1: the pack is ASCII, and so it is read without a look at every character. */
  readonly source: string
  readonly code: Uint8Array
}

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

/** The modules of the pack in `folder`, as one thread loads them. `kept` knows what the build kept of a file, if anything. */
export class CodeCache {
  readonly #folder: string
  readonly #kept: (name: string) => KeptChunk | undefined
  readonly #requireInstalled: NodeJS.Require
  readonly #chunks = new Map<string, Chunk>()

  constructor(folder: string, kept: (name: string) => KeptChunk | undefined) {
    this.#folder = folder
    this.#kept = kept
    this.#requireInstalled = createRequire(join(folder, 'packed-thread.cjs'))
  }

  /** What the file exports; it runs when it is first asked for. */
  load(name: string): unknown {
    const chunk = this.#chunks.get(name) ?? this.#run(name)
    return chunk.module.exports
  }

  /** The bytecode of what this thread ran, each with all functions that it needed so far. */
  *code(): Generator<{ readonly name: string; readonly code: Uint8Array }, void, void> {
    for (const [name, { script }] of this.#chunks) yield { name, code: script.createCachedData() }
  }

  #run(name: string): Chunk {
    const chunk = this.#compile(name, this.#read(name))
    const require = (id: string) => (id.startsWith('./') ? this.load(id.slice(2)) : this.#requireOther(id))
    this.#begin(name, chunk, require, join(this.#folder, name))
    return chunk
  }

  #requireOther(id: string): unknown {
    return packedLibraries.includes(id) ? this.#library(id) : this.#requireInstalled(id)
  }

  /** As it was packed, if the one that is installed is of that version; as it is installed otherwise. It finds its native parts from where it is installed. */
  #library(id: string): unknown {
    const { packed: name, main } = installedLibrary(this.#requireInstalled.resolve(id), id)
    const known = this.#chunks.get(name)
    if (known !== undefined) return known.module.exports
    const source = attempt(() => this.#read(name))
    if (source === undefined) return this.#requireInstalled(id)
    const chunk = this.#compile(name, source)
    this.#begin(name, chunk, createRequire(main), main)
    return chunk.module.exports
  }

  #read(name: string): Partial<KeptChunk> & Pick<KeptChunk, 'source'> {
    return this.#kept(name) ?? { source: readFileSync(join(this.#folder, name), 'latin1') }
  }

  #compile(name: string, { source, code }: Partial<KeptChunk> & Pick<KeptChunk, 'source'>): Chunk {
    const script = new Script(`(function (${PARAMETERS}) {${source}\n})`, {
      filename: join(this.#folder, name),
      ...(code && { cachedData: code }),
    })
    return { script, module: { exports: {} } }
  }

  #begin(name: string, chunk: Chunk, require: (id: string) => unknown, file: string): void {
    this.#chunks.set(name, chunk)
    const wrapper: Wrapper = chunk.script.runInThisContext()
    wrapper(chunk.module.exports, require, chunk.module, file, importModule)
  }
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}

/** Bytecode is good for one release on one kind of machine; V8 itself compares its version and flags. */
export function platformName(): string {
  const { v8_enable_pointer_compression: compressed } = process.config.variables as { [name: string]: unknown }
  return [process.version, process.platform, process.arch, ...(compressed ? ['compressed'] : [])].join('-')
}
