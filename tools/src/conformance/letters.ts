// What the clients write to each other: every kind of key, value and header that Kafka's record format can carry, as far as the writer's API can say it.
import { seededRandom } from '@odradek/shared/base/random'
import type { Lack, Letter, ReadLetter } from './real-client.ts'

export const LETTER_PARTITIONS = 3
const BINARY_HEADER = 'bytes'
const LARGE_BYTES = 40_000

const text = (content: string) => Buffer.from(content)
const everyByte = Uint8Array.from({ length: 256 }, (_, byte) => byte)

/** The letters of one topic, for all its partitions, without what the writer lacks. */
export function lettersFor(lacks: readonly Lack[]): readonly Letter[] {
  return Array.from({ length: LETTER_PARTITIONS }, (_, partition) => ofPartition(partition, lacks)).flat()
}

function ofPartition(partition: number, lacks: readonly Lack[]): Letter[] {
  const able = (lack: Lack) => !lacks.includes(lack)
  const letter = (key: Uint8Array | null, value: Uint8Array | null, headers: Letter['headers'] = []): Letter => ({
    partition,
    key,
    value,
    headers,
  })
  return [
    letter(text('key'), text(`größe ${partition}`)),
    letter(null, text('no key')),
    letter(text('gone'), null),
    letter(text('large'), text('compressible '.repeat(LARGE_BYTES / 13))),
    letter(text('noise'), noise(partition)),
    letter(text('bytes'), everyByte),
    letter(text('headers'), text('with headers'), [
      ['first', text('1')],
      ['second', text('zwei')],
    ]),
    ...(able('empty keys') ? [letter(new Uint8Array(0), text('an empty key is not null'))] : []),
    ...(able('binary keys') ? [letter(everyByte, text('a binary key'))] : []),
    ...(able('repeated headers')
      ? [
          letter(text('repeated'), text('twice'), [
            ['again', text('a')],
            ['again', text('b')],
          ]),
        ]
      : []),
    ...(able('binary headers') ? [letter(text('binary header'), text('x'), [[BINARY_HEADER, everyByte]])] : []),
    ...(able('null header values') ? [letter(text('null header'), text('x'), [['none', null]])] : []),
    ...Array.from({ length: 20 }, (_, id) => letter(text(`k${Math.floor(id / 10)}`), text(`value ${id}`))),
  ]
}

/** Bytes that do not compress, the same in every run. */
function noise(seed: number): Uint8Array {
  const random = seededRandom(seed + 1)
  return Uint8Array.from({ length: LARGE_BYTES }, () => random.int(256))
}

/** Letters as comparable lines by topic and partition, in the order of their offsets, or in the order given when they have none. What the reader `lacks` is not compared. */
export function linesOf(
  letters: readonly (Letter & Partial<ReadLetter>)[],
  { lacks = [] as readonly Lack[] } = {},
): { readonly [partition: string]: readonly string[] } {
  const header = ([name, content]: Letter['headers'][number]) =>
    `${name}: ${name === BINARY_HEADER && lacks.includes('binary headers') ? 'bytes that the reader cannot show' : shown(content)}`
  const lines: { [partition: string]: { offset: number; line: string }[] } = {}
  for (const [index, { topic, partition, offset, key, value, headers }] of letters.entries()) {
    const name = `${topic ?? ''}-${partition}`
    lines[name] ??= []
    lines[name].push({
      offset: offset ?? index,
      line: `${shown(key)} = ${shown(value)} [${headers.map(header).join(', ')}]`,
    })
  }
  return Object.fromEntries(
    Object.entries(lines).map(([partition, found]) => [
      partition,
      found.sort((a, b) => a.offset - b.offset).map(({ line }) => line),
    ]),
  )
}

/** Long bytes by length and ends: enough to tell any two letters apart, short enough to read in a failed test. */
function shown(bytes: Uint8Array | null): string {
  if (bytes === null) return 'null'
  const hex = Buffer.from(bytes).toString('hex')
  return hex.length <= 80 ? `<${hex}>` : `<${hex.length / 2} bytes ${checksum(bytes)}>`
}

function checksum(bytes: Uint8Array): number {
  let sum = 0
  for (const byte of bytes) sum = (Math.imul(sum, 31) + byte) >>> 0
  return sum
}
