// What a config's value may be, in Kafka's words (Java: ConfigDef, ConfigException): asked by CreateTopics, the alter APIs and
// `createBroker({ config })`. Values stay strings; who uses them reads them.
import { type ConfigSpec, INT_MAX } from './config-spec.ts'

const SHORT_MAX = 32_767
/** 2^63-1 as a number is 2^63; the largest text that Kafka's Long.parseLong takes is compared as BigInt. */
const LONG_RANGE = 2n ** 63n

/** Null when `value` is allowed, else Kafka's message: names the config, the value, and what would be right. */
export function invalidValue(spec: ConfigSpec, value: string | null): string | null {
  if (value === null) return spec.defaultValue === null ? null : complaint(spec, 'null', 'entry must be non null')
  const reason = wrongType(spec, value) ?? outOfRange(spec, value)
  return reason === null ? null : complaint(spec, value, reason)
}

function complaint(spec: ConfigSpec, value: string, reason: string): string {
  const shown = spec.sensitive ? '[hidden]' : value
  return `Invalid value ${shown} for configuration ${spec.name}: ${reason}`
}

function wrongType({ type }: ConfigSpec, value: string): string | null {
  const given = value.trim()
  switch (type) {
    case 'boolean':
      return /^(true|false)$/i.test(given) ? null : 'Expected value to be either true or false'
    case 'short':
    case 'int':
    case 'long':
      return isInteger(given, type) ? null : `Not a number of type ${type.toUpperCase()}`
    case 'double':
      return given !== '' && Number.isFinite(Number(given)) ? null : 'Not a number of type DOUBLE'
    default:
      return null
  }
}

function isInteger(given: string, type: 'short' | 'int' | 'long'): boolean {
  if (!/^[+-]?\d{1,19}$/.test(given)) return false
  const value = BigInt(given)
  const above = type === 'long' ? LONG_RANGE : BigInt((type === 'int' ? INT_MAX : SHORT_MAX) + 1)
  return value >= -above && value < above
}

function outOfRange({ type, valid }: ConfigSpec, value: string): string | null {
  const { min, max, except, oneOf, notEmpty } = valid
  if (type === 'list') {
    const entries = listOf(value)
    const wrong = oneOf === undefined ? undefined : entries.find(entry => !oneOf.includes(entry))
    if (wrong !== undefined) return `String must be one of: ${oneOf!.join(', ')}`
    if (new Set(entries).size !== entries.length) return 'Configuration has a duplicate entry'
    return notEmpty === true && entries.length === 0 ? 'Configuration must not be empty' : null
  }
  if (oneOf !== undefined && !oneOf.includes(value)) return `String must be one of: ${oneOf.join(', ')}`
  if (notEmpty === true && value.trim() === '') return 'String must be non-empty'
  const number = Number(value)
  if (min !== undefined && number < min) return `Value must be at least ${min}`
  if (max !== undefined && number > max) return `Value must be no more than ${max}`
  return except !== undefined && number === except ? `Value must not be ${except}` : null
}

/** The entries of a list value: comma-separated, blanks around them do not count. */
export function listOf(value: string): string[] {
  return value.trim() === '' ? [] : value.split(',').map(entry => entry.trim())
}

/** Kafka's number for a type in DescribeConfigs responses. */
export function configTypeId(spec: ConfigSpec): number {
  return ['boolean', 'string', 'int', 'short', 'long', 'double', 'list', 'class', 'password'].indexOf(spec.type) + 1
}
