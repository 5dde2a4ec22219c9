// How `odradek topic consume` prints a record: kcat's formats and envelopes. Formats are compiled once; bytes of keys and values are printed as they are.

export interface PrintableRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
  readonly timestamp: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly { readonly key: string; readonly value: Uint8Array | null }[]
}

type Part = string | ((record: PrintableRecord) => string | Uint8Array)
/** A record as what is written for it. */
export type RecordPrinter = (record: PrintableRecord, write: (part: string | Uint8Array) => void) => void

const TOKENS: { readonly [token: string]: (nothing: string) => (record: PrintableRecord) => string | Uint8Array } = {
  t: () => record => record.topic,
  p: () => record => String(record.partition),
  o: () => record => String(record.offset),
  T: () => record => String(record.timestamp),
  k: nothing => record => record.key ?? nothing,
  s: nothing => record => record.value ?? nothing,
  K: () => record => String(record.key?.length ?? -1),
  S: () => record => String(record.value?.length ?? -1),
  R: () => record => lengthPrefix(record.value?.length ?? -1),
  h: nothing => record => headerText(record, nothing),
  '%': () => () => '%',
}

/** Compiles `-f`; `nothing` stands for null keys and values. Throws TypeError for an unknown token. */
export function formatPrinter(format: string, nothing: string): RecordPrinter {
  const parts: Part[] = []
  let text = ''
  for (let index = 0; index < format.length; index++) {
    if (format[index] !== '%') {
      text += format[index]
      continue
    }
    const token = format[++index] ?? ''
    const make = TOKENS[token]
    if (make === undefined)
      throw new TypeError(
        `%${token} is no token: there are ${Object.keys(TOKENS)
          .map(each => `%${each}`)
          .join(' ')}`,
      )
    if (text !== '') parts.push(text)
    text = ''
    parts.push(make(nothing))
  }
  if (text !== '') parts.push(text)
  return (record, write) => {
    for (const part of parts) write(typeof part === 'string' ? part : part(record))
  }
}

/** `-J`: one JSON object per line, with kcat's names. Keys and values that are no UTF-8 lose bytes: use `-f` for those. */
export function jsonPrinter(record: PrintableRecord, write: (part: string) => void): void {
  const { topic, partition, offset, timestamp, headers, key, value } = record
  const envelope = {
    topic,
    partition,
    offset: Number(offset),
    tstype: 'create',
    ts: timestamp,
    ...(headers.length === 0 ? {} : { headers: headers.flatMap(header => [header.key, textOf(header.value)]) }),
    key: textOf(key),
    payload: textOf(value),
  }
  write(`${JSON.stringify(envelope)}\n`)
}

function headerText({ headers }: PrintableRecord, nothing: string): string {
  return headers.map(({ key, value }) => `${key}=${textOf(value) ?? (nothing || 'NULL')}`).join(',')
}

function textOf(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()
}

/** Four bytes, big-endian. */
function lengthPrefix(length: number): Uint8Array {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(length)
  return bytes
}

/** `-o`: where to begin. */
export type StartPlace =
  | { readonly kind: 'beginning' | 'end' | 'committed' }
  | { readonly kind: 'offset'; readonly offset: number }
  | { readonly kind: 'fromEnd'; readonly count: number }
  | { readonly kind: 'time'; readonly timestamp: number }

/** Throws TypeError that says what is right. */
export function readPlace(given: string): StartPlace {
  if (given === 'beginning' || given === 'earliest') return { kind: 'beginning' }
  if (given === 'end' || given === 'latest') return { kind: 'end' }
  if (given === 'stored') return { kind: 'committed' }
  if (/^\d+$/.test(given)) return { kind: 'offset', offset: Number(given) }
  if (/^-\d+$/.test(given)) return { kind: 'fromEnd', count: -Number(given) }
  if (/^s?@\d+$/.test(given)) return { kind: 'time', timestamp: Number(given.slice(given.indexOf('@') + 1)) }
  throw new TypeError(`-o takes beginning, end, N, -N (so many from the end) or @milliseconds, got '${given}'`)
}
