// Laws about the shape of files: sizes (a ratchet), names, opening comments, the platform's clock, loading, unfinished marks.
import type { Finding } from './finding.ts'
import { forbiddenNouns, kinds, loaderTables, platformTimeRooms, sizes, threadRooms } from './house.ts'
import type { SourceFile } from './source-file.ts'

/** Known excesses, `path` or `path#function` -> lines. What is here may only shrink; an empty ratchet is the goal. */
export type Ratchet = { readonly [key: string]: number }

const isTest = (path: string) => /\.(test|bench|suite)\./.test(path)

export function sizeFindings(files: readonly SourceFile[], ratchet: Ratchet): Finding[] {
  return files.flatMap(file => [
    ...over(file, 1, file.path, file.lines, sizes.fileLinesMax, ratchet, 'split it by reason'),
    ...file.functions.flatMap(f =>
      isTest(file.path)
        ? []
        : over(
            file,
            f.line,
            `${file.path}#${f.name}`,
            f.lines,
            sizes.functionLinesMax,
            ratchet,
            'give its parts names',
          ),
    ),
  ])
}

function over(
  file: SourceFile,
  line: number,
  key: string,
  lines: number,
  max: number,
  ratchet: Ratchet,
  mend: string,
): Finding[] {
  const allowed = Math.max(max, ratchet[key] ?? 0)
  if (lines <= allowed) return []
  return [{ path: file.path, line, law: 'size', message: `${key} has ${lines} lines, at most ${allowed}`, mend }]
}

/** A ratchet entry that is larger than what it excuses must be lowered or removed. */
export function ratchetFindings(files: readonly SourceFile[], ratchet: Ratchet): Finding[] {
  const actual = new Map<string, number>()
  for (const file of files) {
    actual.set(file.path, file.lines)
    for (const f of file.functions)
      actual.set(`${file.path}#${f.name}`, Math.max(f.lines, actual.get(`${file.path}#${f.name}`) ?? 0))
  }
  return Object.entries(ratchet).flatMap(([key, lines]) =>
    (actual.get(key) ?? 0) < lines
      ? [
          {
            path: key.split('#')[0]!,
            line: 1,
            law: 'ratchet',
            message: `${key} has shrunk below ${lines}`,
            mend: 'lower or remove its entry in tidy/ratchet.json',
          },
        ]
      : [],
  )
}

/** Suffixes are a closed vocabulary; nouns that say nothing are refused; every file opens with a comment. */
export function nameFindings(files: readonly SourceFile[]): Finding[] {
  return files.flatMap(file => {
    const base = file.path.split('/').at(-1)!
    const stem = base.split('.')[0]!
    const at = { path: file.path, line: 1 }
    const findings: Finding[] = []
    if (file.kind && !(kinds as readonly string[]).includes(file.kind) && base !== 'vitest.config.ts')
      findings.push({
        ...at,
        law: 'name',
        message: `unknown kind .${file.kind}.ts`,
        mend: `kinds are ${kinds.join(', ')}`,
      })
    if (forbiddenNouns.includes(stem))
      findings.push({ ...at, law: 'name', message: `${stem} says nothing`, mend: 'name the thing that lives here' })
    if (!/^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z]+){0,2}\.c?ts$/.test(base))
      findings.push({ ...at, law: 'name', message: `${base} is not kebab-case`, mend: 'use kebab-case' })
    if (!isTest(file.path) && !/^(#!.*\n)?\s*(\/\/|\/\*)/.test(file.text))
      findings.push({
        ...at,
        law: 'opening',
        message: 'no opening comment',
        mend: 'say in one to five lines what lives here, who calls it, what it must never do',
      })
    return findings
  })
}

/** Time and chance are arguments outside `base/` and `actor/` (DESIGN 10). */
export function platformTimeFindings(files: readonly SourceFile[]): Finding[] {
  return files.flatMap(file =>
    isTest(file.path) || platformTimeRooms.some(room => file.path.startsWith(room))
      ? []
      : file.platformTime.map(use => ({
          path: file.path,
          line: use.line,
          law: 'platform-time',
          message: `calls ${use.what}`,
          mend: "take the context's clock or random, or `now` as an argument",
        })),
  )
}

/** A thread that is ended in the middle of an `import()` leaves the file open: whoever ends it waits for what goes through `loading` (shared/base/loading). */
export function loadingFindings(files: readonly SourceFile[]): Finding[] {
  return files.flatMap(({ path, bareLoads }) =>
    isTest(path) || loaderTables.includes(path) || !threadRooms.some(room => room.test(path))
      ? []
      : bareLoads.map(line => ({
          path,
          line,
          law: 'loading',
          message: 'an import() of its own',
          mend: 'loading(() => import(...)), which waits with the end of a thread',
        })),
  )
}

const UNFINISHED = new RegExp(String.raw`\b(TO${''}DO|FIX${''}ME|XX${''}X)\b|\b(it|test|describe)\.(skip|on${''}ly)\(`)

/** Nothing is owed: no marks of unfinished work, no skipped or focused test. */
export function unfinishedFindings(files: readonly SourceFile[]): Finding[] {
  return files.flatMap(file =>
    file.text.split('\n').flatMap((text, index) =>
      UNFINISHED.test(text)
        ? [
            {
              path: file.path,
              line: index + 1,
              law: 'unfinished',
              message: text.trim().slice(0, 60),
              mend: 'do it, or open an issue and delete the mark',
            },
          ]
        : [],
    ),
  )
}
