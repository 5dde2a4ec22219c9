// AlterConfigs and IncrementalAlterConfigs: which config records a request becomes (Java: ConfigurationControlManager, ConfigAdminManager).
// A resource changes as a whole or not at all.
import { brokerConfigs } from '@odradek/shared/configs/broker-configs'
import type { ConfigSpec } from '@odradek/shared/configs/config-spec'
import { invalidValue, listOf } from '@odradek/shared/configs/config-values.rules'
import { brokerConfigSources, ConfigSource, effectiveConfig } from '@odradek/shared/configs/effective-configs.rules'
import { groupConfigs } from '@odradek/shared/configs/group-configs'
import { topicConfigs } from '@odradek/shared/configs/topic-configs'
import type { AlterConfigsRequest } from '@odradek/shared/protocol/messages/33-alter-configs'
import type {
  AlterConfigsResourceResponse,
  IncrementalAlterConfigsRequest,
  IncrementalAlterConfigsResponse,
} from '@odradek/shared/protocol/messages/44-incremental-alter-configs'
import { ApiError, orRefusal } from './api-error.ts'
import { type CatalogRecord, configChange, ResourceType } from './catalog.records.ts'
import { type Catalog, resourcesOf } from './catalog.ts'
import { brokerConfig, type ClusterSetup, levelsOf } from './cluster-setup.ts'
import { checkGroupBounds } from './group-config-bounds.rules.ts'
import { repeated } from './request-items.rules.ts'
import { invalidTopicName } from './topic-name.rules.ts'

export interface AlterConfigsDecision {
  readonly records: readonly CatalogRecord[]
  readonly response: IncrementalAlterConfigsResponse
}

interface Resource {
  readonly resourceType: number
  readonly resourceName: string
}

/** New values by name; null takes a config away. */
type Changes = ReadonlyMap<string, string | null>

const Operation = { SET: 0, DELETE: 1, APPEND: 2, SUBTRACT: 3 } as const

/** KIP-339: sets, deletes, appends to and subtracts from single configs. */
export function incrementalAlterConfigs(
  catalog: Catalog,
  setup: ClusterSetup,
  request: IncrementalAlterConfigsRequest,
): AlterConfigsDecision {
  return alter(catalog, setup, request, resource => {
    for (const name of repeated(resource.configs.map(config => config.name))) {
      throw new ApiError('INVALID_REQUEST', `Error due to duplicate config keys : ${name}`)
    }
    return new Map(
      resource.configs.map(({ name, configOperation, value }) => [
        name,
        changedValue(catalog, setup, resource, name, configOperation, value),
      ]),
    )
  })
}

/** Replaces all configs of each resource: what is not named goes back to its default. */
export function alterConfigs(
  catalog: Catalog,
  setup: ClusterSetup,
  request: AlterConfigsRequest,
): AlterConfigsDecision {
  return alter(catalog, setup, request, resource => {
    for (const name of repeated(resource.configs.map(config => config.name))) {
      throw new ApiError('INVALID_REQUEST', `Error due to duplicate config keys : ${name}`)
    }
    const changes = new Map<string, string | null>()
    for (const name of ownConfigs(catalog, resource).keys()) changes.set(name, null)
    for (const { name, value } of resource.configs) changes.set(name, notNull(name, value))
    return changes
  })
}

function alter<R extends Resource>(
  catalog: Catalog,
  setup: ClusterSetup,
  request: { readonly resources: readonly R[]; readonly validateOnly: boolean },
  changesOf: (resource: R) => Changes,
): AlterConfigsDecision {
  const records: CatalogRecord[] = []
  const twice = repeated(request.resources.map(keyOf))
  const responses = request.resources.map(resource => {
    const { resourceType, resourceName } = resource
    return orRefusal<AlterConfigsResourceResponse>(
      () => {
        if (twice.has(keyOf(resource))) throw new ApiError('INVALID_REQUEST', 'Each resource must appear at most once.')
        checkResource(catalog, setup, resource)
        const changes = changesOf(resource)
        checkChanges(resourceType, changes)
        if (resourceType === ResourceType.GROUP) checkGroup(catalog, setup, resource, changes)
        if (!request.validateOnly) records.push(...changeRecords(catalog, resource, changes))
        return { errorCode: 0, errorMessage: null, resourceType, resourceName }
      },
      error => ({ ...error, resourceType, resourceName }),
    )
  })
  return { records, response: { throttleTimeMs: 0, responses } }
}

function keyOf({ resourceType, resourceName }: Resource): string {
  return `${resourceType}:${resourceName}`
}

function checkResource(catalog: Catalog, setup: ClusterSetup, { resourceType, resourceName }: Resource): void {
  switch (resourceType) {
    case ResourceType.TOPIC: {
      const reason = invalidTopicName(resourceName)
      if (reason !== null) throw new ApiError('INVALID_TOPIC_EXCEPTION', `Topic name is invalid: ${reason}`)
      if (!catalog.topics.has(resourceName)) {
        throw new ApiError('UNKNOWN_TOPIC_OR_PARTITION', `The topic '${resourceName}' does not exist.`)
      }
      return
    }
    case ResourceType.BROKER:
      checkBroker(setup, resourceName)
      return
    case ResourceType.GROUP:
      if (resourceName === '') throw new ApiError('INVALID_REQUEST', 'Default group resources are not allowed.')
      return
    case ResourceType.CLIENT_METRICS:
      if (resourceName === '')
        throw new ApiError('INVALID_REQUEST', 'Default client metrics resources are not allowed.')
      return
    case ResourceType.BROKER_LOGGER:
      throw new ApiError(
        'INVALID_REQUEST',
        'Log levels are those of the embedding application; they are not changed here.',
      )
    default:
      throw new ApiError('INVALID_REQUEST', `Unsupported resource type ${resourceType}.`)
  }
}

