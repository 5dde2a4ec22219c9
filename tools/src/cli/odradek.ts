#!/usr/bin/env node
// The `odradek` program. It loads its commands packed where it can: reading a hundred modules one by one takes longer than a broker takes to start. For the same reason
// nothing of ours is imported here: the pack itself says whether it is fresh.
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'

const packed = new URL('../packed/program-start.cjs', import.meta.url)

if (!(existsSync(packed) && createRequire(packed)('./program-start.cjs').startPacked(process.argv[2]))) {
  const { usePackedThreads } = await import('../pack/packed-threads.ts')
  usePackedThreads()
  const { runProgram } = await import('./program.ts')
  await runProgram()
}
