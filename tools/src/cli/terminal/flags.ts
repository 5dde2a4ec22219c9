// How values of flags are read: each mistake is named with what would be right. And flags that several commands have.
import { COMPRESSION_TYPES } from '@odradek/shared/records/compression/compression-type'
import { InvalidArgumentError, Option } from 'commander'

/** An integer in a range; `also`: what is said before it in a complaint. */
export function integerFlag({ min = 0, max = Number.MAX_SAFE_INTEGER } = {}, also = ''): (given: string) => number {
  return given => {
    const value = /^-?\d+$/.test(given) ? Number(given) : Number.NaN
    if (value >= min && value <= max) return value
    const range = [
      ...(min === Number.MIN_SAFE_INTEGER ? [] : [`from ${min}`]),
      ...(max === Number.MAX_SAFE_INTEGER ? [] : [`to ${max}`]),
    ]
    throw new InvalidArgumentError(`It takes ${[`${also}an integer`, ...range].join(' ')}.`)
  }
}

const DURATION_UNITS: { readonly [unit: string]: number } = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }

/** A duration such as 500ms, 10s, 2m; a plain number is seconds. Gives milliseconds. */
function durationFlag(given: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(given)
  if (match === null)
    throw new InvalidArgumentError('It takes a duration such as 500ms, 10s or 2m; a plain number is seconds.')
  return Number(match[1]) * DURATION_UNITS[match[2] ?? 's']!
}

/** A flag that takes a duration. Without a default it is left out where it is not given. */
export function durationOption(flags: string, description: string, defaultMs?: number): Option {
  const option = new Option(flags, description).argParser(durationFlag)
  return defaultMs === undefined ? option : option.default(defaultMs, durationText(defaultMs))
}

/** As {@link durationFlag} reads it, in the largest unit that makes it whole. */
function durationText(ms: number): string {
  const [unit, size] = Object.entries(DURATION_UNITS).findLast(([, each]) => ms % each === 0)!
  return `${ms / size}${unit}`
}

/** `-z` or the like: a codec of batches, by Kafka's names. */
export function compressionOption(flags: string, description: string): Option {
  return new Option(flags, description).choices(COMPRESSION_TYPES).default('none')
}

/** An integer, or a word that stands for something else. */
export function integerOrWordFlag<W extends string>(
  word: W,
  range: { readonly min?: number; readonly max?: number },
): (given: string) => number | W {
  const integer = integerFlag(range, `${word}, or `)
  return given => (given === word ? word : integer(given))
}

/** `--threads`: of an embedded broker. */
export const threadsFlag = integerOrWordFlag('auto', { max: 256 })

/** A reader that throws when it is given something else, with its complaint told as one about the flag. */
export function checkedFlag<T>(read: (given: string) => T): (given: string) => T {
  return given => {
    try {
      return read(given)
    } catch (error) {
      throw new InvalidArgumentError((error as Error).message)
    }
  }
}

/** Collects a flag that may be given several times. */
export function severalFlag<T>(
  read: (given: string) => T,
): (given: string, before: readonly T[] | undefined) => readonly T[] {
  return (given, before) => [...(before ?? []), read(given)]
}

/** Words with commas between them, each one of these in whatever case; gives them as they are spelled here. */
export function wordsFlag(words: readonly string[]): (given: string) => readonly string[] {
  return given =>
    given.split(',').map(each => {
      const word = words.find(known => known.toLowerCase() === each.trim().toLowerCase())
      if (word !== undefined) return word
      throw new InvalidArgumentError(`It takes, with commas between them, ${words.join(', ')}; '${each}' is none.`)
    })
}

/** `name=value`. */
export function pairFlag(given: string): readonly [string, string] {
  const at = given.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('It takes name=value.')
  return [given.slice(0, at).trim(), given.slice(at + 1).trim()]
}
