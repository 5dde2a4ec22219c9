// Where a value comes from when several levels may set it (KIP-226): topic, broker, all brokers, the broker's file, the default. Pure;
// asked by DescribeConfigs, by the image that leaders get their configs from, and by the broker for its own.
import { brokerConfigs } from './broker-configs.ts'
import type { ConfigSpec, Synonym } from './config-spec.ts'
import { topicConfigs } from './topic-configs.ts'

/** Kafka's `ConfigSource` of a DescribeConfigs response. */
export const ConfigSource = {
  DYNAMIC_TOPIC_CONFIG: 1,
  DYNAMIC_BROKER_CONFIG: 2,
  DYNAMIC_DEFAULT_BROKER_CONFIG: 3,
  STATIC_BROKER_CONFIG: 4,
  DEFAULT_CONFIG: 5,
  GROUP_CONFIG: 8,
} as const
export type ConfigSource = (typeof ConfigSource)[keyof typeof ConfigSource]

type Values = ReadonlyMap<string, string>

/** What is set on a broker, level by level, by broker config name. */
export interface BrokerLevels {
  /** For this broker alone. */
  readonly broker: Values
  /** For all brokers. */
  readonly brokers: Values
  /** Given at start. */
  readonly given: Values
}

export interface SourcedValue {
  /** Under which name it was found. */
  readonly name: string
  readonly value: string | null
  readonly source: ConfigSource
}

/** All levels that have a value for a broker config, the effective one first. Never empty. */
export function brokerConfigSources(spec: ConfigSpec, levels: BrokerLevels): SourcedValue[] {
  const { name } = spec
  const found: SourcedValue[] = []
  const add = (value: string | null | undefined, source: ConfigSource) => {
    if (value !== undefined && value !== null) found.push({ name, value, source })
  }
  add(levels.broker.get(name), ConfigSource.DYNAMIC_BROKER_CONFIG)
  add(levels.brokers.get(name), ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG)
  add(levels.given.get(name), ConfigSource.STATIC_BROKER_CONFIG)
  if (spec.defaultValue !== null || found.length === 0) {
    found.push({ name, value: spec.defaultValue, source: ConfigSource.DEFAULT_CONFIG })
  }
  return found
}

/**
 * All levels that have a value for a topic or group config, the effective one first. Never empty. `own` is what is set on the topic or
 * group itself, `ownSource` how Kafka calls that level.
 */
export function configSources(
  spec: ConfigSpec,
  own: Values,
  ownSource: ConfigSource,
  levels: BrokerLevels,
): SourcedValue[] {
  const set = own.get(spec.name)
  const found: SourcedValue[] = set === undefined ? [] : [{ name: spec.name, value: set, source: ownSource }]
  for (const synonym of spec.synonyms) found.push(...synonymSources(synonym, levels))
  if (found.length === 0) found.push({ name: spec.name, value: spec.defaultValue, source: ConfigSource.DEFAULT_CONFIG })
  return found
}

function synonymSources(synonym: Synonym, levels: BrokerLevels): SourcedValue[] {
  const spec = brokerConfigs.get(synonym.name)
  return spec === undefined ? [] : brokerConfigSources(spec, levels).filter(({ value }) => value !== null)
}

/** The value in force and where it comes from, in the unit of the topic or group config. */
export function effectiveConfig(
  spec: ConfigSpec,
  own: Values,
  ownSource: ConfigSource,
  levels: BrokerLevels,
): SourcedValue {
  const first = configSources(spec, own, ownSource, levels)[0]!
  const factor = spec.synonyms.find(({ name }) => name === first.name)?.factor
  return { ...first, name: spec.name, value: inUnit(first.value, factor) }
}

function inUnit(value: string | null, factor: number | undefined): string | null {
  // Negative means "no limit" in every unit.
  if (value === null || factor === undefined || Number(value) < 0) return value
  return String(BigInt(value) * BigInt(factor))
}

/** All topic configs in force: what a partition leader is started with. Those without a value are left out. */
export function effectiveTopicConfigs(own: Values, levels: BrokerLevels): { [name: string]: string } {
  const effective: { [name: string]: string } = {}
  for (const spec of topicConfigs.values()) {
    const { value } = effectiveConfig(spec, own, ConfigSource.DYNAMIC_TOPIC_CONFIG, levels)
    if (value !== null) effective[spec.name] = value
  }
  return effective
}

/** All broker configs in force. Those without a value are left out; sensitive ones are in: never log or send the whole. */
export function effectiveBrokerConfigs(levels: BrokerLevels): { [name: string]: string } {
  const effective: { [name: string]: string } = {}
  for (const spec of brokerConfigs.values()) {
    const { value } = brokerConfigSources(spec, levels)[0]!
    if (value !== null) effective[spec.name] = value
  }
  return effective
}
