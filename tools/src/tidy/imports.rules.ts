// Laws about who may import whom: directions between packages and layers, cycles, suffix promises, libraries of one room.
import type { Finding } from './finding.ts'
import { libraryRooms, packageDirections, sharedLayers } from './house.ts'
import type { Import, SourceFile } from './source-file.ts'

const isTest = (path: string) => /\.(test|bench|suite)\./.test(path)

function packageOf(path: string): string {
  return path.startsWith('tools/') ? 'tools' : path.split('/')[1]!
}

function finding(file: SourceFile, at: { line: number }, law: string, message: string, mend: string): Finding {
  return { path: file.path, line: at.line, law, message, mend }
}

/** Packages import downward only (DESIGN 2), shared's layers likewise. */
export function directionFindings(files: readonly SourceFile[]): Finding[] {
  return files.flatMap(file => file.imports.flatMap(entry => directionFinding(file, entry)))
}

function directionFinding(file: SourceFile, entry: Import): Finding[] {
  if (!entry.target || !file.path.includes('/src/')) return []
  const [from, to] = [packageOf(file.path), packageOf(entry.target)]
  if (from !== to && !packageDirections[from]?.includes(to)) {
    const allowed = packageDirections[from]?.join(', ') || 'nothing else'
    return [
      finding(
        file,
        entry,
        'direction',
        `${from} imports ${to}`,
        `move what both need down to a package that both may import; ${from} may import: ${allowed}`,
      ),
    ]
  }
  if (from === to && from !== 'shared' && entry.specifier.startsWith('@odradek/'))
    return [
      finding(
        file,
        entry,
        'direction',
        `imports its own package by name (${entry.specifier})`,
        'use a relative import',
      ),
    ]
  return from === 'shared' && to === 'shared' ? layerFinding(file, entry) : []
}

function layerFinding(file: SourceFile, entry: Import): Finding[] {
  const layer = (path: string) => sharedLayers.indexOf(path.split('/')[3] as (typeof sharedLayers)[number])
  const [from, to] = [layer(file.path), layer(entry.target!)]
  if (from < 0 || to < 0 || from >= to || isTest(file.path)) return []
  return [
    finding(
      file,
      entry,
      'layer',
      `${sharedLayers[from]} imports ${sharedLayers[to]}, a higher layer`,
      `layers from low to high are ${sharedLayers.join(' -> ')}; move the piece down or pass it in`,
    ),
  ]
}

/** No file may reach itself through imports of values (types may point both ways). */
export function cycleFindings(files: readonly SourceFile[]): Finding[] {
  const byPath = new Map(files.map(file => [file.path, file]))
  const state = new Map<string, 'open' | 'done'>()
  const findings: Finding[] = []
  const visit = (file: SourceFile, trail: readonly string[]) => {
    state.set(file.path, 'open')
    for (const entry of file.imports) {
      if (
        !entry.target ||
        entry.typeOnly ||
        (entry.names[0] === '*' && !entry.specifier.startsWith('@') && entry.specifier.includes('.actor'))
      )
        continue
      const next = byPath.get(entry.target)
      if (!next || next === file) continue
      const seen = state.get(next.path)
      if (seen === 'open')
        findings.push(
          finding(
            file,
            entry,
            'cycle',
            [...trail.slice(trail.indexOf(next.path)), file.path, next.path].join(' -> '),
            'split out what both need, or pass it as an argument',
          ),
        )
      else if (!seen) visit(next, [...trail, file.path])
    }
    state.set(file.path, 'done')
  }
  for (const file of files) if (!state.has(file.path)) visit(file, [])
  return findings
}

/** What each kind of file may import (DESIGN 3). */
export function suffixFindings(files: readonly SourceFile[]): Finding[] {
  return files.flatMap(file =>
    file.imports.flatMap(entry => {
      if (entry.typeOnly) return []
      const broken = promises[file.kind ?? '']?.(file, entry)
      return broken ? [finding(file, entry, `${file.kind}-promise`, `imports ${entry.specifier}`, broken)] : []
    }),
  )
}

const promises: { readonly [kind: string]: (file: SourceFile, entry: Import) => string | undefined } = {
  machine: (_file, entry) =>
    entry.specifier === 'xstate' ||
    /\/base\//.test(entry.target ?? '') ||
    /\.(rules|machine|contract)\.ts$/.test(entry.target ?? '') ||
    isPureData(entry)
      ? undefined
      : 'a machine says when: it imports xstate, types and sibling rules only; what touches the world is an effect by name',
  rules: (_file, entry) =>
    !entry.target || /\.(actor|machine|worker)\.ts$/.test(entry.target)
      ? 'rules are pure functions over plain data: pass what comes from outside as an argument'
      : undefined,
  contract: (_file, entry) =>
    entry.target === 'packages/shared/src/actor/contract.ts' || /\.contract\.ts$/.test(entry.target ?? '')
      ? undefined
      : 'a contract holds types and names only; use `import type`',
  actor: (_file, entry) =>
    entry.specifier.startsWith('node:') || entry.specifier === 'lmdb'
      ? 'an actor reaches the world only through its context or a plain room that it is given'
      : undefined,
}

function isPureData(entry: Import): boolean {
  return /^packages\/shared\/src\/(protocol\/error-codes|actor\/machine-runner|base\/[a-z-]+)\.ts$/.test(
    entry.target ?? '',
  )
}

/** Libraries that one room wraps for all. */
export function libraryFindings(files: readonly SourceFile[]): Finding[] {
  return files.flatMap(file =>
    file.imports.flatMap(entry => {
      const rooms = libraryRooms[entry.specifier.split('/')[0]!]
      if (!rooms || entry.typeOnly || isTest(file.path) || file.path.startsWith('tools/')) return []
      return rooms.some(room => room.test(file.path))
        ? []
        : [
            finding(
              file,
              entry,
              'library',
              `imports ${entry.specifier}`,
              `only ${rooms.map(String).join(', ')} may; go through that room`,
            ),
          ]
    }),
  )
}
