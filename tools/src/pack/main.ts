// Packs the code that threads run into a few files (`pnpm pack-threads`, part of `pnpm build`): a cold thread then loads about ten files instead of two hundred.
// Libraries with native parts or WebAssembly stay outside and are loaded from node_modules.
import { rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { builtUrl } from '@odradek/shared/actor/built-url'
import { rolldown } from 'rolldown'
import { areFresh, buildStamp, packedFolder, stampFile } from './packed-threads.ts'

const outside = [/^node:/, 'lmdb', '@node-rs/crc32', /^@platformatic\//, /^@cloudpss\//, 'piscina', 'pino']

async function pack(): Promise<void> {
  // The stamp as it was before: a build that happens meanwhile makes the pack stale, not wrong.
  const stamp = JSON.stringify(buildStamp())
  const worker = fileURLToPath(builtUrl(new URL('./packed-thread.worker.ts', import.meta.url).href))
  const input = { 'packed-thread': worker }
  const bundle = await rolldown({ input, platform: 'node', external: outside, logLevel: 'warn' })
  rmSync(packedFolder, { recursive: true, force: true })
  await bundle.write({
    dir: fileURLToPath(packedFolder),
    format: 'cjs',
    entryFileNames: '[name].cjs',
    chunkFileNames: '[name]-[hash].cjs',
  })
  await bundle.close()
  writeFileSync(stampFile, stamp)
}

// A fresh pack may be in use: threads load its files when they need them.
if (!areFresh()) await pack()