/** A broker resource is this node, or the empty name for all. */
export function checkBroker({ nodeId }: ClusterSetup, resourceName: string): void {
  if (resourceName === '' || resourceName === String(nodeId)) return
  throw new ApiError(
    'INVALID_REQUEST',
    `Unexpected broker id, expected ${nodeId} or empty string, but received ${resourceName}`,
  )
}

function changedValue(
  catalog: Catalog,
  setup: ClusterSetup,
  resource: Resource,
  name: string,
  operation: number,
  value: string | null,
): string | null {
  switch (operation) {
    case Operation.DELETE:
      return null
    case Operation.SET:
      return notNull(name, value)
    case Operation.APPEND:
    case Operation.SUBTRACT: {
      const given = listOf(notNull(name, value))
      const now = listNow(catalog, setup, resource, name, operation)
      const then =
        operation === Operation.APPEND
          ? [...now, ...given.filter(entry => !now.includes(entry))]
          : now.filter(entry => !given.includes(entry))
      return then.join(',')
    }
    default:
      throw new ApiError('INVALID_REQUEST', `Unknown config operation ${operation}.`)
  }
}

/** The list in force, on which APPEND and SUBTRACT work. */
function listNow(catalog: Catalog, setup: ClusterSetup, resource: Resource, name: string, operation: number): string[] {
  const spec = specOf(resource.resourceType, name)
  if (spec.type !== 'list') {
    const verb = operation === Operation.APPEND ? 'APPEND' : 'SUBTRACT'
    throw new ApiError('INVALID_CONFIG', `Can't ${verb} to key ${name} because its type is not LIST.`)
  }
  const levels = levelsOf(catalog, setup)
  const own = ownConfigs(catalog, resource)
  const now =
    resource.resourceType === ResourceType.BROKER
      ? (own.get(name) ?? brokerConfigSources(spec, levels)[0]!.value)
      : effectiveConfig(spec, own, ConfigSource.DYNAMIC_TOPIC_CONFIG, levels).value
  return listOf(now ?? '')
}

function ownConfigs(catalog: Catalog, { resourceType, resourceName }: Resource): ReadonlyMap<string, string> {
  const own =
    resourceType === ResourceType.TOPIC
      ? catalog.topics.get(resourceName)?.configs
      : resourcesOf(catalog, resourceType).get(resourceName)
  return own ?? new Map()
}

function notNull(name: string, value: string | null): string {
  if (value === null) throw new ApiError('INVALID_REQUEST', `Null value not supported for : ${name}`)
  return value
}

function specOf(resourceType: number, name: string): ConfigSpec {
  if (resourceType === ResourceType.TOPIC) return known(topicConfigs, 'topic', name)
  if (resourceType === ResourceType.GROUP) return known(groupConfigs, 'group', name)
  return known(brokerConfigs, 'broker', name)
}

function known(table: ReadonlyMap<string, ConfigSpec>, kind: string, name: string): ConfigSpec {
  const spec = table.get(name)
  if (spec === undefined) throw new ApiError('INVALID_CONFIG', `Unknown ${kind} config name: ${name}`)
  return spec
}

/** The value, if a topic may have it. Throws INVALID_CONFIG. */
export function checkTopicConfig(name: string, value: string | null): string {
  const spec = known(topicConfigs, 'topic', name)
  if (value === null) throw new ApiError('INVALID_CONFIG', `Null value not supported for topic configs: ${name}`)
  checkValue(spec, value)
  return value
}

function checkValue(spec: ConfigSpec, value: string): void {
  const complaint = invalidValue(spec, value)
  if (complaint !== null) throw new ApiError('INVALID_CONFIG', complaint)
}

function checkChanges(resourceType: number, changes: Changes): void {
  // KIP-714: subscriptions are free text to everybody but the telemetry plug-ins.
  if (resourceType === ResourceType.CLIENT_METRICS) return
  for (const [name, value] of changes) {
    const spec = specOf(resourceType, name)
    if (spec.update === 'read-only') {
      throw new ApiError('INVALID_REQUEST', `Cannot update these configs dynamically: Set(${name})`)
    }
    if (value !== null) checkValue(spec, value)
  }
}

/** What the group would then keep to. */
function checkGroup(catalog: Catalog, setup: ClusterSetup, resource: Resource, changes: Changes): void {
  const levels = levelsOf(catalog, setup)
  const own = new Map(ownConfigs(catalog, resource))
  for (const [name, value] of changes) {
    if (value === null) own.delete(name)
    else own.set(name, value)
  }
  checkGroupBounds({
    isOwn: name => own.has(name),
    group: name => Number(effectiveConfig(groupConfigs.get(name)!, own, ConfigSource.GROUP_CONFIG, levels).value),
    broker: name => Number(brokerConfig(catalog, setup, name)),
  })
}

function changeRecords(catalog: Catalog, resource: Resource, changes: Changes): CatalogRecord[] {
  const own = ownConfigs(catalog, resource)
  return [...changes]
    .filter(([name, value]) => (own.get(name) ?? null) !== value)
    .map(([name, value]) => configChange(resource.resourceType, resource.resourceName, name, value))
}
