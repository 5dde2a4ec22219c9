// Options that producer, consumer and admin have in common, with Kafka's defaults (`CommonClientConfigs`).
import type { SaslCredentials } from '../contracts/wire-security.ts'
import { anything, custom, isObject, milliseconds, type OptionTable, text } from './options.ts'
import { readSasl, SASL_EXPECTED, type SaslOption } from './sasl-option.ts'

/** Where the cluster is: an embedded broker, `'host:port,host:port'`, or a list of `'host:port'`. */
export type BootstrapServers = object | string | readonly string[]

/** TLS for brokers over TCP: true, or what `tls.connect` takes (ca, cert, key, servername, rejectUnauthorized, ...). */
export type TlsOption = boolean | { readonly [name: string]: unknown }

export interface CommonClientOptions {
  /** Required. */
  readonly bootstrapServers: BootstrapServers
  /** Shown in the broker's logs and quotas (`client.id`). Default: `odradek-producer`, `odradek-consumer`, ... */
  readonly clientId?: string
  readonly tls?: TlsOption
  readonly sasl?: SaslOption
  /** Longest wait for one reply of a broker; then the request is retried (`request.timeout.ms`). Default 30000. */
  readonly requestTimeoutMs?: number
  /** First wait before a retry (`retry.backoff.ms`); doubles with jitter of 20 % (KIP-580). Default 100. */
  readonly retryBackoffMs?: number
  /** Longest wait before a retry (`retry.backoff.max.ms`). Default 1000. */
  readonly retryBackoffMaxMs?: number
  /** First wait before a broken connection is opened again (`reconnect.backoff.ms`). Default 50. */
  readonly reconnectBackoffMs?: number
  /** Longest such wait (`reconnect.backoff.max.ms`). Default 1000. */
  readonly reconnectBackoffMaxMs?: number
  /** Metadata older than this is fetched anew (`metadata.max.age.ms`). Default 300000. */
  readonly metadataMaxAgeMs?: number
  /** Idle connections are closed after this (`connections.max.idle.ms`). Default 540000. */
  readonly connectionsMaxIdleMs?: number
  /** How long opening a connection may take (`socket.connection.setup.timeout.ms`); doubles with jitter of 20 % while it fails (KIP-601). Default 10000. */
  readonly socketConnectionSetupTimeoutMs?: number
  /** Longest such time (`socket.connection.setup.timeout.max.ms`). Default 30000. */
  readonly socketConnectionSetupTimeoutMaxMs?: number
  /**
   * How long every bootstrap server may refuse connections, before one was ever made, until calls fail with ODK_BOOTSTRAP_FAILED, which names each address
   * and its reason. Java's clients have no such bound: they try until the call's own timeout. Default 0: as Java's.
   */
  readonly bootstrapTimeoutMs?: number
}

/** Those that say where the cluster is, and who we are there. */
export type ClusterOptions = Pick<CommonClientOptions, 'bootstrapServers' | 'tls' | 'sasl'>

/** What {@link commonOptions} reads: everything has a value. */
export interface ResolvedCommonOptions {
  readonly bootstrapServers: object | readonly string[]
  readonly clientId: string
  readonly tls: TlsOption
  readonly sasl: SaslCredentials | undefined
  readonly requestTimeoutMs: number
  readonly retryBackoffMs: number
  readonly retryBackoffMaxMs: number
  readonly reconnectBackoffMs: number
  readonly reconnectBackoffMaxMs: number
  readonly metadataMaxAgeMs: number
  readonly connectionsMaxIdleMs: number
  readonly socketConnectionSetupTimeoutMs: number
  readonly socketConnectionSetupTimeoutMaxMs: number
  readonly bootstrapTimeoutMs: number
}

export const tlsOption = anything<TlsOption>(null, 'true, false or an object of TLS options', isTls, false)

/** The common part of a client's table; `clientId` is the default of `client.id`. */
export function commonOptions(clientId: string): OptionTable<ResolvedCommonOptions> {
  return {
    bootstrapServers: custom(
      'bootstrap.servers',
      "a broker, 'host:port,...', or a list of 'host:port'",
      readServers,
      [],
    ),
    clientId: text('client.id', clientId),
    tls: tlsOption,
    sasl: custom<SaslCredentials | undefined>(null, SASL_EXPECTED, readSasl, undefined),
    requestTimeoutMs: milliseconds('request.timeout.ms', 30_000),
    retryBackoffMs: milliseconds('retry.backoff.ms', 100),
    retryBackoffMaxMs: milliseconds('retry.backoff.max.ms', 1_000),
    reconnectBackoffMs: milliseconds('reconnect.backoff.ms', 50),
    reconnectBackoffMaxMs: milliseconds('reconnect.backoff.max.ms', 1_000),
    metadataMaxAgeMs: milliseconds('metadata.max.age.ms', 300_000),
    connectionsMaxIdleMs: milliseconds('connections.max.idle.ms', 540_000),
    socketConnectionSetupTimeoutMs: milliseconds('socket.connection.setup.timeout.ms', 10_000),
    socketConnectionSetupTimeoutMaxMs: milliseconds('socket.connection.setup.timeout.max.ms', 30_000),
    bootstrapTimeoutMs: milliseconds(null, 0),
  }
}

/** What to do instead of options that Java clients have and ours do not need. */
export const commonOptionHints: { readonly [name: string]: string } = {
  brokers: 'it is called bootstrapServers',
  servers: 'it is called bootstrapServers',
  'security.protocol': 'use tls and sasl',
  securityProtocol: 'use tls and sasl',
  'sasl.mechanism': 'use sasl: { mechanism, username, password }, or { mechanism, token }',
  'sasl.jaas.config': 'use sasl: { mechanism, username, password }, or { mechanism, token }',
  'sasl.login.callback.handler.class':
    "use sasl: { mechanism: 'OAUTHBEARER', token }, the URL of a module that exports the function token",
  ssl: 'it is called tls',
  // kafkajs
  retry: 'use retryBackoffMs, retryBackoffMaxMs and, for a producer, retries and deliveryTimeoutMs',
  connectionTimeout: 'it is called socketConnectionSetupTimeoutMs',
  authenticationTimeout: 'use requestTimeoutMs',
  logLevel: 'clients log through the logger of createBroker, or not at all',
}

/** What `bootstrapServers` names: a broker, or addresses without blanks; undefined for anything else. */
export function readServers(given: unknown): object | readonly string[] | undefined {
  if (isObject(given)) return given as object
  const list = typeof given === 'string' ? given.split(',') : given
  if (!Array.isArray(list)) return undefined
  const servers = list.map(server => (typeof server === 'string' ? server.trim() : ''))
  return servers.length > 0 && servers.every(isHostAndPort) ? servers : undefined
}

/** `host:port` or `[ipv6]:port`, as Kafka's `ClientUtils.parseAndValidateAddresses` takes them. */
function isHostAndPort(server: string): boolean {
  const match = /^(?:\[[0-9a-fA-F:.%]+\]|[^\s:/[\]]+):(\d{1,5})$/.exec(server)
  return match !== null && Number(match[1]) >= 1 && Number(match[1]) <= 65_535
}

function isTls(given: unknown): boolean {
  return typeof given === 'boolean' || isObject(given)
}
