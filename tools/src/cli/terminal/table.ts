// Lists and descriptions in the format that `-o` asks for: aligned text, text with all columns, JSON, YAML.
import { Option } from 'commander'
import type { Terminal } from './terminal.ts'
import { yamlOf } from './yaml.ts'

export type OutputFormat = 'text' | 'wide' | 'json' | 'yaml'

/** The `-o` of every list and describe. */
export function outputOption(): Option {
  return new Option('-o, --output <format>', 'text, wide, json or yaml')
    .choices(['text', 'wide', 'json', 'yaml'])
    .default('text')
}

/** `--style kafka`, of every command that has a counterpart among Kafka's scripts. */
export function styleOption(): Option {
  return new Option('--style <style>', "kafka: exactly what Kafka's own scripts print").choices(['kafka'])
}

/** One column of a text table; `wide` columns are shown with `-o wide` only. */
export interface Column<Row> {
  readonly title: string
  readonly of: (row: Row) => string | number | bigint | boolean | null | undefined
  readonly wide?: true
  readonly align?: 'right'
}

/** Prints a list: `text` and `wide` as columns, `json` and `yaml` as the rows themselves. */
export function printRows<Row>(
  terminal: Terminal,
  format: OutputFormat,
  rows: readonly Row[],
  columns: readonly Column<Row>[],
): void {
  if (format === 'json' || format === 'yaml') printValue(terminal, format, rows)
  else
    for (const line of tableLines(
      rows,
      columns.filter(column => format === 'wide' || column.wide === undefined),
    ))
      terminal.print(line)
}

/** Prints one value as JSON or YAML. */
export function printValue(terminal: Terminal, format: 'json' | 'yaml', value: unknown): void {
  const plain = JSON.parse(JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? Number(each) : each)))
  terminal.print(format === 'json' ? JSON.stringify(plain, null, 2) : yamlOf(plain))
}

/** Columns aligned with two spaces between them, the title first. */
function tableLines<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string[] {
  const cells = [columns.map(({ title }) => title), ...rows.map(row => columns.map(({ of }) => String(of(row) ?? '-')))]
  const widths = columns.map((_, index) => Math.max(...cells.map(line => line[index]!.length)))
  return cells.map(line =>
    line
      .map((cell, index) =>
        columns[index]!.align === 'right' ? cell.padStart(widths[index]!) : cell.padEnd(widths[index]!),
      )
      .join('  ')
      .trimEnd(),
  )
}
