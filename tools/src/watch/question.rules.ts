// What may be asked through a window (see window.ts), as one line of JSON. Pure.
import type { TraceFilter } from '@odradek/shared/actor/trace-ring'

/** `actors`: who runs now, answered once. `trace`: every transition that the filter wants, until the asker leaves. */
export type Question = { readonly ask: 'actors' } | { readonly ask: 'trace'; readonly filter: TraceFilter }

/** One line is never longer. */
export const QUESTION_BYTES_MAX = 65_536

const FIELDS = ['kinds', 'names', 'machines'] as const

/** Throws TypeError that says what is wrong with the line. */
export function readQuestion(line: string): Question {
  const given = parsed(line)
  if (given.ask === 'actors') return { ask: 'actors' }
  if (given.ask !== 'trace') throw new TypeError(`ask must be 'actors' or 'trace', got ${JSON.stringify(given.ask)}`)
  const filter = (given.filter ?? {}) as { readonly [field: string]: unknown }
  for (const field of FIELDS) {
    const names = filter[field]
    if (names !== undefined && !(Array.isArray(names) && names.every(name => typeof name === 'string')))
      throw new TypeError(`filter.${field} must be an array of names, got ${JSON.stringify(names)}`)
  }
  return { ask: 'trace', filter: filter as TraceFilter }
}

function parsed(line: string): { readonly ask?: unknown; readonly filter?: unknown } {
  try {
    const value: unknown = JSON.parse(line)
    if (typeof value === 'object' && value !== null) return value
  } catch {
    // told below
  }
  throw new TypeError('a question is one line with a JSON object')
}
