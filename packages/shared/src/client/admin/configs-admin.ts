// Configs of topics, brokers and groups (Java: `Admin.describeConfigs`, `incrementalAlterConfigs`).

import { allIn, flag, object, optionsIn, text, textList } from '../call-input.ts'
import { anything } from '../options.ts'
import { brokerError, settle } from './admin-errors.ts'
import { type AdminCall, type AdminSession, type Attempt, adminFields, retryWhilePassing } from './admin-session.ts'
import { type ValidateOnly, validateFields } from './topics-admin.ts'

/** Kafka's resource types (`ConfigResource.Type`). */
const TYPES = { topic: 2, broker: 4, brokerLogger: 8, clientMetrics: 16, group: 32 } as const

/** `name` is a topic, a group, or a broker's id; '' stands for all brokers. */
export interface ConfigResource {
  readonly type: keyof typeof TYPES
  readonly name: string
}

const resourceFields = {
  type: anything<unknown>(
    null,
    `one of ${Object.keys(TYPES).join(', ')}`,
    given => Object.hasOwn(TYPES, String(given)),
    undefined,
  ),
  name: text,
}
const changeFields = { set: object, unset: textList, append: object, subtract: object }

const SOURCES = [
  'unknown',
  'topic',
  'broker',
  'allBrokers',
  'static',
  'default',
  'brokerLogger',
  'clientMetrics',
  'group',
] as const

export interface ConfigEntry {
  readonly name: string
  /** Null for secrets. */
  readonly value: string | null
  /** Where it was set: for this topic, broker or group, for all brokers, in the broker's start options, or nowhere (`default`). */
  readonly source: (typeof SOURCES)[number]
  readonly isReadOnly: boolean
  readonly isSensitive: boolean
  readonly synonyms: readonly {
    readonly name: string
    readonly value: string | null
    readonly source: (typeof SOURCES)[number]
  }[]
  readonly documentation: string | null
}

export interface ConfigDescription extends ConfigResource {
  readonly entries: readonly ConfigEntry[]
}

/** What to change of one resource; `append` and `subtract` are for lists. */
export interface ConfigChange extends ConfigResource {
  readonly set?: { readonly [name: string]: string | number | boolean }
  /** Back to the default. */
  readonly unset?: readonly string[]
  readonly append?: { readonly [name: string]: string }
  readonly subtract?: { readonly [name: string]: string }
}

export interface DescribeConfigsOptions extends AdminCall {
  /** Only these; default all. */
  readonly names?: readonly string[]
  readonly includeDocumentation?: boolean
}

export class ConfigsAdmin {
  readonly #session: AdminSession

  constructor(session: AdminSession) {
    this.#session = session
  }

  /** Effective configs, in the broker's order. Rejects with PartialAdminError (`UNKNOWN_TOPIC_OR_PARTITION`, ...) if any resource is not there. */
  async describe(
    resources: ConfigResource | readonly ConfigResource[],
    options: DescribeConfigsOptions = {},
  ): Promise<readonly ConfigDescription[]> {
    const fields = { ...adminFields, names: textList, includeDocumentation: flag }
    const { names, includeDocumentation = false, ...call } = optionsIn('configs.describe', options, fields)
    const list = allIn<ConfigResource>('configs.describe', resources, resourceFields)
    return this.#session.run(call, async attempt => {
      const results = await byEndpoint(attempt, list, async (endpoint, part) => {
        const request = {
          resources: part.map(({ type, name }) => ({
            resourceType: TYPES[type],
            resourceName: name,
            configurationKeys: names === undefined ? null : [...names],
          })),
          includeSynonyms: true,
          includeDocumentation,
        }
        return (await attempt.ask(endpoint, 'DescribeConfigs', request)).results
      })
      settleResources(results)
      return results.map(({ resourceType, resourceName, configs }) => ({
        type: typeOf(resourceType),
        name: resourceName,
        entries: configs.map(config => ({
          name: config.name,
          value: config.value,
          source: SOURCES[config.configSource] ?? 'unknown',
          isReadOnly: config.readOnly,
          isSensitive: config.isSensitive,
          synonyms: config.synonyms.map(({ name, value, source }) => ({
            name,
            value,
            source: SOURCES[source] ?? 'unknown',
          })),
          documentation: config.documentation,
        })),
      }))
    })
  }

  /** Changes configs and leaves the others alone. Rejects with PartialAdminError (`INVALID_CONFIG`, ...) if any could not be changed. */
  async set(changes: ConfigChange | readonly ConfigChange[], options: ValidateOnly = {}): Promise<void> {
    const { validateOnly = false, ...call } = optionsIn('configs.set', options, validateFields)
    const list = allIn<ConfigChange>('configs.set', changes, resourceFields, changeFields)
    await this.#session.run(call, async attempt => {
      const results = await byEndpoint(attempt, list, async (endpoint, part) => {
        const resources = part.map(change => ({
          resourceType: TYPES[change.type],
          resourceName: change.name,
          configs: operationsOf(change),
        }))
        return (await attempt.ask(endpoint, 'IncrementalAlterConfigs', { resources, validateOnly })).responses
      })
      settleResources(results)
    })
  }
}

