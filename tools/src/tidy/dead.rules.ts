// Laws about what nobody uses: files that no program, door or test reaches, and exported values that nobody imports.
import type { Finding } from './finding.ts'
import { roots } from './house.ts'
import type { SourceFile } from './source-file.ts'

const isRoot = (path: string) => roots.some(root => root.test(path))
const isDoor = (path: string) => path.endsWith('/index.ts')
const isTest = (path: string) => /\.(test|bench|suite)\./.test(path)

const isClass = (file: SourceFile, name: string) =>
  new RegExp(`^export (abstract )?class ${name}\\b`, 'm').test(file.text)

/** Files that cannot be reached from a door, a program or a test. */
export function deadFileFindings(files: readonly SourceFile[]): Finding[] {
  const byPath = new Map(files.map(file => [file.path, file]))
  const alive = new Set<string>()
  const visit = (path: string) => {
    if (alive.has(path)) return
    alive.add(path)
    for (const entry of byPath.get(path)?.imports ?? []) if (entry.target) visit(entry.target)
  }
  for (const file of files) if (isRoot(file.path)) visit(file.path)
  return files
    .filter(file => !alive.has(file.path))
    .map(file => ({
      path: file.path,
      line: 1,
      law: 'dead-file',
      message: 'nothing reaches it',
      mend: 'use it, or delete it',
    }))
}

/** Exported values that no other file imports. Doors are exempt; types are documentation and exempt too, and so are classes, which are types as well. */
export function deadExportFindings(files: readonly SourceFile[]): Finding[] {
  const used = new Set<string>()
  for (const file of files)
    for (const entry of file.imports)
      if (entry.target) for (const name of entry.names) used.add(`${entry.target}#${name}`)
  return files.flatMap(file =>
    isDoor(file.path) || isTest(file.path) || file.path.endsWith('.config.ts') || file.kind === 'actor'
      ? []
      : file.exports
          .filter(
            entry =>
              !entry.typeOnly &&
              !isClass(file, entry.name) &&
              entry.name !== '*' &&
              !used.has(`${file.path}#${entry.name}`) &&
              !used.has(`${file.path}#*`),
          )
          .map(entry => ({
            path: file.path,
            line: entry.line,
            law: 'dead-export',
            message: `nobody imports ${entry.name}`,
            mend: 'drop `export`, or the thing itself',
          })),
  )
}
