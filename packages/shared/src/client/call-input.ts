// What calls of clients take beside options, checked before anything is asked: in this process a request reaches the actors as it is, and one that no client could have written
// would end them.
import { KafkaError } from '../base/errors.ts'
import {
  anything,
  isAbortSignal,
  isFunction,
  isObject,
  notTaken,
  type OptionTable,
  parseOptions,
  shown,
} from './options.ts'

const isText = (given: unknown) => typeof given === 'string'
const isName = (given: unknown) => isText(given) && given !== ''
const field = (expects: string, accepts: (given: unknown) => boolean) =>
  anything<unknown>(null, expects, accepts, undefined)

export const name = field('a string that is not empty', isName)
export const text = field('a string', isText)
export const integer = field('an integer', Number.isSafeInteger)
export const offset = field(
  'an integer, as bigint or number',
  each => typeof each === 'bigint' || Number.isSafeInteger(each),
)
export const object = field('an object', isObject)
export const textList = field('a list of strings', each => Array.isArray(each) && each.every(isText))
export const list = field('a list', Array.isArray)

export const flag = field('true or false', each => typeof each === 'boolean')
const signal = field('an AbortSignal', isAbortSignal)
export const waitMs = field('a number of milliseconds from 0', each => typeof each === 'number' && each >= 0)

export const partitionFields = { topic: name, partition: integer }
/** What every call that waits takes. */
export const callFields = { signal }

type Fields = OptionTable<{ readonly [name: string]: unknown }>

/** The name, or all names of a list. Throws ODK_OPTION_INVALID for anything else; `call` says where, such as `topics.delete`. */
export function namesIn(call: string, given: string | readonly string[]): readonly string[] {
  const names: readonly unknown[] = Array.isArray(given) ? given : [given]
  for (const each of names) {
    if (!isText(each)) throw notTaken(call, 'a name or a list of names', each)
  }
  return names as readonly string[]
}

/** The name. Throws ODK_OPTION_INVALID for anything else. */
export function nameIn(call: string, given: string): string {
  if (!isText(given)) throw notTaken(call, 'a name', given)
  return given
}

/**
 * The options of a call, which has these and no others. Throws ODK_OPTION_INVALID or _UNKNOWN. A signal given instead of `{ signal }` would be taken for no
 * options at all: the mistake is named too.
 */
export function optionsIn<T extends object>(call: string, given: T, fields: Fields = callFields): T {
  if (isAbortSignal(given)) throw notTaken(call, 'options such as { signal }', 'the signal itself')
  if (!isObject(given)) throw notTaken(call, 'an object of options', given)
  for (const name in given) {
    const value: unknown = given[name]
    if (value !== undefined && fields[name]?.read(value) === undefined) parseOptions(call, fields, given)
  }
  return given
}

/** The function. Throws ODK_OPTION_INVALID for anything else; `takes` says what for, such as 'a function of a record'. */
export function functionIn<F>(call: string, takes: string, given: F): F {
  if (!isFunction(given)) throw notTaken(call, takes, given)
  return given
}

/** The thing, or all things of a list, once each has the required fields and no others than these. Throws ODK_OPTION_INVALID, _UNKNOWN or _MISSING. */
export function allIn<T>(call: string, given: T | readonly T[], required: Fields, optional: Fields = {}): readonly T[] {
  const things = (Array.isArray(given) ? given : [given]) as readonly T[]
  for (const each of things) {
    const found = parseOptions(call, { ...required, ...optional }, each as object).given
    const absent = Object.keys(required).find(name => !found.has(name))
    if (absent !== undefined) throw missing(call, absent)
  }
  return things
}

/** Partitions, each with the required fields; what else it has, as an answer of another call does, is nobody's business. Throws ODK_OPTION_INVALID or _MISSING. */
export function partitionsIn<T extends object>(
  call: string,
  given: readonly T[],
  required: Fields = partitionFields,
  optional: Fields = {},
): readonly T[] {
  if (!Array.isArray(given)) throw notTaken(call, 'a list of partitions', given)
  for (const each of given as readonly T[]) {
    if (!isObject(each)) throw notTaken(call, 'partitions as objects', each)
    const found = each as { readonly [name: string]: unknown }
    for (const name in required) checkField(call, name, required[name]!, found[name])
    for (const name in optional) if (found[name] !== undefined) checkField(call, name, optional[name]!, found[name])
  }
  return given
}

function checkField(call: string, name: string, { read, expects }: Fields[string], given: unknown): void {
  if (given === undefined) throw missing(call, name)
  if (read(given) === undefined)
    throw new KafkaError('ODK_OPTION_INVALID', `${call}: ${name} must be ${expects}, got ${shown(given)}`)
}

function missing(call: string, name: string): KafkaError {
  return new KafkaError('ODK_OPTION_MISSING', `${call}: ${name} is missing`)
}
