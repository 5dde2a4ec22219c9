// Licences of the libraries whose code is packed: they have to travel with it, so their texts lie beside the pack.
import { readdirSync, readFileSync } from 'node:fs'
import { join, sep } from 'node:path'

const LICENCE_FILE = /^(licen[cs]e|copying|notice)/i

/** The packages that these files belong to, with the texts of their licences, in the order of their names. Files of no library are passed over. */
export function licencesOf(files: Iterable<string>): string {
  const folders = new Map([...files].flatMap(file => packageOf(file) ?? []))
  const names = [...folders.keys()].sort()
  return names.map(name => `${name}\n\n${textsIn(folders.get(name)!)}\n`).join(`\n${'-'.repeat(80)}\n\n`)
}

/** Name and folder of the package that a file lies in: what follows the last `node_modules`, one name or a scope and a name. */
function packageOf(file: string): [[name: string, folder: string]] | undefined {
  const parts = file.split(sep)
  const at = parts.lastIndexOf('node_modules')
  if (at < 0) return undefined
  const end = at + (parts[at + 1]!.startsWith('@') ? 3 : 2)
  return [[parts.slice(at + 1, end).join('/'), parts.slice(0, end).join(sep)]]
}

function textsIn(folder: string): string {
  const names = readdirSync(folder).filter(name => LICENCE_FILE.test(name))
  if (names.length > 0) return names.map(name => readFileSync(join(folder, name), 'utf8').trim()).join('\n\n')
  const { license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  return `License: ${license}`
}
