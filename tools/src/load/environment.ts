// Where a measurement was made: machine kind, versions, date. Never names of machines or paths.
import { readFileSync } from 'node:fs'
import { arch, cpus, platform, totalmem } from 'node:os'
import type { Environment } from './load-result.rules.ts'

export function environmentOf(target: string): Environment {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  return {
    odradek: version,
    node: process.version,
    platform: `${platform()} ${arch()}`,
    cpus: cpus().length,
    cpuModel: cpus()[0]?.model ?? 'unknown',
    memoryBytes: totalmem(),
    date: new Date().toISOString(),
    target,
  }
}
