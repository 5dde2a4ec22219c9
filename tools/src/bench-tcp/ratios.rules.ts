// What is compared, and how it is printed: medians of alternating rounds, ours beside Kafka's, and their ratio. Pure.
import { median } from '../bench/median.rules.ts'

export type ServerName = 'odradek' | 'kafka'

/** One figure of one round. */
export interface Sample {
  /** What was measured: one line of the table. */
  readonly line: string
  /** Column within the line. */
  readonly figure: Figure
  readonly server: ServerName
  readonly value: number
}

export interface Figure {
  readonly name: string
  readonly digits: number
  /** Ratio to Kafka's that is to be reached. */
  readonly atLeast?: number
  readonly atMost?: number
}

/** One row per line and figure, in the order in which they first came; none where one of the two was not measured (a run was cut off). */
export function ratioTable(samples: readonly Sample[]): readonly string[] {
  const rows = new Map<string, Sample>()
  for (const sample of samples) {
    const key = `${sample.line}\0${sample.figure.name}`
    if (!rows.has(key)) rows.set(key, sample)
  }
  const lines = ['| load | figure | ours | Kafka | ratio | target | |', '|---|---|---:|---:|---:|---|---|']
  for (const { line, figure } of rows.values()) {
    const of = (server: ServerName) =>
      samples.filter(s => s.line === line && s.figure.name === figure.name && s.server === server).map(s => s.value)
    const measured = [of('odradek'), of('kafka')] as const
    if (measured.some(values => values.length === 0)) continue
    const [ours, kafka] = [median(measured[0]), median(measured[1])]
    const ratio = ours / kafka
    const cells = [line, figure.name, ours.toFixed(figure.digits), kafka.toFixed(figure.digits), ratio.toFixed(2)]
    lines.push(`| ${[...cells, ...verdict(figure, ratio)].join(' | ')} |`)
  }
  return lines
}

function verdict({ atLeast, atMost }: Figure, ratio: number): readonly [string, string] {
  if (atLeast !== undefined) return [`>= ${atLeast}`, ratio >= atLeast ? 'met' : 'missed']
  if (atMost !== undefined) return [`<= ${atMost}`, ratio <= atMost ? 'met' : 'missed']
  return ['', '']
}
