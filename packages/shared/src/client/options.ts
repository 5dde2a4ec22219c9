// Options of producer, consumer and admin: one table per client says what each option is called (here and in Java), what it takes,
// and its default; `parseOptions` checks what users give at the door. Nothing else in the clients validates options.
import { KafkaError } from '../base/errors.ts'
import { nearestName } from '../base/suggestion.ts'

/** How one option is read. */
export interface OptionSpec<T> {
  /** Java's name, such as `linger.ms`; null for options that only exist here. */
  readonly java: string | null
  /** What it takes, for error messages: 'an integer of milliseconds from 0 to 2147483647'. */
  readonly expects: string
  readonly fallback: T
  /** The value, or undefined when it is not acceptable. `text` values (from dotted names) may be Java's spelling. */
  read(given: unknown): T | undefined
}

export type OptionTable<Options> = { readonly [K in keyof Options]-?: OptionSpec<Options[K]> }

const INT32_MAX = 2 ** 31 - 1

interface Numeric {
  readonly min?: number
  readonly max?: number
  readonly unit?: string
}

/** An integer in a range. */
export function integer(
  java: string | null,
  fallback: number,
  { min = 0, max = INT32_MAX, unit }: Numeric = {},
): OptionSpec<number> {
  return {
    java,
    fallback,
    expects: `an integer${unit === undefined ? '' : ` of ${unit}`} from ${min} to ${max}`,
    read(given) {
      const value = numberFrom(given)
      return Number.isInteger(value) && value! >= min && value! <= max ? value : undefined
    },
  }
}

/** An integer of milliseconds. */
export function milliseconds(
  java: string | null,
  fallback: number,
  range: Omit<Numeric, 'unit'> = {},
): OptionSpec<number> {
  return integer(java, fallback, { ...range, unit: 'milliseconds' })
}

/** An integer of bytes. */
export function byteCount(
  java: string | null,
  fallback: number,
  range: Omit<Numeric, 'unit'> = {},
): OptionSpec<number> {
  return integer(java, fallback, { max: Number.MAX_SAFE_INTEGER, ...range, unit: 'bytes' })
}

export function flag(java: string | null, fallback: boolean): OptionSpec<boolean> {
  return {
    java,
    fallback,
    expects: 'true or false',
    read: given =>
      given === true || given === 'true' ? true : given === false || given === 'false' ? false : undefined,
  }
}

/** Text; `undefined` when it is not given. */
export function text(java: string | null): OptionSpec<string | undefined>
export function text(java: string | null, fallback: string): OptionSpec<string>
export function text(java: string | null, fallback?: string): OptionSpec<string | undefined> {
  return {
    java,
    fallback,
    expects: 'a string that is not empty',
    read: given => (typeof given === 'string' && given !== '' ? given : undefined),
  }
}

/** One of some words. `spellings` maps other ways to write them (Java's) to ours. */
export function oneOf<const W extends string>(
  java: string | null,
  words: readonly W[],
  fallback: NoInfer<W>,
  spellings: { readonly [spelling: string]: NoInfer<W> } = {},
): OptionSpec<W> {
  return {
    java,
    fallback,
    expects: `one of ${words.map(word => `'${word}'`).join(', ')}`,
    read: given => {
      const word = String(given)
      return words.find(known => known === word) ?? (Object.hasOwn(spellings, word) ? spellings[word] : undefined)
    },
  }
}

/** Anything that `accepts` says yes to: functions, objects, lists. */
export function anything<T>(
  java: string | null,
  expects: string,
  accepts: (given: unknown) => boolean,
  fallback: T,
): OptionSpec<T> {
  return { java, fallback, expects, read: given => (accepts(given) ? (given as T) : undefined) }
}

/** Own way to read: returns undefined for what is not acceptable. */
export function custom<T>(
  java: string | null,
  expects: string,
  read: (given: unknown) => T | undefined,
  fallback: T,
): OptionSpec<T> {
  return { java, fallback, expects, read }
}

export function isFunction(given: unknown): boolean {
  return typeof given === 'function'
}

