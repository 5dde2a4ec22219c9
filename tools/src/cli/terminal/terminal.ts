// Where a command writes: data to stdout, everything for people to stderr; colour and bars only on a terminal. Tests bring their own.

export interface Terminal {
  /** One line of data. */
  print(line: string): void
  /** Raw data, such as record values. False: the reader is slow, wait for {@link drained}. */
  write(chunk: string | Uint8Array): boolean
  drained(): Promise<void>
  /** One line for people: progress, warnings, errors. */
  note(line: string): void
  /** Replaces the last live line; without a terminal on stderr it is a line of its own. */
  live(line: string): void
  /** Whether bars and colours may be used on stderr. */
  readonly isInteractive: boolean
  /** Whether stdout is a terminal with colours. */
  readonly hasColour: boolean
  /** Characters per line. */
  readonly columns: number
}

const CLEAR_LINE = '\r\x1b[K'

/** The process's own streams. A reader that went away (EPIPE) ends the process quietly, as a pipe's end does. */
export function processTerminal(environment: NodeJS.ProcessEnv = process.env): Terminal {
  const { stdout, stderr } = process
  for (const stream of [stdout, stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      process.exit(error.code === 'EPIPE' ? (process.exitCode ?? 0) : 1)
    })
  }
  const plain = environment.NO_COLOR !== undefined && environment.NO_COLOR !== ''
  const isInteractive = stderr.isTTY === true && !plain && environment.TERM !== 'dumb'
  let isLive = false
  const settle = () => {
    if (isLive) stderr.write('\n')
    isLive = false
  }
  return {
    print: line => {
      stdout.write(`${line}\n`)
    },
    write: chunk => stdout.write(chunk),
    drained: () => new Promise(resolve => stdout.once('drain', resolve)),
    note: line => {
      settle()
      stderr.write(`${line}\n`)
    },
    live: line => {
      if (isInteractive) stderr.write(`${CLEAR_LINE}${line}`)
      else stderr.write(`${line}\n`)
      isLive = isInteractive
    },
    isInteractive,
    hasColour: stdout.isTTY === true && !plain,
    columns: stdout.columns ?? stderr.columns ?? 80,
  }
}
