// The loads of franz-go, a client in Go: one program, built once per run by the Go toolchain, where there is one.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const SOURCE = fileURLToPath(new URL('../../bench/clients/franz-go/', import.meta.url))

/** Why its loads cannot run; null: they can. */
export function goMissing(): string | null {
  if (spawnSync('go', ['version']).status === 0) return null
  return 'franz-go needs Go 1.21 or newer, which fetches the release that the module names (https://go.dev/dl)'
}

/** A program of a directory of its own, which goes with it. */
export interface BuiltLoad extends Disposable {
  /** To be run as `FILE transactions|pipeline SERVERS FROM TO RECORDS SECONDS`. */
  readonly file: string
}

/** Builds it; modules that Go does not have yet are fetched by it. */
export function buildFranzGo(): BuiltLoad {
  const dir = mkdtempSync(join(tmpdir(), 'odradek-franz-go-'))
  const file = join(dir, 'transaction-load')
  try {
    execFileSync('go', ['build', '-o', file, '.'], { cwd: SOURCE, stdio: ['ignore', 'ignore', 'inherit'] })
  } catch (error) {
    rmSync(dir, { recursive: true, force: true })
    throw error
  }
  return { file, [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }) }
}
