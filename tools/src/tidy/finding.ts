// What a check of tidy reports: where, which law, and how to mend it.

export interface Finding {
  readonly path: string
  readonly line: number
  /** Short name of the law. */
  readonly law: string
  readonly message: string
  readonly mend: string
}

/** One line per finding, `path:line law: message. Mend: ...`, sorted by place. */
export function printFindings(findings: readonly Finding[]): string {
  return [...findings]
    .sort((a, b) => a.path.localeCompare(b.path) || a.line - b.line)
    .map(f => `${f.path}:${f.line} ${f.law}: ${f.message}. Mend: ${f.mend}.`)
    .join('\n')
}
