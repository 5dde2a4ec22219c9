// A terminal for tests: remembers what was written where.
import type { Terminal } from './terminal.ts'

export interface CapturedTerminal extends Terminal {
  readonly out: string
  readonly notes: readonly string[]
}

export function capturedTerminal({ columns = 100 } = {}): CapturedTerminal {
  const chunks: Buffer[] = []
  const notes: string[] = []
  return {
    print: line => void chunks.push(Buffer.from(`${line}\n`)),
    write: chunk => chunks.push(Buffer.from(chunk)) > 0,
    drained: async () => {},
    note: line => void notes.push(line),
    live: line => void notes.push(line),
    isInteractive: false,
    hasColour: false,
    columns,
    get out() {
      return Buffer.concat(chunks).toString()
    },
    notes,
  }
}
