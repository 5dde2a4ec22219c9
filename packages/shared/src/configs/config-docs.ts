// Renders a config table as Markdown, for the reference pages. The only place where the tables become text.
import type { ConfigSpec, ValidValues } from './config-spec.ts'

/** One row per config, sorted by name. */
export function configTableMarkdown(table: ReadonlyMap<string, ConfigSpec>): string {
  const rows = [...table.values()].sort((a, b) => (a.name < b.name ? -1 : 1)).map(rowOf)
  return [
    '| config | type | default | valid | set by broker | acts here | what it does |',
    '|---|---|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n')
}

function rowOf({ name, type, defaultValue, valid, synonyms, acts, doc }: ConfigSpec): string {
  const cells = [
    `\`${name}\``,
    type,
    defaultValue === null ? '' : `\`${defaultValue}\``,
    validText(valid),
    synonyms.map(synonym => `\`${synonym.name}\``).join(', '),
    acts ? 'yes' : 'stored only',
    doc,
  ]
  return `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`
}

function validText({ min, max, except, oneOf, notEmpty }: ValidValues): string {
  const words: string[] = []
  if (oneOf !== undefined) words.push(oneOf.join(', '))
  if (min !== undefined || max !== undefined) words.push(`${min ?? ''}..${max ?? ''}`)
  if (except !== undefined) words.push(`not ${except}`)
  if (notEmpty === true) words.push('not empty')
  return words.join('; ')
}
