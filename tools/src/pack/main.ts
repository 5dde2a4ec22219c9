// Packs the code of threads and of the program into a few files, and keeps V8's bytecode of them (part of `pnpm build`): a cold thread then reads twenty files
// instead of two hundred and compiles next to nothing. Native parts and WebAssembly stay outside and are loaded from node_modules.
import { spawnSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { builtUrl } from '@odradek/shared/actor/built-url'
import { parseSync } from 'oxc-parser'
import { type Plugin, type RolldownOutput, rolldown } from 'rolldown'
import { nouns } from '../cli/nouns.ts'
import { packedCommands } from '../cli/packed-commands.ts'
import { buildStamp, isPackFresh, packedFolder, stampFile } from './freshness.ts'
import { licencesOf } from './licences.ts'
import { installedLibrary, packedLibraries } from './packed-libraries.ts'
import { bindRecorded } from './recorded-code.ts'

const outside = [/^node:/, 'lmdb', '@node-rs/crc32', /^@platformatic\//, /^@cloudpss\//, 'piscina', 'pino']
/** Commands that the packed program leaves to the plain one; `program-start` tells them apart before it loads either. */
const unpackedNames = nouns.filter(({ name }) => !packedCommands.has(name)).map(({ name }) => name)
const unpackedCommands = new RegExp(`/(${unpackedNames.join('|')})-command\\.js$`)
const RECORDING_MS_MAX = 60_000
/** What the pack was made from. */
const packedFiles = new Set<string>()

/** One character beyond ASCII would make V8 hold a whole file at two bytes a character, in every thread. */
const asciiOnly: Plugin = {
  name: 'ascii-only',
  renderChunk: code =>
    code.replace(/[^\0-\x7f]/g, character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`),
}

/** What is left of `import()` when all that can be packed is packed: modules of others. Code that comes with its bytecode may not import (code-cache). */
const importsByName: Plugin = {
  name: 'imports-by-name',
  renderChunk(code, { fileName }) {
    const { dynamicImports } = parseSync(fileName, code).module
    // From the last to the first: what is before keeps its place.
    return dynamicImports.reduceRight(
      (text, { start }) => `${text.slice(0, start)}importModule${text.slice(start + 'import'.length)}`,
      code,
    )
  },
}

function built(path: string): string {
  return fileURLToPath(builtUrl(new URL(path, import.meta.url).href))
}

async function pack(): Promise<void> {
  // The stamp as it was before: a build that happens meanwhile makes the pack stale, not wrong.
  const stamp = JSON.stringify(buildStamp())
  rmSync(packedFolder, { recursive: true, force: true })
  await write('packed-thread', built('./packed-thread.worker.ts'), [importsByName])
  await write('thread-start', built('./thread-start.worker.ts'))
  await write('thread-recorder', built('./thread-recorder.worker.ts'))
  await write('packed-program', built('./packed-program.ts'), [importsByName])
  await write('program-start', built('./program-start.ts'))
  await write('program-recorder', built('./program-recorder.ts'))
  for (const library of packedLibraries) await writeLibrary(library)
  writeFileSync(new URL('LICENSES.txt', packedFolder), licencesOf(packedFiles))
  record('threads', built('./record-code.ts'))
  record('the program', built('./record-program.ts'))
  bindRecorded(fileURLToPath(packedFolder))
  writeFileSync(stampFile, stamp)
}

async function write(name: string, path: string, plugins: readonly Plugin[] = []): Promise<void> {
  const bundle = await rolldown({
    input: { [name]: path },
    platform: 'node',
    external: [...outside, unpackedCommands],
    plugins: [asciiOnly, ...plugins],
    checks: { bundlerTimings: false },
    logLevel: 'warn',
  })
  const { output } = await bundle.write({
    dir: fileURLToPath(packedFolder),
    format: 'cjs',
    entryFileNames: '[name].cjs',
    chunkFileNames: '[name]-[hash].cjs',
  })
  await bundle.close()
  took(output)
}

/**
 * A library and all that it requires, but for native parts. lmdb takes msgpackr along for an encoding that no log here uses (all are `binary`): its own native part
 * is left out by the switch that it has for this.
 */
async function writeLibrary(id: string): Promise<void> {
  const { packed, main } = installedLibrary(createRequire(import.meta.url).resolve(id), id)
  const bundle = await rolldown({
    input: main,
    platform: 'node',
    plugins: [asciiOnly],
    transform: { define: { 'process.env.MSGPACKR_NATIVE_ACCELERATION_DISABLED': '"true"' } },
    // Of ordered-binary, which builds a reader of strings from text.
    checks: { eval: false, bundlerTimings: false },
    logLevel: 'warn',
  })
  const { output } = await bundle.write({ file: fileURLToPath(new URL(packed, packedFolder)), format: 'cjs' })
  await bundle.close()
  took(output)
}

function took(output: RolldownOutput['output']): void {
  for (const file of output) if (file.type === 'chunk') for (const id of file.moduleIds) packedFiles.add(id)
}

/** Without it starts are slower and do the same. */
function record(what: string, path: string): void {
  const { status, stderr } = spawnSync(process.execPath, [path], {
    encoding: 'utf8',
    timeout: RECORDING_MS_MAX,
    killSignal: 'SIGKILL',
  })
  if (status !== 0) console.warn(`the bytecode of ${what} was not kept, it starts slower: ${stderr}`)
}

// A fresh pack may be in use: threads load its files when they need them.
if (!isPackFresh()) await pack()
