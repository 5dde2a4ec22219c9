// One line of an input file becomes a record, or a complaint that says what is wrong with it. Pure.

export interface TourRecord {
  /** Null: no key, spread over the partitions. */
  readonly key: string | null
  readonly value: string
}

/** Leaves room for `-totals` within Kafka's 249 characters. */
const TOPIC_MAX = 200

export type LineFormat = 'lines' | 'json'

/** What is wrong with a line; the reader adds file and number. */
export class LineError extends Error {
  override readonly name = 'LineError'
}

/** JSON lines if the file is called so, or if a key is asked for; else plain lines. */
export function formatOf(file: string, key: string | undefined): LineFormat {
  return key !== undefined || /\.(jsonl|ndjson)$/i.test(file) ? 'json' : 'lines'
}

/** A topic for a file: its name without folders and ending, of the characters that Kafka allows. */
export function topicNameOf(file: string): string {
  const name = file.slice(Math.max(file.lastIndexOf('/'), file.lastIndexOf('\\')) + 1).replace(/\.[^.]*$/, '')
  const allowed = name.replace(/[^A-Za-z0-9._-]+/g, '-').slice(0, TOPIC_MAX)
  return /[A-Za-z0-9]/.test(allowed) ? allowed : 'records'
}

/** Throws LineError. `key` is a field, or a path of fields with dots. */
export function recordOf(line: string, format: LineFormat, key: string | undefined): TourRecord {
  if (format === 'lines') return { key: null, value: line }
  let parsed: unknown
  try {
    parsed = JSON.parse(line)
  } catch (error) {
    throw new LineError(`it is no JSON: ${(error as Error).message}`)
  }
  return { key: key === undefined ? null : keyOf(parsed, key), value: line }
}

function keyOf(parsed: unknown, path: string): string {
  let found = parsed
  for (const field of path.split('.')) {
    found =
      typeof found === 'object' && found !== null ? (found as { readonly [field: string]: unknown })[field] : undefined
  }
  if (typeof found === 'string') return found
  if (typeof found === 'number' || typeof found === 'boolean') return String(found)
  throw new LineError(found === undefined ? `it has no field '${path}'` : `its field '${path}' is no text or number`)
}
