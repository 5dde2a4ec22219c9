// Packs the code that threads run into a few files, and keeps V8's bytecode of them (part of `pnpm build`): a cold thread then reads twenty files instead of two
// hundred and compiles next to nothing. Libraries with native parts or WebAssembly stay outside and are loaded from node_modules.
import { spawnSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { builtUrl } from '@odradek/shared/actor/built-url'
import { type Plugin, rolldown } from 'rolldown'
import { areFresh, buildStamp, packedFolder, stampFile } from './packed-threads.ts'

const outside = [/^node:/, 'lmdb', '@node-rs/crc32', /^@platformatic\//, /^@cloudpss\//, 'piscina', 'pino']
const RECORDING_MS_MAX = 60_000

/** One character beyond ASCII would make V8 hold a whole file at two bytes a character, in every thread. */
const asciiOnly: Plugin = {
  name: 'ascii-only',
  renderChunk: code =>
    code.replace(/[^\0-\x7f]/g, character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`),
}

function built(path: string): string {
  return fileURLToPath(builtUrl(new URL(path, import.meta.url).href))
}

async function pack(): Promise<void> {
  // The stamp as it was before: a build that happens meanwhile makes the pack stale, not wrong.
  const stamp = JSON.stringify(buildStamp())
  rmSync(packedFolder, { recursive: true, force: true })
  await write('packed-thread', built('./packed-thread.worker.ts'))
  await write('thread-start', built('./thread-start.worker.ts'))
  await write('thread-recorder', built('./thread-recorder.worker.ts'))
  record()
  writeFileSync(stampFile, stamp)
}

async function write(name: string, path: string): Promise<void> {
  const bundle = await rolldown({
    input: { [name]: path },
    platform: 'node',
    external: outside,
    plugins: [asciiOnly],
    logLevel: 'warn',
  })
  await bundle.write({
    dir: fileURLToPath(packedFolder),
    format: 'cjs',
    entryFileNames: '[name].cjs',
    chunkFileNames: '[name]-[hash].cjs',
  })
  await bundle.close()
}

/** Without it threads start slower and do the same. */
function record(): void {
  const { status, stderr } = spawnSync(process.execPath, [built('./record-code.ts')], {
    encoding: 'utf8',
    timeout: RECORDING_MS_MAX,
    killSignal: 'SIGKILL',
  })
  if (status !== 0) console.warn(`the bytecode of threads was not kept, they start slower: ${stderr}`)
}

// A fresh pack may be in use: threads load its files when they need them.
if (!areFresh()) await pack()
