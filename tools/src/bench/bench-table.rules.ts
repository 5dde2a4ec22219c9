// Figures as a Markdown table, for the terminal and BENCHMARKS.md. Pure.
import { whole } from '../cli/terminal/numbers.rules.ts'
import { type BenchFigure, holds } from './bench-row.ts'

export interface MeasuredRow {
  readonly name: string
  readonly what: string
  readonly figures: readonly BenchFigure[]
  /** Why there are no figures. */
  readonly failure: string | null
}

export function tableLines(rows: readonly MeasuredRow[]): string[] {
  return [
    '| row | what | figure | measured | target | |',
    '|---|---|---|---:|---|---|',
    ...rows.flatMap(({ name, what, figures, failure }) =>
      failure !== null
        ? [`| ${name} | ${what} | | | | failed: ${failure} |`]
        : figures.map((figure, index) => {
            const { target } = figure
            const goal = target === null ? '' : `${target.comparison} ${shown(target.bound)}`
            const verdict = target === null ? '' : holds(figure) ? 'met' : 'missed'
            return `| ${index === 0 ? name : ''} | ${index === 0 ? what : ''} | ${figure.name} | ${shown(figure.value)} | ${goal} | ${verdict} |`
          }),
    ),
  ]
}

function shown(value: number): string {
  const magnitude = Math.abs(value)
  if (magnitude >= 1_000) return whole(value)
  return magnitude >= 100
    ? value.toFixed(0)
    : magnitude >= 10
      ? value.toFixed(1)
      : magnitude >= 0.1
        ? value.toFixed(2)
        : value.toFixed(3)
}
