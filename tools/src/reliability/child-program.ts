// Runs a program of this room as a process of its own: tests drive it by what it prints, never by waiting.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { builtUrl } from '@odradek/shared/actor/built-url'

export interface Ending {
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
  readonly errors: string
}

export class ChildProgram {
  readonly process: ChildProcess
  readonly #lines: AsyncIterator<string>
  #errors = ''

  /** `program` is the folder of its `main.ts`. `wrapper`: a command line to run it under. */
  constructor(program: string, args: readonly string[], wrapper: readonly string[] = []) {
    const main = new URL(builtUrl(new URL(`./${program}/main.ts`, import.meta.url).href)).pathname
    const [command, ...rest] = [...wrapper, process.execPath, main, ...args]
    this.process = spawn(command!, rest, { stdio: ['pipe', 'pipe', 'pipe'] })
    this.process.stderr!.on('data', chunk => {
      this.#errors += chunk
    })
    this.#lines = createInterface({ input: this.process.stdout! })[Symbol.asyncIterator]()
  }

  /** The next line that it prints; null when it has ended. */
  async line(): Promise<string | null> {
    const { value, done } = await this.#lines.next()
    return done ? null : value
  }

  /** Everything that it prints from now on. */
  async rest(): Promise<string[]> {
    const lines: string[] = []
    for (let line = await this.line(); line !== null; line = await this.line()) lines.push(line)
    return lines
  }

  tell(line: string): void {
    this.process.stdin!.write(`${line}\n`)
  }

  kill(): void {
    this.process.kill('SIGKILL')
  }

  async ended(): Promise<Ending> {
    const { process: child } = this
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    // What it said last may come after its end.
    if (!child.stderr!.readableEnded) await once(child.stderr!, 'end')
    return { exitCode: child.exitCode, signal: child.signalCode, errors: this.#errors }
  }
}
