// The program's life: from its arguments to its exit code. Commands are in nouns.ts, exit codes in exit-codes.ts.
import { run } from './run.ts'
import { processTerminal } from './terminal/terminal.ts'

export async function runProgram(): Promise<void> {
  // The timers of clients and brokers do not keep a process alive; a command that waits for one does.
  const alive = setInterval(() => undefined, 2 ** 30)
  process.exitCode = await run(process.argv.slice(2), processTerminal())
  clearInterval(alive)
}
