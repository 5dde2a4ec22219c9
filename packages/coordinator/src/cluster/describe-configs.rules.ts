// DescribeConfigs and ListConfigResources as the catalog answers them (Java: ConfigHelper).
import { brokerConfigs } from '@odradek/shared/configs/broker-configs'
import type { ConfigSpec } from '@odradek/shared/configs/config-spec'
import { configTypeId } from '@odradek/shared/configs/config-values.rules'
import {
  brokerConfigSources,
  ConfigSource,
  configSources,
  effectiveConfig,
  type SourcedValue,
} from '@odradek/shared/configs/effective-configs.rules'
import { groupConfigs } from '@odradek/shared/configs/group-configs'
import { topicConfigs } from '@odradek/shared/configs/topic-configs'
import { errors } from '@odradek/shared/protocol/error-codes'
import type {
  DescribeConfigsRequest,
  DescribeConfigsResource,
  DescribeConfigsResourceResult,
  DescribeConfigsResponse,
  DescribeConfigsResult,
} from '@odradek/shared/protocol/messages/32-describe-configs'
import type {
  ConfigResource,
  ListConfigResourcesRequest,
  ListConfigResourcesResponse,
} from '@odradek/shared/protocol/messages/74-list-config-resources'
import { ApiError, orRefusal } from './api-error.ts'
import { ResourceType } from './catalog.records.ts'
import type { Catalog } from './catalog.ts'
import { type ClusterSetup, levelsOf } from './cluster-setup.ts'
import { checkBroker } from './config-changes.rules.ts'
import { invalidTopicName } from './topic-name.rules.ts'

type Wanted = Pick<DescribeConfigsRequest, 'includeSynonyms' | 'includeDocumentation'>

export function describeConfigs(
  catalog: Catalog,
  setup: ClusterSetup,
  request: DescribeConfigsRequest,
): DescribeConfigsResponse {
  const results = request.resources.map(resource => {
    const { resourceType, resourceName, configurationKeys } = resource
    return orRefusal<DescribeConfigsResult>(
      () => {
        const all = describeResource(catalog, setup, resource, request)
        const keys = configurationKeys === null ? null : new Set(configurationKeys)
        // KIP-226: an empty list asks for nothing, null for everything.
        const configs = keys === null ? all : all.filter(({ name }) => keys.has(name))
        return { errorCode: 0, errorMessage: null, resourceType, resourceName, configs }
      },
      error => ({ ...error, resourceType, resourceName, configs: [] }),
    )
  })
  return { throttleTimeMs: 0, results }
}

function describeResource(
  catalog: Catalog,
  setup: ClusterSetup,
  { resourceType, resourceName }: DescribeConfigsResource,
  wanted: Wanted,
): DescribeConfigsResourceResult[] {
  switch (resourceType) {
    case ResourceType.TOPIC:
      return describeTopicConfigs(catalog, setup, resourceName, wanted)
    case ResourceType.BROKER:
      checkBroker(setup, resourceName)
      return resourceName === '' ? describeAllBrokers(catalog, wanted) : describeBroker(catalog, setup, wanted)
    case ResourceType.BROKER_LOGGER:
      checkBroker(setup, resourceName)
      return []
    case ResourceType.GROUP: {
      const own = catalog.groupConfigs.get(resourceName) ?? new Map<string, string>()
      return [...groupConfigs.values()].map(spec =>
        describeOwn(catalog, setup, spec, own, ConfigSource.GROUP_CONFIG, wanted),
      )
    }
    case ResourceType.CLIENT_METRICS:
      return [...(catalog.clientMetrics.get(resourceName) ?? [])].map(([name, value]) => clientMetric(name, value))
    default:
      throw new ApiError('INVALID_REQUEST', `Unsupported resource type: ${resourceType}`)
  }
}

