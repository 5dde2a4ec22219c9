// Runs the built `odradek` as a child process, as a shell would; for tests.
import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** The built program. */
export const program = fileURLToPath(new URL('../../dist/cli/odradek.cjs', import.meta.url))

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Running {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
  /** Resolves with what the stream said so far once it holds `text`; rejects when the program ended without it. */
  says(stream: 'stdout' | 'stderr', text: string): Promise<string>
}

/** Starts it; `input` goes to its standard input. */
export function startOdradek(args: readonly string[], { input, cwd }: { input?: string; cwd?: string } = {}): Running {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['pipe', 'pipe', 'pipe'], cwd })
  const said = { stdout: '', stderr: '' }
  const listeners = new Set<() => void>()
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (chunk: string) => {
      said[name] += chunk
      for (const listener of listeners) listener()
    })
  }
  child.stdin.on('error', () => undefined)
  if (input !== undefined) child.stdin.end(input)
  const ended = new Promise<Ended>(resolve => child.once('close', code => resolve({ code, ...said })))
  const says = (stream: 'stdout' | 'stderr', text: string) =>
    new Promise<string>((resolve, reject) => {
      const look = () => {
        if (!said[stream].includes(text)) return
        listeners.delete(look)
        resolve(said[stream])
      }
      listeners.add(look)
      ended.then(({ code, stderr }) => reject(new Error(`ended with ${code} before it said '${text}': ${stderr}`)))
      look()
    })
  return { child, ended, says }
}

/** Runs it to its end. */
export function odradek(args: readonly string[], options: { input?: string; cwd?: string } = {}): Promise<Ended> {
  return startOdradek(args, { input: '', ...options }).ended
}
