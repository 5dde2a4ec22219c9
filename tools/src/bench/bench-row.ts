// What a row of the bench table is. Each runs in a process of its own, so that none inherits another's heap, threads or code.

export interface BenchFigure {
  /** What was measured, such as `records/s` or `p99 ms`. */
  readonly name: string
  readonly value: number
  /** What the issue asks for; null: reported only. */
  readonly target: { readonly comparison: '>=' | '<='; readonly bound: number } | null
}

export interface BenchRow {
  /** For `pnpm bench NAME`. */
  readonly name: string
  readonly what: string
  run(): Promise<readonly BenchFigure[]>
}

export function atLeast(name: string, value: number, bound: number): BenchFigure {
  return { name, value, target: { comparison: '>=', bound } }
}

export function atMost(name: string, value: number, bound: number): BenchFigure {
  return { name, value, target: { comparison: '<=', bound } }
}

export function reported(name: string, value: number): BenchFigure {
  return { name, value, target: null }
}

export function holds({ value, target }: BenchFigure): boolean {
  return target === null || (target.comparison === '>=' ? value >= target.bound : value <= target.bound)
}