function describeTopicConfigs(
  catalog: Catalog,
  setup: ClusterSetup,
  name: string,
  wanted: Wanted,
): DescribeConfigsResourceResult[] {
  const reason = invalidTopicName(name)
  if (reason !== null) throw new ApiError('INVALID_TOPIC_EXCEPTION', `Topic name is invalid: ${reason}`)
  const topic = catalog.topics.get(name)
  if (topic === undefined) throw new ApiError('UNKNOWN_TOPIC_OR_PARTITION', errors.UNKNOWN_TOPIC_OR_PARTITION.message)
  return [...topicConfigs.values()]
    .filter(spec => spec.defaultValue !== null || topic.configs.has(spec.name))
    .map(spec => describeOwn(catalog, setup, spec, topic.configs, ConfigSource.DYNAMIC_TOPIC_CONFIG, wanted))
}

function describeOwn(
  catalog: Catalog,
  setup: ClusterSetup,
  spec: ConfigSpec,
  own: ReadonlyMap<string, string>,
  ownSource: ConfigSource,
  wanted: Wanted,
): DescribeConfigsResourceResult {
  const levels = levelsOf(catalog, setup)
  return entry(spec, effectiveConfig(spec, own, ownSource, levels), configSources(spec, own, ownSource, levels), wanted)
}

function describeBroker(catalog: Catalog, setup: ClusterSetup, wanted: Wanted): DescribeConfigsResourceResult[] {
  const levels = levelsOf(catalog, setup)
  return [...brokerConfigs.values()].map(spec => {
    const sources = brokerConfigSources(spec, levels)
    return entry(spec, sources[0]!, sources, wanted)
  })
}

/** The defaults that are set for all brokers, and only those. */
function describeAllBrokers(catalog: Catalog, wanted: Wanted): DescribeConfigsResourceResult[] {
  return [...(catalog.brokerConfigs.get('') ?? [])].flatMap(([name, value]) => {
    const spec = brokerConfigs.get(name)
    if (spec === undefined) return []
    const source = { name, value, source: ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG }
    return [entry(spec, source, [source], wanted)]
  })
}

function entry(
  spec: ConfigSpec,
  effective: SourcedValue,
  sources: readonly SourcedValue[],
  { includeSynonyms, includeDocumentation }: Wanted,
): DescribeConfigsResourceResult {
  const shown = (value: string | null) => (spec.sensitive ? null : value)
  return {
    name: spec.name,
    value: shown(effective.value),
    readOnly: spec.update === 'read-only',
    configSource: effective.source,
    isSensitive: spec.sensitive,
    synonyms: includeSynonyms ? sources.map(({ name, value, source }) => ({ name, value: shown(value), source })) : [],
    configType: configTypeId(spec),
    documentation: includeDocumentation ? spec.doc : null,
  }
}

const CLIENT_METRICS_SOURCE = 7
const STRING_TYPE = 2

function clientMetric(name: string, value: string): DescribeConfigsResourceResult {
  const configSource = CLIENT_METRICS_SOURCE
  return {
    name,
    value,
    readOnly: false,
    configSource,
    isSensitive: false,
    synonyms: [],
    configType: STRING_TYPE,
    documentation: null,
  }
}

/** KIP-1142: resources by type; none given means all types. */
export function listConfigResources(
  catalog: Catalog,
  { nodeId }: ClusterSetup,
  { resourceTypes }: ListConfigResourcesRequest,
): ListConfigResourcesResponse {
  const namesOf: { readonly [type: number]: () => Iterable<string> } = {
    [ResourceType.TOPIC]: () => catalog.topics.keys(),
    [ResourceType.BROKER]: () => [String(nodeId)],
    [ResourceType.BROKER_LOGGER]: () => [String(nodeId)],
    [ResourceType.CLIENT_METRICS]: () => catalog.clientMetrics.keys(),
    [ResourceType.GROUP]: () => catalog.groupConfigs.keys(),
  }
  const types = resourceTypes.length > 0 ? [...new Set(resourceTypes)] : Object.values(ResourceType)
  if (types.some(type => namesOf[type] === undefined)) {
    return { throttleTimeMs: 0, errorCode: errors.UNSUPPORTED_VERSION.code, configResources: [] }
  }
  const configResources = types.flatMap((resourceType): ConfigResource[] =>
    [...namesOf[resourceType]!()].map(resourceName => ({ resourceName, resourceType })),
  )
  return { throttleTimeMs: 0, errorCode: 0, configResources }
}
