// Lines of text become records: kcat's -K, -J, -Z. Pure but for the splitter's rest.

export interface LineRecord {
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly (readonly [string, Uint8Array | string | null])[]
  readonly partition?: number
  readonly timestamp?: number
}

/** Cuts a stream of chunks at a delimiter; lines are views of the chunks where they can be. */
export class LineSplitter {
  readonly #delimiter: Buffer
  #rest: Buffer = Buffer.alloc(0)

  constructor(delimiter: string) {
    this.#delimiter = Buffer.from(delimiter)
  }

  *push(chunk: Buffer): Generator<Buffer> {
    const all = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    let from = 0
    for (let at = all.indexOf(this.#delimiter); at >= 0; at = all.indexOf(this.#delimiter, from)) {
      yield all.subarray(from, at)
      from = at + this.#delimiter.length
    }
    this.#rest = all.subarray(from)
  }

  /** What came after the last delimiter; null when nothing did. */
  end(): Buffer | null {
    return this.#rest.length === 0 ? null : this.#rest
  }
}

export interface LineShape {
  /** `-K`: between key and value. */
  readonly keySeparator: string | null
  /** `-J`: envelopes. */
  readonly isJson: boolean
  /** `-Z`: empty means null. */
  readonly emptyIsNull: boolean
  readonly key: string | null
  readonly headers: readonly (readonly [string, string])[]
}

/** Throws TypeError that says what is wrong with the line. */
export function recordOfLine(line: Buffer, shape: LineShape): LineRecord {
  if (shape.isJson) return recordOfEnvelope(line, shape.headers)
  const { keySeparator, emptyIsNull, headers } = shape
  const at = keySeparator === null ? -1 : line.indexOf(keySeparator)
  const key = at >= 0 ? line.subarray(0, at) : shape.key === null ? null : Buffer.from(shape.key)
  const value = at >= 0 ? line.subarray(at + Buffer.byteLength(keySeparator!)) : line
  return {
    key: key !== null && emptyIsNull && key.length === 0 ? null : key,
    value: emptyIsNull && value.length === 0 ? null : value,
    headers,
  }
}

/** What `consume -J` prints: `{"partition":0,"ts":1,"key":"k","payload":"v","headers":["a","b"]}`; only `payload` is needed. */
function recordOfEnvelope(line: Buffer, common: LineShape['headers']): LineRecord {
  const envelope: unknown = JSON.parse(line.toString())
  if (typeof envelope !== 'object' || envelope === null || Array.isArray(envelope))
    throw new TypeError('an envelope is a JSON object')
  const { key = null, payload, headers = [], ts } = envelope as { readonly [name: string]: unknown }
  if (payload === undefined) throw new TypeError("an envelope has a 'payload' (null for a tombstone)")
  if (!Array.isArray(headers)) throw new TypeError("'headers' is a list of names and values in turn")
  const pairs: (readonly [string, string | null])[] = []
  for (let index = 0; index + 1 < headers.length; index += 2)
    pairs.push([String(headers[index]), textOrNull(headers[index + 1])])
  const bytes = (value: unknown) => {
    const text = textOrNull(value)
    return text === null ? null : Buffer.from(text)
  }
  return {
    key: bytes(key),
    value: bytes(payload),
    headers: [...common, ...pairs],
    ...(typeof ts === 'number' && ts >= 0 ? { timestamp: ts } : {}),
  }
}

function textOrNull(value: unknown): string | null {
  if (value === null || value === undefined) return null
  return typeof value === 'string' ? value : JSON.stringify(value)
}

const ESCAPES: { readonly [letter: string]: string } = { n: '\n', t: '\t', r: '\r', 0: '\0', '\\': '\\' }

/** `\n`, `\t`, `\x1f` and the like as the characters they stand for. */
export function unescaped(text: string): string {
  return text.replace(/\\(x[0-9a-fA-F]{2}|.)/g, (whole, code: string) =>
    code.length === 3 ? String.fromCharCode(Number.parseInt(code.slice(1), 16)) : (ESCAPES[code] ?? whole),
  )
}
