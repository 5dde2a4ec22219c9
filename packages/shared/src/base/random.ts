// Chance as a thing that is handed around: one small generator, seeded, so that a run can be repeated from its seed.

/** A source of chance. All methods are uniform. */
export interface Random {
  /** A number in [0, 1). */
  float(): number
  /** An integer in [0, below), `below` in 1..2^32. */
  int(below: number): number
  /** 16 fresh bytes as a version 4 UUID in Kafka's 22-character base64url form; never the zero uuid and never starting with '-'. */
  uuid(): string
  /** An independent generator; forks of one parent in one order are reproducible. */
  fork(): Random
}

/**
 * A generator from a 32-bit seed (sfc32; period about 2^128). Not for secrets.
 * Equal seeds give equal sequences on every platform.
 */
export function seededRandom(seed: number): Random {
  let a = 0x9e3779b9 | 0
  let b = seed | 0
  let c = 0xb7e15162 | 0
  let d = 1
  const next = () => {
    const t = (((a + b) | 0) + d) | 0
    d = (d + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (c << 21) | (c >>> 11)
    c = (c + t) | 0
    return t >>> 0
  }
  for (let i = 0; i < 12; i++) next()
  return fromWords(next, () => seededRandom(next()))
}

function fromWords(next: () => number, fork: () => Random): Random {
  return {
    float: () => (next() * 2 ** 21 + (next() >>> 11)) / 2 ** 53,
    int: below => Math.floor((next() / 2 ** 32) * below),
    uuid: () => uuidFrom(next),
    fork,
  }
}

function uuidFrom(next: () => number): string {
  for (;;) {
    const bytes = Buffer.alloc(16)
    for (let at = 0; at < 16; at += 4) bytes.writeUInt32BE(next(), at)
    bytes[6] = (bytes[6]! & 0x0f) | 0x40
    bytes[8] = (bytes[8]! & 0x3f) | 0x80
    const text = bytes.toString('base64url')
    // As Kafka's Uuid.randomUuid: ids that begin with a dash would look like command-line options.
    if (!text.startsWith('-')) return text
  }
}

/** A generator seeded from the platform's randomness. */
export function systemRandom(): Random {
  return seededRandom((Math.random() * 2 ** 32) | 0)
}
