#!/usr/bin/env node
// The `odradek` program: commands are in nouns.ts, exit codes in exit-codes.ts.
import { run } from './run.ts'
import { processTerminal } from './terminal/terminal.ts'

process.exitCode = await run(process.argv.slice(2), processTerminal())
