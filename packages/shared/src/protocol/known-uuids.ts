// UUIDs on the wire, 16 bytes, and in the house, 22 base64url characters. The same topic's stands in every request of a busy client: those that a thread met last
// are kept both ways, one for each place in a small table, so that they need not be made, checked and hashed each time.

const UUID_BYTES = 16
const UUID_TEXT = /^[A-Za-z0-9_-]{21}[AQgw]$/
/** Each of 64 first bytes has a place, and each first character. */
const PLACES = 64

interface KnownUuid {
  readonly text: string
  readonly bytes: Buffer
}

const byBytes: (KnownUuid | undefined)[] = new Array(PLACES).fill(undefined)
const byText: (KnownUuid | undefined)[] = new Array(PLACES).fill(undefined)

/** The UUID whose bytes begin at `at`. */
export function uuidText(from: Uint8Array, at: number): string {
  const place = from[at]! % PLACES
  const known = byBytes[place]
  if (known !== undefined && isAt(known.bytes, from, at)) return known.text
  const bytes = Buffer.from(from.subarray(at, at + UUID_BYTES))
  const text = bytes.toString('base64url')
  byBytes[place] = { text, bytes }
  return text
}

/** Its bytes, to be copied and not changed; undefined when the text is not that of a UUID. */
export function uuidBytes(text: string): Uint8Array | undefined {
  const place = text.charCodeAt(0) % PLACES
  const known = byText[place]
  if (known?.text === text) return known.bytes
  if (!UUID_TEXT.test(text)) return undefined
  const bytes = Buffer.from(text, 'base64url')
  byText[place] = { text, bytes }
  return bytes
}

function isAt(bytes: Uint8Array, from: Uint8Array, at: number): boolean {
  for (let n = 0; n < UUID_BYTES; n++) if (bytes[n] !== from[at + n]) return false
  return true
}
