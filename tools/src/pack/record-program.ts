// A short life of the packed program, in processes that keep their bytecode (program-recorder); main.ts runs it once the pack is written. Commands that only
// look are enough: what a start compiles is mostly the same for all of them.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { ownServer } from '../cli/serve/own-server.ts'
import { packedFolder } from './freshness.ts'

const recorder = fileURLToPath(new URL('program-recorder.cjs', packedFolder))

function odradek(args: readonly string[]) {
  const child = spawn(process.execPath, [recorder, ...args], { stdio: ['ignore', 'pipe', 'ignore'] })
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', code => (code === 0 ? resolve() : reject(new Error(`odradek ${args[0]} ended with ${code}`))))
  })
  return { child, ended }
}

async function command(...args: readonly string[]): Promise<void> {
  const { child, ended } = odradek(args)
  child.stdout.resume()
  await ended
}

const dir = mkdtempSync(join(tmpdir(), 'odradek-record-'))
const serving = odradek([...ownServer, '--dir', join(dir, 'data'), '--topic', 'records:1'])
try {
  const ready = await new Promise<string>((resolve, reject) => {
    createInterface({ input: serving.child.stdout }).once('line', resolve)
    serving.ended.then(() => reject(new Error('odradek serve said nothing')), reject)
  })
  const { bootstrapServers } = JSON.parse(ready) as { readonly bootstrapServers: string }
  await command('topic', 'list', '-b', bootstrapServers)
  await command('topic', 'describe', 'records', '-b', bootstrapServers)
  await command('group', 'list', '-b', bootstrapServers)
} finally {
  serving.child.kill('SIGTERM')
  await serving.ended.catch(() => undefined)
  rmSync(dir, { recursive: true, force: true })
}