/** By its shape: test environments (jsdom) bring an AbortSignal of their own. */
export function isAbortSignal(given: unknown): boolean {
  const signal = given as Partial<AbortSignal> | null
  return isObject(signal) && typeof signal!.aborted === 'boolean' && isFunction(signal!.addEventListener)
}

export function isObject(given: unknown): boolean {
  return typeof given === 'object' && given !== null && !Array.isArray(given)
}

function numberFrom(given: unknown): number | undefined {
  if (typeof given === 'number') return given
  // Values of .properties files and environment variables arrive as text.
  return typeof given === 'string' && /^-?\d+$/.test(given) ? Number(given) : undefined
}

export interface ParsedOptions<Options> {
  readonly options: Options
  /** Which options were given, by our names: some defaults depend on that (`enableIdempotence`). */
  readonly given: ReadonlySet<keyof Options & string>
}

/**
 * Reads what a user gave. Names may be ours (`lingerMs`) or Java's (`'linger.ms'`); `undefined` counts as not given.
 * Throws ODK_OPTION_UNKNOWN (with a suggestion), ODK_OPTION_INVALID (with what would be right) or ODK_OPTION_CONFLICT (both names of one
 * option). `where` names the call, `hints` says what to do instead of options that exist in Java but not here.
 */
export function parseOptions<Options extends object>(
  where: string,
  table: OptionTable<Options>,
  given: object,
  hints: { readonly [name: string]: string } = {},
): ParsedOptions<Options> {
  if (!isObject(given)) throw notTaken(where, 'an object of options', given)
  const specs = table as { readonly [name: string]: OptionSpec<unknown> }
  const byJavaName = new Map<string, string>()
  const options: { [name: string]: unknown } = {}
  for (const [name, spec] of Object.entries(specs)) {
    options[name] = spec.fallback
    if (spec.java !== null) byJavaName.set(spec.java, name)
  }
  const seen = new Set<string>()
  for (const [key, value] of Object.entries(given)) {
    if (value === undefined) continue
    const name = Object.hasOwn(specs, key) ? key : byJavaName.get(key)
    if (name === undefined) {
      const known = key.includes('.') ? byJavaName.keys() : Object.keys(specs)
      throw unknownOption(where, key, known, Object.hasOwn(hints, key) ? hints[key] : undefined)
    }
    if (seen.has(name)) {
      throw new KafkaError('ODK_OPTION_CONFLICT', `${where}: ${name} is given twice, also as '${specs[name]!.java}'`)
    }
    seen.add(name)
    const read = specs[name]!.read(value)
    if (read === undefined) throw invalidOption(where, key, specs[name]!.expects, value)
    options[name] = read
  }
  return { options: options as Options, given: seen as Set<keyof Options & string> }
}

/** An ODK_OPTION_INVALID that names the option, what it takes, and what was given. */
function invalidOption(where: string, name: string, expects: string, given: unknown): KafkaError {
  return new KafkaError('ODK_OPTION_INVALID', `${where}: ${name} must be ${expects}, got ${shown(given)}`)
}

function unknownOption(where: string, name: string, known: Iterable<string>, hint?: string): KafkaError {
  const suggestion = nearestName(name, known)
  const advice = hint ?? (suggestion === undefined ? undefined : `did you mean ${suggestion}?`)
  return new KafkaError(
    'ODK_OPTION_UNKNOWN',
    `${where}: unknown option ${name}${advice === undefined ? '' : `; ${advice}`}`,
  )
}

/** ODK_OPTION_INVALID: `where` (an option bag, or a call such as `topics.delete`) was given what it does not take. */
export function notTaken(where: string, takes: string, given: unknown): KafkaError {
  return new KafkaError('ODK_OPTION_INVALID', `${where} takes ${takes}, got ${shown(given)}`)
}

/** Short form of a given value for a message; never longer than a line. */
export function shown(given: unknown): string {
  if (typeof given === 'string') return given.length > 40 ? `a string of ${given.length} characters` : `'${given}'`
  if (typeof given === 'function') return 'a function'
  if (typeof given === 'object' && given !== null) return Array.isArray(given) ? 'an array' : 'an object'
  return String(given)
}
