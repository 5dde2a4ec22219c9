// What every schema must show, whatever message it describes; run by the tests of the messages and of the stored records.
// Values are derived from the schema, so a new message file is covered the moment it exists.

import { deepStrictEqual } from 'node:assert/strict'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decode, encode, encodeParts } from './codec.ts'
import { ProtocolError } from './protocol-error.ts'
import {
  type Field,
  type Fields,
  INT64_MAX,
  inVersions,
  type Message,
  type PrimitiveName,
  parseVersions,
  ZERO_UUID,
} from './schema.ts'

const uuidText = fc.uint8Array({ minLength: 16, maxLength: 16 }).map(bytes => Buffer.from(bytes).toString('base64url'))

const int64 = fc.oneof(
  fc.maxSafeInteger(),
  fc.constantFrom(0, -1, -INT64_MAX, INT64_MAX, 2 ** 53 - 1, 2 ** 32, -(2 ** 32) - 1),
)

const primitives: { readonly [P in PrimitiveName]: fc.Arbitrary<unknown> } = {
  bool: fc.boolean(),
  int8: fc.integer({ min: -0x80, max: 0x7f }),
  int16: fc.integer({ min: -0x8000, max: 0x7fff }),
  uint16: fc.integer({ min: 0, max: 0xffff }),
  int32: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  int64,
  float64: fc.double({ noNaN: true }).map(value => value + 0),
  string: fc.string({ unit: 'grapheme', maxLength: 40 }),
  uuid: uuidText,
  bytes: fc.uint8Array({ maxLength: 200 }),
  records: fc.uint8Array({ maxLength: 200 }),
}

/** Values of a message as a reader of `version` returns them: fields that the version lacks have their default. */
export function arbitraryOf(fields: Fields, version: number): fc.Arbitrary<Record<string, unknown>> {
  return fc.record(
    Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, arbitraryField(field, version)])),
    { noNullPrototype: true },
  )
}

function arbitraryField(field: Field<any>, version: number): fc.Arbitrary<unknown> {
  if (!inVersions(field.versions, version)) return fc.constant(null).map(() => defaultOf(field))
  const element = typeof field.element === 'string' ? primitives[field.element] : arbitraryOf(field.element, version)
  const value = field.array ? fc.array(element, { maxLength: 3 }) : element
  return inVersions(field.nullable, version) ? fc.option(value, { freq: 4 }) : value
}

function defaultOf(field: Field<any>): unknown {
  if (field.default !== undefined) return field.default
  if (field.array) return []
  const { element } = field
  if (typeof element !== 'string') {
    return Object.fromEntries(Object.entries(element).map(([name, inner]) => [name, defaultOf(inner)]))
  }
  if (element === 'bytes' || element === 'records') return new Uint8Array(0)
  return { string: '', uuid: ZERO_UUID, bool: false }[element as string] ?? 0
}

/** Every version of every message. */
export function versionsOf(messages: readonly Message<any>[]): { message: Message<any>; version: number }[] {
  return messages.flatMap(message => {
    const { low, high } = parseVersions(message.versions)
    return Array.from({ length: high - low + 1 }, (_, i) => ({ message, version: low + i }))
  })
}

/** Values that a decoded message consists of: what a hostile frame could multiply. */
function countNodes(value: unknown): number {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return 1
  let count = 1
  for (const inner of Object.values(value)) count += countNodes(inner)
  return count
}

/** Values per byte that the densest message can have: structs of one byte with many defaulted fields. */
const NODES_PER_BYTE_MAX = 40

export function codecSuite(name: string, messages: readonly Message<any>[], seed = 1): void {
  const cases = versionsOf(messages)
  const each = (runs: number, check: (message: Message<any>, version: number, bytes: Uint8Array) => void) => {
    expect(cases.length).toBeGreaterThan(0)
    for (const { message, version } of cases) {
      for (const value of fc.sample(arbitraryOf(message.fields, version), { numRuns: runs, seed })) {
        check(message, version, encode(message, version, value as never))
      }
    }
  }

  describe(name, () => {
    test('what is written is read back, in every version', () => {
      for (const { message, version } of cases) {
        const property = fc.property(arbitraryOf(message.fields, version), value => {
          const bytes = encode(message, version, value as never)
          deepStrictEqual(decode(message, version, bytes), value)
          deepStrictEqual(Buffer.concat(encodeParts(message, version, value as never)), Buffer.from(bytes))
        })
        fc.assert(property, { numRuns: 12, seed })
      }
      expect(cases.length).toBeGreaterThan(0)
    })

    test('a message of defaults can be written in every version', () => {
      for (const { message, version } of cases) {
        const bytes = encode(message, version, {})
        expect(encode(message, version, decode(message, version, bytes) as never)).toEqual(bytes)
      }
    })

    test('a message cut off at any byte is malformed', () => {
      each(1, (message, version, bytes) => {
        for (let length = 0; length < bytes.length; length++) {
          expect(() => decode(message, version, bytes.subarray(0, length))).toThrow(ProtocolError)
        }
      })
    })

    test('a byte too many is malformed', () => {
      each(1, (message, version, bytes) => {
        const longer = Buffer.concat([bytes, Buffer.of(0)])
        expect(() => decode(message, version, longer)).toThrow(/left over/)
      })
    })

    test('changed bytes are read or refused, and never grow beyond what they could hold', () => {
      const patches = [Buffer.of(0xff), Buffer.of(0x7f, 0xff, 0xff, 0xff), Buffer.of(0xff, 0xff, 0xff, 0xff, 0x0f)]
      each(2, (message, version, bytes) => {
        for (let at = 0; at < bytes.length; at += 1 + Math.floor(bytes.length / 40)) {
          for (const patch of patches) checkMutation(message, version, bytes, at, patch)
        }
      })
    })
  })
}

function checkMutation(message: Message<any>, version: number, bytes: Uint8Array, at: number, patch: Buffer): void {
  const mutated = Uint8Array.from(bytes)
  mutated.set(patch.subarray(0, mutated.length - at), at)
  try {
    const nodes = countNodes(decode(message, version, mutated))
    expect(nodes).toBeLessThanOrEqual(100 + mutated.length * NODES_PER_BYTE_MAX)
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause
    expect(cause.code).toBe('MALFORMED')
    expect(cause.message).toContain(`${message.name} v${version}: `)
  }
}
