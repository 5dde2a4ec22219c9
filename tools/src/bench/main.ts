#!/usr/bin/env node
// `pnpm bench [--threads N] [ROW...]`: measures the rows of the bench table, each in a process of its own, and prints them as a table. `--list` names them, `--json`
// prints figures instead, `--threads` gives their brokers so many threads instead of the default, `--row NAME` is the child's side.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { environmentOf } from '../load/environment.ts'
import { THREADS_VARIABLE } from './bench-broker.ts'
import { countFlag } from './bench-flags.rules.ts'
import { benchRows } from './bench-rows.ts'
import { type MeasuredRow, tableLines } from './bench-table.rules.ts'

const flags = {
  row: { type: 'string' },
  list: { type: 'boolean' },
  json: { type: 'boolean' },
  threads: { type: 'string' },
} as const
const { values: asked, positionals } = parseArgs({ options: flags, allowPositionals: true })
if (asked.threads !== undefined) countFlag('--threads', asked.threads, 0)
if (asked.row !== undefined) await measureHere(asked.row)
else if (asked.list) for (const { name, what } of benchRows) console.log(`${name.padEnd(12)} ${what}`)
else await measureAll(positionals)

async function measureHere(name: string): Promise<void> {
  const row = benchRows.find(each => each.name === name)!
  const figures = await row.run()
  console.log(JSON.stringify(figures))
}

async function measureAll(names: readonly string[]): Promise<void> {
  const unknown = names.find(name => !benchRows.some(row => row.name === name))
  if (unknown !== undefined) {
    console.error(`there is no row '${unknown}': there are ${benchRows.map(({ name }) => name).join(', ')}`)
    process.exitCode = 2
    return
  }
  const measured: MeasuredRow[] = []
  for (const { name, what } of benchRows) {
    if (names.length > 0 && !names.includes(name)) continue
    console.error(`measuring ${name}: ${what}`)
    measured.push({ name, what, ...(await measureInChild(name)) })
  }
  const environment = environmentOf('embedded')
  if (asked.json) console.log(JSON.stringify({ environment, rows: measured }, null, 2))
  else {
    const { node, cpus, cpuModel, platform, memoryBytes, date } = environment
    console.log(
      `${date.slice(0, 10)}, Node ${node}, ${platform}, ${cpus} x ${cpuModel}, ${Math.round(memoryBytes / 2 ** 30)} GiB\n`,
    )
    for (const line of tableLines(measured)) console.log(line)
  }
  if (measured.some(({ failure }) => failure !== null)) process.exitCode = 1
}

function measureInChild(name: string): Promise<Pick<MeasuredRow, 'figures' | 'failure'>> {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), '--row', name], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...(asked.threads === undefined ? {} : { [THREADS_VARIABLE]: asked.threads }) },
  })
  let said = ''
  child.stdout.setEncoding('utf8').on('data', chunk => {
    said += chunk
  })
  return new Promise(resolve => {
    child.once('close', (code, signal) => {
      if (code === 0) resolve({ figures: JSON.parse(said), failure: null })
      else resolve({ figures: [], failure: signal ?? `exit code ${code}` })
    })
  })
}
