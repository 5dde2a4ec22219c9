#!/usr/bin/env node
// The `odradek` program. It loads its commands packed where it can: reading a hundred modules one by one takes longer than a broker takes to start. For the same reason
// nothing of ours is imported here (the pack itself says whether it is fresh), and this is no module: what loads modules would have to be set up first, which takes 4 ms.
const { existsSync } = require('node:fs') as typeof import('node:fs')
const { join } = require('node:path') as typeof import('node:path')

type ProgramStart = typeof import('../pack/program-start.ts', { with: { 'resolution-mode': 'import' }})

const packed = join(__dirname, '../packed/program-start.cjs')

async function runPlain(): Promise<void> {
  const { usePackedThreads } = await import('../pack/packed-threads.ts')
  usePackedThreads()
  const { runProgram } = await import('./program.ts')
  await runProgram()
}

if (!(existsSync(packed) && (require(packed) as ProgramStart).startPacked(process.argv[2]))) void runPlain()