const OPERATIONS = { set: 0, unset: 1, append: 2, subtract: 3 } as const

function operationsOf({ set = {}, unset = [], append = {}, subtract = {} }: ConfigChange) {
  const entries = (configs: object, configOperation: number) =>
    Object.entries(configs).map(([name, value]) => ({ name, configOperation, value: String(value) }))
  return [
    ...entries(set, OPERATIONS.set),
    ...unset.map(name => ({ name, configOperation: OPERATIONS.unset, value: null })),
    ...entries(append, OPERATIONS.append),
    ...entries(subtract, OPERATIONS.subtract),
  ]
}

/** Configs of one broker are asked of that broker (only it knows its own); all others of the controller. */
async function byEndpoint<R extends ConfigResource, T>(
  attempt: Attempt,
  resources: readonly R[],
  ask: (endpoint: Awaited<ReturnType<Attempt['link']['controller']>>, part: readonly R[]) => Promise<readonly T[]>,
): Promise<T[]> {
  const controller = await attempt.link.controller(attempt.options)
  const groups = new Map<typeof controller, R[]>()
  for (const resource of resources) {
    const isBroker = (resource.type === 'broker' || resource.type === 'brokerLogger') && resource.name !== ''
    const endpoint = isBroker ? await endpointOf(attempt, Number(resource.name), controller) : controller
    groups.set(endpoint, [...(groups.get(endpoint) ?? []), resource])
  }
  const answers = await Promise.all([...groups].map(([endpoint, part]) => ask(endpoint, part)))
  return answers.flat()
}

async function endpointOf<E extends { readonly nodeId: number }>(
  { link, options }: Attempt,
  nodeId: number,
  controller: E,
): Promise<E> {
  if (controller.nodeId === nodeId || controller.nodeId < 0) return controller
  await link.refresh(null, { ...options, allowAutoTopicCreation: false })
  const partitions = link.topics().flatMap(topic => topic.partitions)
  return (partitions.find(({ endpoint }) => endpoint?.nodeId === nodeId)?.endpoint as E | undefined) ?? controller
}

function settleResources(
  results: readonly {
    readonly errorCode: number
    readonly errorMessage: string | null
    readonly resourceType: number
    readonly resourceName: string
  }[],
): void {
  const outcomes = results.map(({ errorCode, errorMessage, resourceType, resourceName }) => ({
    name: resourceName,
    error: brokerError(`${typeOf(resourceType)} ${resourceName}`, errorCode, errorMessage),
  }))
  for (const { error } of outcomes) retryWhilePassing(error)
  settle(outcomes)
}

function typeOf(resourceType: number): keyof typeof TYPES {
  const found = Object.entries(TYPES).find(([, id]) => id === resourceType)
  return (found?.[0] ?? 'topic') as keyof typeof TYPES
}
