#!/usr/bin/env node
// The `odradek` program: commands are in nouns.ts, exit codes in exit-codes.ts.
import { usePackedThreads } from '../pack/packed-threads.ts'
import { run } from './run.ts'
import { processTerminal } from './terminal/terminal.ts'

usePackedThreads()
// The timers of clients and brokers do not keep a process alive; a command that waits for one does.
const alive = setInterval(() => undefined, 2 ** 30)
process.exitCode = await run(process.argv.slice(2), processTerminal())
clearInterval(alive)
