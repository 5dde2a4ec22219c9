#!/usr/bin/env node
// The `odradek` program. It loads its commands packed where it can: reading a hundred modules one by one takes longer than a broker takes to start.
import { createRequire } from 'node:module'
import { isPackFresh, packedFolder } from '../pack/freshness.ts'
import { packedCommands } from './packed-commands.ts'

if (packedCommands.has(process.argv[2]!) && isPackFresh()) createRequire(packedFolder)('./program-start.cjs')
else {
  const { usePackedThreads } = await import('../pack/packed-threads.ts')
  usePackedThreads()
  const { runProgram } = await import('./program.ts')
  await runProgram()
}
