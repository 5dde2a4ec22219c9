// How one config is declared: the row type of the tables beside this file, and the constructors that keep the rows short. Pure data.
// Names, types, ranges and defaults are Kafka 4.3's (Java: TopicConfig, LogConfig, ServerLogConfigs, ServerConfigs and their kin); the
// words are ours. Values are strings, as Kafka stores and sends them.

export type ConfigType = 'boolean' | 'string' | 'int' | 'short' | 'long' | 'double' | 'list' | 'class' | 'password'
export type ConfigImportance = 'high' | 'medium' | 'low'

/**
 * Who may change it while brokers run: `read-only` nobody, `per-broker` for one broker or all, `cluster-wide` only for all. Topic and
 * group configs are dynamic.
 */
export type ConfigUpdate = 'dynamic' | 'read-only' | 'per-broker' | 'cluster-wide'

/** What a value may be, besides being of its type. Every key is a condition of its own. */
export interface ValidValues {
  readonly min?: number
  readonly max?: number
  /** A hole in the range. */
  readonly except?: number
  /** For strings, and for each entry of a list. */
  readonly oneOf?: readonly string[]
  readonly notEmpty?: boolean
}

/** A broker config that gives a topic config its default, in the order of precedence. */
export interface Synonym {
  readonly name: string
  /** The broker's value times this is the topic's: 3,600,000 for `log.retention.hours`. Default 1. */
  readonly factor?: number
}

export interface ConfigSpec {
  readonly name: string
  readonly type: ConfigType
  /** Null: none. */
  readonly defaultValue: string | null
  readonly valid: ValidValues
  readonly importance: ConfigImportance
  readonly update: ConfigUpdate
  readonly doc: string
  /** Topic configs: the broker configs behind them. */
  readonly synonyms: readonly Synonym[]
  /** Whether this broker acts on it; what it does not act on is accepted, stored and described all the same. */
  readonly acts: boolean
  /** Never shown to anybody. */
  readonly sensitive: boolean
}

type Options = Partial<Omit<ConfigSpec, 'name' | 'type' | 'defaultValue' | 'doc' | 'synonyms'>> & {
  /** One name, or several with their units. */
  readonly synonym?: string | readonly Synonym[]
}

/** One row. What is left out: medium importance, dynamic, not acted on, any value of the type. */
export function config(
  name: string,
  type: ConfigType,
  defaultValue: string | number | boolean | null,
  doc: string,
  { synonym = [], ...options }: Options = {},
): ConfigSpec {
  return {
    name,
    type,
    defaultValue: defaultValue === null ? null : String(defaultValue),
    doc,
    valid: {},
    importance: 'medium',
    update: 'dynamic',
    acts: false,
    sensitive: false,
    synonyms: typeof synonym === 'string' ? [{ name: synonym }] : synonym,
    ...options,
  }
}

/** A table by name, in the order it was written in. A name twice is a bug. */
export function configTable(rows: readonly ConfigSpec[]): ReadonlyMap<string, ConfigSpec> {
  const table = new Map(rows.map(row => [row.name, row]))
  if (table.size !== rows.length) throw new Error('a config is declared twice')
  return table
}

/** `Long.MAX_VALUE`, which no JS number is. */
export const LONG_MAX = '9223372036854775807'
export const INT_MAX = 2_147_483_647
export const HOUR_MS = 3_600_000
export const DAY_MS = 24 * HOUR_MS
export const MIB = 1_048_576
