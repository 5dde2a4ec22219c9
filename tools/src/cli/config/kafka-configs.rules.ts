// What `kafka-configs --describe` of Apache Kafka 4.3 prints, character by character. Pure.
import type { ConfigEntry, ConfigResource } from '@odradek/shared/client/admin'

const SOURCES: { readonly [source in ConfigEntry['source']]: string } = {
  unknown: 'UNKNOWN',
  topic: 'DYNAMIC_TOPIC_CONFIG',
  broker: 'DYNAMIC_BROKER_CONFIG',
  allBrokers: 'DYNAMIC_DEFAULT_BROKER_CONFIG',
  static: 'STATIC_BROKER_CONFIG',
  default: 'DEFAULT_CONFIG',
  brokerLogger: 'DYNAMIC_BROKER_LOGGER_CONFIG',
  clientMetrics: 'DYNAMIC_CLIENT_METRICS_CONFIG',
  group: 'GROUP_CONFIG',
}

/** `entries` as they shall be shown; `all` changes the heading as `--all` does. */
export function kafkaConfigLines(
  { type, name }: ConfigResource,
  entries: readonly ConfigEntry[],
  all: boolean,
): string[] {
  const heading =
    type === 'broker' && name === ''
      ? 'Default configs for brokers in the cluster are:'
      : `${all ? 'All' : 'Dynamic'} configs for ${type} ${name} are:`
  const sorted = [...entries].sort((a, b) => (a.name < b.name ? -1 : 1))
  return [heading, ...sorted.map(entryLine)]
}

function entryLine({ name, value, isSensitive, synonyms }: ConfigEntry): string {
  const list = synonyms.map(each => `${SOURCES[each.source]}:${each.name}=${each.value}`).join(', ')
  return `  ${name}=${value} sensitive=${isSensitive} synonyms={${list}}`
}
