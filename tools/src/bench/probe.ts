// Runs a probe (`probes/main.ts`) in a process of its own, for rows that must not inherit this one's heap, threads or code.
import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { builtUrl } from '@odradek/shared/actor/built-url'

/** Probes that weigh a process at rest. */
const collecting: ReadonlySet<string> = new Set(['bare', 'idle'])

/** What a probe prints. */
export type Figures = { readonly [figure: string]: number }

/** Runs a probe to its end; the object that it prints. Its process is gone then, so nobody writes into its directory any more. */
export async function probe(name: string, ...args: readonly string[]): Promise<Figures> {
  const { child, line } = startProbe(name, args)
  const closed = new Promise(resolve => child.once('close', resolve))
  try {
    return await line
  } finally {
    child.stdin!.end()
    await closed
  }
}

/** Starts a probe that runs until its standard input ends, or until it is killed. */
export function startProbe(
  name: string,
  args: readonly string[],
): { readonly child: ChildProcess; readonly line: Promise<Figures> } {
  const path = fileURLToPath(builtUrl(new URL('./probes/main.ts', import.meta.url).href))
  // Flags of V8 make kept bytecode useless (decision 0026): only probes that collect garbage get one.
  const flags = collecting.has(name) ? ['--expose-gc'] : []
  const child = spawn(process.execPath, [...flags, path, name, ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
  let said = ''
  const line = new Promise<Figures>((resolve, reject) => {
    child.stdout!.setEncoding('utf8').on('data', (chunk: string) => {
      said += chunk
      const end = said.indexOf('\n')
      if (end >= 0) resolve(JSON.parse(said.slice(0, end)))
    })
    child.once('close', code => reject(new Error(`probe ${name} ended with ${code}`)))
  })
  return { child, line }
}
