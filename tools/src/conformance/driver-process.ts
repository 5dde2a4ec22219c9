// A client in another language: one process for the whole suite, one JSON line per request and per reply, in order; between replies it may tell of events. Bytes are base64. What the process says on
// standard error is kept (bounded) and becomes part of the error when it fails.
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

export interface DriverCommand {
  readonly file: string
  readonly args: readonly string[]
}

interface Waiting {
  readonly resolve: (value: never) => void
  readonly reject: (error: Error) => void
}

const ERROR_TEXT_MAX = 8_192

export class DriverProcess {
  readonly #child: ChildProcess
  readonly #waiting: Waiting[] = []
  #errorText = ''
  #ended = false
  readonly #exited: Promise<void>

  /** `onEvent` hears what the driver tells without being asked. */
  constructor({ file, args }: DriverCommand, onEvent: (event: never) => void = () => {}) {
    this.#child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'] })
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#errorText = (this.#errorText + text).slice(-ERROR_TEXT_MAX)
    })
    this.#exited = new Promise(resolve => {
      this.#child.once('error', error => this.#end(error.message, resolve))
      this.#child.once('exit', code => this.#end(`exit code ${code}`, resolve))
    })
    createInterface({ input: this.#child.stdout! }).on('line', line => this.#heard(line, onEvent))
  }

  /** Asks the driver; rejects with the client's own error text. */
  call<T>(method: string, params: object): Promise<T> {
    if (this.#ended) return Promise.reject(new Error(`the driver has ended: ${this.#errorText}`))
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve: resolve as Waiting['resolve'], reject })
      this.#child.stdin!.write(`${JSON.stringify({ method, params })}\n`)
    })
  }

  /** The driver ends when its input does. */
  async close(): Promise<void> {
    this.#child.stdin!.end()
    await this.#exited
  }

  #heard(line: string, onEvent: (event: never) => void): void {
    if (!line.startsWith('{')) return
    const { event, result, error } = JSON.parse(line) as { event?: never; result?: never; error?: string }
    if (event !== undefined) {
      onEvent(event)
      return
    }
    const waiting = this.#waiting.shift()
    if (error === undefined) waiting?.resolve(result as never)
    else waiting?.reject(new Error(error))
  }

  #end(reason: string, resolve: () => void): void {
    this.#ended = true
    for (const { reject } of this.#waiting.splice(0))
      reject(new Error(`the driver ended (${reason}): ${this.#errorText}`))
    resolve()
  }
}
